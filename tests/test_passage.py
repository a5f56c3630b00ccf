"""Text to words, sentences, paragraphs and back: tables written by hand, and properties of any text."""

from __future__ import annotations

import pytest

from probes.errors import InputError
from probes.text.passage import MAX_CHARACTERS, Passage, equal_groups

FAMILY, THUMB, FLAG, KEYCAP = "👨‍👩‍👧‍👦", "👍🏽", "🇨🇳", "1️⃣"


def words(text: str, **kinds: list) -> str:
    return "|".join(word.text for word in Passage(text, **kinds).words)


def sentences(text: str) -> list[str]:
    return [unit.text for unit in Passage(text).sentences]


# ---- words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我走进咖啡店。", "我|走进|咖啡店"),
        ("我今天去了3次。", "我|今天|去|了|3|次"),
        ("王小波点了一杯茶，我点了咖啡。", "王小波|点|了|一杯|茶|我|点|了|咖啡"),
        ("我进了书店，我刚出书店", "我|进|了|书店|我|刚|出|书店"),
        ("小明早上去咖啡店", "小明|早上|去|咖啡店"),
        ("小明明天去，小红早上去", "小明|明天|去|小红|早上|去"),
        ("小明晚上去，小明天天去", "小明|晚上|去|小明|天天|去"),
        ("李明早上走了，王明晚上走了", "李明|早上|走|了|王明|晚上|走|了"),
        ("阿明早饭吃了，老王明天来", "阿明|早饭|吃|了|老王|明天|来"),
        ("明早上学，年纪小明早上学", "明早|上学|年纪|小|明早|上学"),
        ("工程明早上线，从小明晚上床", "工程|明早|上线|从小|明晚|上床"),
        ("小李明早走，小王子弹琴", "小李|明早|走|小王子|弹琴"),
        ("用Python写了2.5小时", "用|Python|写|了|2.5|小时"),
        ("“你好，”他说……", "你好|他|说"),
        ("（ＡＢＣ）１２３．５！", "ＡＢＣ|１２３．５"),
        ("I don't know, it’s well-known.", "I|don't|know|it’s|well-known"),
        (
            "Mr. Smith paid $3.50 (50%) at 10:30 a.m. in the U.S.A.",
            "Mr|Smith|paid|$3.50|50%|at|10:30|a.m|in|the|U.S.A",
        ),
        ("It costs 1,000, not 1,2 or 3.", "It|costs|1,000|not|1|2|or|3"),
        ("I went home.Then I slept.", "I|went|home|Then|I|slept"),
        ("café cafe\u0301 Zoë naïve", "café|cafe\u0301|Zoë|naïve"),
        ("see https://example.com/a?b=c&d=1, or a@b.co。", "see|https://example.com/a?b=c&d=1|or|a@b.co"),
        ("链接https://example.com/路径", "链接|https://example.com/|路径"),
        (f"ok{FAMILY}{THUMB} {FLAG}{FLAG}{KEYCAP}❤️", f"ok|{FAMILY}|{THUMB}|{FLAG}|{FLAG}|{KEYCAP}|❤️"),
        ("コーヒーを飲む", "コーヒー|を|飲|む"),
        ("커피숍에 갔다.", "커피숍에|갔다"),
        ("ไปร้าน", "ไ|ป|ร้|า|น"),
        ("שלום, עולם!", "שלום|עולם"),
        ("a\u200bb می\u200cخواهم so\u00adap", "a|b|می\u200cخواهم|so\u00adap"),
        ("a</script>b", "a|<|script|>|b"),
        ("C++ and C#, snake_case, R&D", "C++|and|C#|snake_case|R&D"),
        ("1 + 1 = 2 -- so ~ what?", "1|+|1|=|2|so|what"),
        ("a\r\nb\x00c\ufeff", "a|b|c"),
        ("…… —— !?", ""),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert words(text) == expected


def test_a_dictionary_belongs_to_its_passage() -> None:
    text = "我点了一杯拿铁"
    assert words(text) == "我|点|了|一杯|拿|铁"
    assert words(text, dictionary=["拿铁"]) == "我|点|了|一杯|拿铁"
    assert words(text) == "我|点|了|一杯|拿|铁"


@pytest.mark.parametrize(
    ("text", "dictionary", "expected"),
    [
        ("找不到关键问题", ["关键|问题", "找不到"], "找不到|关键|问题"),
        ("老街上有茶馆", ["老街"], "老街|上|有|茶馆"),
        ("我买了T恤，去K歌", ["T恤"], "我|买|了|T恤|去|K|歌"),
        ("Ice cream, two ice creams", ["ice cream"], "Ice cream|two|ice|creams"),
        ("我走进咖啡店", ["", " ", "|"], "我|走进|咖啡店"),
    ],
)
def test_a_dictionary_keeps_and_cuts(text: str, dictionary: list[str], expected: str) -> None:
    assert words(text, dictionary=dictionary) == expected


def test_occurrences_ignore_case_and_composition() -> None:
    passage = Passage("The café, the CAFÉ, the cafe\u0301.")
    assert [(u.text, u.occurrence, u.occurrences) for u in passage.words][:4] == [
        ("The", 1, 3),
        ("café", 1, 3),
        ("the", 2, 3),
        ("CAFÉ", 2, 3),
    ]
    assert [[u.index for u in group] for group in equal_groups(passage.words)] == [[0, 2, 4], [1, 3, 5]]
    assert equal_groups(Passage("one two").words) == ()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("我去了coffee shop三次", "zh"),
        ("I went to the 咖啡店 once", "en"),
        ("👍", "en"),
        ("。", "en"),
        ("用GPT-4做research。", "zh"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert Passage(text).language == language


# ---- sentences and paragraphs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我去了。你呢？好！", ["我去了。", "你呢？", "好！"]),
        ("他问：“去吗？”我说：“去。”然后走了", ["他问：“去吗？”", "我说：“去。”", "然后走了"]),
        (
            "他说……然后走了。真的？！（是的。）好。。。完",
            ["他说……然后走了。", "真的？！", "（是的。）", "好。。。", "完"],
        ),
        ("Mr. Smith paid 3.5. He left.", ["Mr. Smith paid 3.5.", "He left."]),
        (
            "J. K. Rowling wrote, e.g. Harry, at 9 a.m. on Monday.",
            ["J. K. Rowling wrote, e.g. Harry, at 9 a.m. on Monday."],
        ),
        (
            "I live in the U.S. She does, too. So do I. Fine.",
            ["I live in the U.S.", "She does, too.", "So do I.", "Fine."],
        ),
        ('"Really?" she asked. "Yes." He left!', ['"Really?" she asked.', '"Yes."', "He left!"]),
        ('"Go." "No." Done', ['"Go."', '"No."', "Done"]),
        (
            "Well... maybe. Wait... No. 5 won. Why?! ok",
            ["Well... maybe.", "Wait...", "No. 5 won.", "Why?!", "ok"],
        ),
        ("1. First. 2. Second.", ["1. First.", "2. Second."]),
        ("I went home.Then I slept.中文。", ["I went home.", "Then I slept.", "中文。"]),
        ("See example.com. It's Node.js!", ["See example.com.", "It's Node.js!"]),
        ("a\nb. c\r\n\r\nd", ["a\nb.", "c", "d"]),
        ("标题\n第一句。第二句", ["标题", "第一句。", "第二句"]),
        ("-- Hello. --", ["-- Hello. --"]),
        ("！？。", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\ntwo", ["one", "two"]),
        ("one\r\n \r\n  two lines\nhere\n\n\n***\n\nthree ", ["one", "two lines\nhere", "three"]),
        ("第一段。\u2029第二段。", ["第一段。", "第二段。"]),
    ],
)
def test_paragraphs(text: str, expected: list[str]) -> None:
    assert [unit.text for unit in Passage(text).paragraphs] == expected


# ---- what is refused


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "passage_empty"),
        (" \r\n\t\u3000", "passage_empty"),
        ("a\ud800b", "text_surrogate"),
        ("a" * (MAX_CHARACTERS + 1), "passage_long"),
    ],
)
def test_texts_that_are_refused(text: str, key: str) -> None:
    with pytest.raises(InputError) as caught:
        Passage(text)
    assert caught.value.key == key
    assert caught.value.say("zh") != str(caught.value)


def test_a_dictionary_of_broken_text_is_refused() -> None:
    with pytest.raises(InputError, match="U\\+D83D"):
        Passage("好", dictionary=["\ud83d"])


def test_unknown_unit() -> None:
    with pytest.raises(InputError, match="chapter"):
        Passage("a").units("chapter")
