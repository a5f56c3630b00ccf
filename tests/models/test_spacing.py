"""A space between two pieces of text where a writer puts one: each line is how one would write it."""

from __future__ import annotations

import pytest

from probes.models.spacing import space_between

WRITTEN = """
Answer:| once
I went to the shop| 3 times
He went,| twice
“Well.”| Once
(twice)| more
It costs 5 €| twice
It costs 5€| twice
I know C#| well
The dogs'| house
he said 'once'| more
he said ‘once’| more
He said "once"| again
the so-called “shop”| twice
„Hallo“| zweimal
»Hallo«| zweimal
« une fois »| encore
a 5" pizza| twice
I left –| twice
I left —| twice
x =| 5
a ->| b
3 -| 4
3 *| 4
-| once
*| once
**Answer:**| once
_so_| twice
<b>once</b>| more
The answer is (|A
The answer is [|A
The answer is {|A
It reads “|once
It reads ‘|once
It reads «|once
It reads „|einmal
It reads »|einmal
It reads "|once
It reads '|once
It reads `|once
It reads ("|once
{"answer":"|once
答案是“|once
答案是"|once
答案是「|once
¿|Cuántas
The total was $|5
The total was US$|5
The total was €|5
The answer is #|5
Ask @|anna
me@|example
twenty-|one
1990–|1995
the answer—|once
and/|or
https://|example
x=|5
x^|2
2*|3
a->|b
R&|D
The answer is -|5
The answer is −|.5
about ~|5
The answer is **|once
The answer is *|once
Answer:**|once
path C:\\|Users
l'|école
qu’|une
I went|.
I went|, twice
50|%
she|'s
(once|)
我去了|一次
我去了|3次
答案：|once
I went|一次
答案是（|一次
私は|一度
나는 커피숍에| 한 번
나는 커피숍에| 3번
Answer:| 한 번
나는 (|한 번
Tôi đã đi| hai lần
Я ходил| дважды
ذهبت| مرتين
הלכתי| פעמיים
मैं गया| दो बार
Πήγα| δύο
ฉันไป|สองครั้ง
ฉันไป| 2
ຂ້ອຍໄປ|ສອງ
ខ្ញុំទៅ|ពីរ
I went 😀| once
她去了😀| once
Answer:| .5
Answer:| -5
Answer:| ?
"""


@pytest.mark.parametrize("line", WRITTEN.strip("\n").split("\n"))
def test_a_space_stands_where_it_is_written(line: str) -> None:
    before, after = line.split("|")
    word = after.lstrip(" ")
    assert space_between(before, word) + word == after


def test_what_is_spaced_already_stays() -> None:
    for before, after in (("", "once"), ("Answer: ", "once"), ("Answer:\n", "once"), ("Answer:", " once")):
        assert space_between(before, after) == ""


def test_the_line_alone_decides_not_what_stands_above_it() -> None:
    assert space_between('She said "no.\nIt reads "', "once") == ""
    assert space_between("5\n-", "once") == " "
