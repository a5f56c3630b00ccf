"""Text to words, sentences, paragraphs and back: tables written by hand, and properties of any text."""

from __future__ import annotations

import pickle
import re
from itertools import pairwise

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.errors import InputError
from probes.passage import MAX_CHARACTERS, Passage, equal_groups

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


# ---- joining and splitting by hand


def test_join_and_split() -> None:
    passage = Passage("我走进咖啡店 now")
    joined = passage.joined(1, 2)
    assert [w.text for w in joined.words] == ["我", "走进咖啡店", "now"]
    assert words(passage.text, joins=joined.joins) == "我|走进咖啡店|now"
    apart = joined.split_at(2)
    assert [w.text for w in apart.words] == ["我", "走", "进咖啡店", "now"]
    assert [w.text for w in apart.joined(1, 3).words] == ["我", "走进咖啡店 now"]
    halves = passage.split_at(5)
    assert [w.text for w in halves.words] == ["我", "走进", "咖啡", "店", "now"]
    assert halves.splits == (5,)
    assert halves.joined(2, 3) == Passage(passage.text, joins=[(3, 6)])
    assert pickle.loads(pickle.dumps(apart)) == apart


@pytest.mark.parametrize(
    ("joins", "splits"),
    [
        ([(3, 3)], []),
        ([(4, 2)], []),
        ([(-1, 2)], []),
        ([(0, 99)], []),
        ([(0, 3), (2, 5)], []),  # overlap
        ([(0, 2)], []),  # ends with a space
        ([(5, 6)], []),  # no word
        ([(2, 8)], []),  # over the end of the line
        ([], [0]),
        ([], [-3]),
        ([], [99]),
        ([], [6]),  # between line end and comma
        ([], [10]),  # inside an emoji
        ([], [13]),  # inside an emoji, behind its joiner
        ([(11, 13)], []),  # half an emoji
        ([(2, 5)], [3]),  # inside a join
    ],
)
def test_joins_and_splits_that_are_refused(joins: list, splits: list) -> None:
    text = f"a bcd,,\n {THUMB}{FAMILY}"
    assert Passage(text).text == text
    with pytest.raises(InputError):
        Passage(text, joins=joins, splits=splits)


@pytest.mark.parametrize(("first", "last"), [(0, 0), (1, 0), (-1, 1), (0, 2)])
def test_joining_words_that_are_not_there(first: int, last: int) -> None:
    with pytest.raises(InputError):
        Passage("one two").joined(first, last)


# ---- finding

TEXT = "I walked in. The coffee shop, the Coffee  shop and the coffee-shop: I like coffee, C# and 1,000 #2."


def found(wanted: str, text: str = TEXT) -> list[str]:
    return [text[start:end] for start, end in Passage(text).find(wanted)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("WALKED", ["walked"]),
        ("i#2，walked", ["walked", "I"]),
        ("coffee", ["coffee", "Coffee", "coffee"]),
        ("coffee shop", ["coffee shop", "Coffee  shop"]),
        ("coffee shop＃2;in、 The #3", ["in", "Coffee  shop", "the"]),
        ("alke", ["alke"]),
        ("c#, 1\\,000，\\#2", ["C#", "1,000", "#2"]),
        ("", []),
        (" ,；", []),
    ],
)
def test_find(wanted: str, expected: list[str]) -> None:
    assert found(wanted) == expected


def test_a_phrase_stands_on_words_before_it_stands_inside_them() -> None:
    assert Passage("咖啡店里，去咖啡店").find("店") == ((2, 3), (8, 9))
    assert Passage("scar car park, car parks").find("car park") == ((5, 13),)


def test_what_is_not_found_is_named_with_its_neighbours() -> None:
    with pytest.raises(InputError, match="walked") as caught:
        found("walkd")
    assert caught.value.values["text"] == "walkd"
    with pytest.raises(InputError, match="3 time") as caught:
        found("coffee#4")
    assert caught.value.values == {"text": "coffee", "asked": 4, "count": 3}
    with pytest.raises(InputError):
        found("coffee#0")


# ---- taking away


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("I walked into the shop.", "walked", "I into the shop."),
        ("I walked into the shop.", "I", "walked into the shop."),
        ("I walked into the shop.", "shop", "I walked into the."),
        ("I walked into the shop.", "walked,into", "I the shop."),
        ("I walked into the shop.", "I,walked", "into the shop."),
        ("I walked into the shop.", "I,into,shop", "walked the."),
        ("I walked into the shop.", "I walked into the shop", "."),
        ("Well, I (we) left", "we", "Well, I () left"),
        ("(a b c)", "a", "(b c)"),
        ("我走进咖啡店。", "走进", "我咖啡店。"),
        ("去了 shop 三次", "shop", "去了 三次"),
        ("去了 shop 三次", "了", "去 shop 三次"),
        ("a😀 b", "😀", "a b"),
        ("3.a 5", "a", "3. 5"),
        ("a我 aひ", "我,a#2", "a ひ"),
        ("  indent stays", "indent", "  stays"),
        ("one\n\ntwo\n\nthree", "two", "one\n\nthree"),
        ("one\r\ntwo\r\nthree", "one", "two\r\nthree"),
        ("one\ntwo\nthree", "one,three", "two"),
        ("one\ntwo\nthree", "one,two", "three"),
        ("a b\nc d", "b,c", "a\nd"),
        ("only", "only", ""),
    ],
)
def test_without(text: str, wanted: str, expected: str) -> None:
    passage = Passage(text)
    assert passage.without(passage.find(wanted)) == expected


def test_a_sentence_takes_one_space() -> None:
    passage = Passage("One here. Two there.  Three. 四。五。")
    one, two, three, four, _ = (unit.span for unit in passage.sentences)
    assert passage.without([one]) == "Two there.  Three. 四。五。"
    assert passage.without([two]) == "One here.  Three. 四。五。"
    assert passage.without([four]) == "One here. Two there.  Three. 五。"
    assert passage.without([one, two, three]) == "四。五。"


@pytest.mark.parametrize("span", [(0, 0), (-1, 2), (1, 9), (2, 1)])
def test_spans_outside_the_text(span: tuple[int, int]) -> None:
    with pytest.raises(InputError):
        Passage("abc").removal([span])


# ---- any text at all

ALPHABET = [
    *"aB1我走进咖啡店点了去.。,，-'!？…\"()“”～~#\\",
    *" \n\t\u3000\u00a0", "\r\n", "\x00", "\u200b", "\u200d", "\u0301", FAMILY, THUMB, FLAG, KEYCAP,
    "e\u0301", "ひ", "ー", "カ", "ร้", "한", "ש", "\u202e", "$", "+", "3.5", "Mr.",
    "don't", "www.a.b", "𠮷", "ﬁ", "ǅ",
]  # fmt: skip
mixed = st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=40).map("".join)
any_text = st.one_of(
    mixed, st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
).filter(str.strip)


@settings(deadline=None, max_examples=300)
@given(any_text)
def test_nothing_is_lost(text: str) -> None:
    passage = Passage(text)
    assert "".join(s.text for s in passage.segments) == text
    assert all(text[s.start : s.end] == s.text for s in passage.segments)
    assert [w.span for w in passage.words] == [s.span for s in passage.segments if s.is_word]
    assert all(not w.text[0].isspace() and not w.text[-1].isspace() for w in passage.words)
    letters = {m.start() for m in regex.finditer(r"[\p{L}\p{N}\p{Extended_Pictographic}]", text)}
    assert letters <= {i for w in passage.words for i in range(w.start, w.end)}


@settings(deadline=None, max_examples=300)
@given(any_text)
def test_each_word_is_in_one_sentence_and_each_sentence_in_one_paragraph(text: str) -> None:
    passage = Passage(text)
    for inner, outer in ((passage.words, passage.sentences), (passage.sentences, passage.paragraphs)):
        for unit in inner:
            assert sum(o.start <= unit.start and unit.end <= o.end for o in outer) == 1
        for o in outer:
            assert o.text.strip() == o.text
            assert any(o.start <= unit.start and unit.end <= o.end for unit in inner)


@settings(deadline=None, max_examples=300)
@given(any_text, st.data())
def test_removal_never_fuses_words_that_were_apart(text: str, data: st.DataObject) -> None:
    passage = Passage(text)
    gone = data.draw(st.sets(st.sampled_from(passage.words))) if passage.words else set()
    cuts = passage.removal([w.span for w in gone])
    removed = {i for a, b in cuts for i in range(a, b)}
    assert list(cuts) == sorted(cuts)
    assert all(b < c for (_, b), (c, _) in pairwise(cuts))
    assert removed >= {i for w in gone for i in range(w.start, w.end)}
    assert all(text[i].isspace() for i in removed - {i for w in gone for i in range(w.start, w.end)})
    assert passage.without([w.span for w in gone]) == "".join(
        c for i, c in enumerate(text) if i not in removed
    )
    kept = [w for w in passage.words if w not in gone]
    for left, right in pairwise(kept):
        between = range(left.end, right.start)
        if any(text[i].isspace() for i in between):
            stays = [text[i] for i in between if i not in removed]
            assert any(not regex.match(r"[\p{L}\p{M}\p{N}'’.:/,%&_\-+#@~·]", c) for c in stays), (text, gone)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.sampled_from(["walk", "3.5", "don't", FAMILY, "é", "C++", "$5"]), min_size=2, max_size=9),
    st.data(),
)
def test_the_words_that_stay_are_the_words_of_what_stays(tokens: list[str], data: st.DataObject) -> None:
    passage = Passage(" ".join(tokens))
    assert [w.text for w in passage.words] == tokens
    gone = data.draw(st.sets(st.sampled_from(range(len(tokens))), max_size=len(tokens) - 1))
    assert passage.without([passage.words[i].span for i in gone]) == " ".join(
        token for i, token in enumerate(tokens) if i not in gone
    )


@settings(deadline=None, max_examples=300)
@given(any_text, st.data())
def test_units_are_found_by_their_names(text: str, data: st.DataObject) -> None:
    passage = Passage(text)
    if passage.words:
        spans = sorted(w.span for w in data.draw(st.sets(st.sampled_from(passage.words))))
        by_span = {w.span: w for w in passage.words}
        names = [re.sub(r"([\\,，、;；#＃])", r"\\\1", by_span[s].text) for s in spans]
        wanted = ",".join(f"{n}#{by_span[s].occurrence}" for n, s in zip(names, spans, strict=True))
        assert list(passage.find(wanted)) == spans


@settings(deadline=None, max_examples=100)
@given(any_text, st.data())
def test_handwork_travels(text: str, data: st.DataObject) -> None:
    """After any joins and splits the text is whole, and its own joins and splits make the same passage."""
    passage = Passage(text)
    for _ in range(3):
        try:
            if data.draw(st.booleans()):
                passage = passage.split_at(data.draw(st.integers(0, len(text))))
            else:
                first = data.draw(st.integers(0, 5))
                passage = passage.joined(first, first + data.draw(st.integers(1, 3)))
        except InputError:
            continue
    assert "".join(s.text for s in passage.segments) == text
    again = Passage(text, joins=passage.joins, splits=passage.splits)
    assert again == passage
    assert again.words == passage.words


@pytest.mark.parametrize("piece", ["a. ", "咖啡店，", " 😀.", "a+", '."', "x\r\n\r\n"])
def test_long_texts(piece: str) -> None:
    """Whole and in order at the greatest length; what is not linear would not come back."""
    text = ("go " + piece * MAX_CHARACTERS)[:MAX_CHARACTERS]
    passage = Passage(text)
    assert "".join(s.text for s in passage.segments) == text
    assert len(passage.sentences) <= len(passage.words)
    assert not Passage("x" + passage.without([w.span for w in passage.words])).words[1:]
