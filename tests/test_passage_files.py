"""Files of passages: what is read, and what is refused with its place and what is wanted."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from probes.asking import passage_files
from probes.asking.answers import AnswerSet
from probes.asking.question import Question, preset, standard_answers
from probes.errors import CruxError, InputError, LimitError
from probes.running.sets import questions_of
from probes.text.passage import Passage

ONE, TWO = "I walked into the shop. Then I left.", "I walked past it, went home, and slept."
BASE = preset("coffee-en").question()


def found(folder: Path, name: str, content: str | bytes, base: Question = BASE) -> list[Question]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return questions_of(str(path), base)


def texts(questions: list[Question]) -> list[str]:
    return [question.passage.text for question in questions]


ENTRIES = [{"passage": ONE, "question": "How often?"}, {"passage": TWO, "question": "How often?", "right": 1}]
LINES = "\n".join(map(json.dumps, ENTRIES))
ARTICLES = [
    {
        "title": "x",
        "paragraphs": [
            {
                "context": text,
                "qas": [
                    {"id": "1", "question": "How often?", "answers": answers, "is_impossible": not answers}
                ],
            }
        ],
    }
    for text, answers in ((ONE, []), (TWO, [{"text": "Once", "answer_start": 3}, {"text": "one time"}]))
]
HUGGING = [
    {"context": ONE, "question": "How often?", "answers": {"text": [], "answer_start": []}},
    {"context": TWO, "question": "How often?", "answers": {"text": ["once"], "answer_start": [4]}},
]
ROWS = f'passage,question,right\n"{ONE}",How often?,\n"{TWO}",How often?,1\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", LINES),
        ("a.JSONL", LINES + "\n\n"),
        ("a.ndjson", "\ufeff" + LINES.replace("\n", "\r\n")),
        ("a.json", LINES),
        ("a.json", json.dumps(ENTRIES)),
        ("a.Json", json.dumps(ENTRIES, indent=2)),
        ("a.jsonl", json.dumps(ENTRIES)),
        ("a.json", json.dumps({"version": 1, "data": ENTRIES})),
        ("a.txt", LINES),
        ("a", json.dumps(ENTRIES, indent=1)),
        ("a.json", json.dumps({"version": "v2.0", "data": ARTICLES})),
        ("a.json", json.dumps({"data": ARTICLES}, indent=1)),
        ("a.json", json.dumps(ARTICLES)),
        ("a.jsonl", "\n".join(map(json.dumps, HUGGING))),
        ("a.csv", ROWS),
        ("a.CSV", "\ufeff" + ROWS.replace("\n", "\r\n")),
        ("a.csv", ROWS.replace(",q", ";q").replace(",r", ";r").replace('",', '";').replace("?,", "?;")),
        ("a.tsv", "\tContext \tquestion\tright\n1\t" + ONE + "\tHow often?\n2\t" + TWO + "\tHow often?\t1\n"),
        ("a.txt", ROWS.replace("passage", "Text")),
    ],
)
def test_the_same_two_passages_in_every_form(name: str, content: str, tmp_path: Path) -> None:
    questions = found(tmp_path, name, content)
    assert texts(questions) == [ONE, TWO]
    assert [q.question for q in questions] == ["How often?", "How often?"]
    assert [q.right for q in questions] == [None, "1"]
    assert all(q.answers == BASE.answers and q.preset is None and not q.roles for q in questions)


@pytest.mark.parametrize("blank", ["", " ", "\t", "\u3000", " \t \u3000", "\n \n"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_of_nothing_but_spaces_part_passages(blank: str, end: str, tmp_path: Path) -> None:
    text = f"\n{ONE}\nMore.\n{blank}\n{TWO}\n\n".replace("\n", end)
    assert texts(found(tmp_path, "a.txt", text)) == [f"{ONE}\nMore.", TWO]


def test_a_cell_may_hold_lines_quotes_and_separators(tmp_path: Path) -> None:
    text, path = 'He said: "once;\ntwice, at most"', tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["text", "answers"], [text, "1=once;2=twice"], [], [TWO, ""]])
    first, second = questions_of(str(path), BASE)
    assert (first.passage.text, second.passage.text) == (text, TWO)
    assert [a.label for a in first.answers.answers] == ["1", "2"]
    assert second.answers == BASE.answers


BAD: list[tuple[str, str, str]] = [
    ("a.jsonl", LINES + "\n[1]", r"Line 3 .* object .*\[1\]"),
    ("a.jsonl", '"text"', 'Line 1 .* object .*"text"'),
    ("a.jsonl", "null\n" + LINES, "Line 1 .* object .*null"),
    ("a.jsonl", '["a"]\n' + LINES, "Line 1 .* object"),
    ("a.jsonl", LINES + '\n{"passage": "x"', "Line 3 .*JSON"),
    ("a.jsonl", '{"passage": "x"\n' + LINES, "Line 1 .*JSON"),
    ("a.json", "[\n" + LINES.replace("\n", "\n,\n") + ",\n]", "Line 5 .*JSON|Line 4 .*JSON"),
    ("a.json", json.dumps(["a", "b"]), 'Entry 1 .* object .*"a"'),
    ("a.txt", json.dumps(["a", "b"]), 'Entry 1 .* object .*"a"'),
    ("a.json", json.dumps({"rows": ENTRIES}), "cannot be asked: it has no .*passage.*rows"),
    ("a.json", "[" * 100_000, "Line 1 .*JSON"),
    ("a.json", "9" * 10_000, "Line 1 .*JSON"),
    ("a.json", '{"data": [{"paragraphs": 3}]}', r"data\[0\] .*paragraphs.*list.*3"),
    (
        "a.json",
        '{"data": [{"paragraphs": [{"qas": [{"question": "q"}]}]}]}',
        r"paragraphs\[0\].qas\[0\] .*passage",
    ),
    ("a.json", '{"data": [{"paragraphs": [{"context": "c", "qas": [7]}]}]}', r"qas\[0\] .*object.*7"),
    ("a.csv", "", "no passage"),
    ("a.json", "", "no passage"),
    ("a.csv", "who,what\nTom,left\n", "Line 1 .*column.*who,what"),
    ("a.csv", f"passage,right\n{TWO},1\n", "Line 2 .*4 cells.*2 columns"),
    ("a.csv", f'passage,right\n"{ONE}",1\n"{TWO},1\n', "Line 3 .*quotes"),
    ("a.csv", "passage,right\n,1\n", "Line 2 .*no .*passage"),
    ("a.csv", "passage," + "x" * 200_000, "Line 1 .*column"),
    ("a.yaml", f"- passage: {ONE}", r"\.jsonl .*a\.yaml"),
    ("a.parquet", "PAR1", r"\.csv .*a\.parquet"),
]


@pytest.mark.parametrize(("name", "content", "said"), BAD)
def test_what_is_no_set_is_refused_with_its_place(name: str, content: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        found(tmp_path, name, content)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"passage": None}, '"passage" must be a text, not null'),
    ({"passage": ""}, "no text"),
    ({"passage": " \n"}, "no text"),
    ({"passage": 3}, '"passage" must be a text, not 3'),
    ({"passage": [["Title", ["One.", "Two."]]]}, r'must be a text, not \[\["Title"'),
    ({"question": ["Who?"]}, '"question" must be a text'),
    ({"question": "  "}, "no question"),
    ({"answers": ["once", "twice"]}, '"answers" must be a text such as'),
    ({"answers": {"0": ["never"], "1": ["once"]}}, '"answers" must be a text such as'),
    ({"answers": 5}, '"answers" must be a text such as'),
    ({"answers": [{"text": 5}]}, "right answers"),
    ({"answers": "once"}, "standard answer set"),
    ({"answers": "1=once"}, "at least two"),
    ({"right": "seven"}, 'no answer "seven"; the answers are: 0, 1'),
    ({"right": 9}, 'no answer "9"'),
    ({"right": True}, '"right" must be a text or a whole number, not true'),
    ({"right": 1.5}, '"right" must be .*1.5'),
    ({"right": ["1"]}, '"right" must be'),
    ({"tempting": {}}, '"tempting" must be'),
    ({"answers": [{"text": "Denver"}]}, 'no answer "Denver"'),
    ({"language": "fr"}, '"language" is zh or en, not "fr"'),
    ({"language": 1}, '"language" is zh or en, not 1'),
    ({"change": "shop"}, '"change" and "to" go together'),
    ({"change": "shop", "to": ["zoo"]}, '"to" must be'),
    ({"prefix": 3}, '"prefix" must be a text'),
]


@pytest.mark.parametrize(("values", "said"), WRONG)
def test_a_wrong_value_is_told_with_its_line(values: dict[str, Any], said: str, tmp_path: Path) -> None:
    content = f"{json.dumps(ENTRIES[0])}\n\n{json.dumps({**ENTRIES[0], **values})}\n"
    with pytest.raises(CruxError, match=f"^Line 3 cannot be asked: .*{said}") as fault:
        found(tmp_path, "a.jsonl", content)
    assert type(fault.value) is InputError
    assert "第 3 行" in fault.value.say("zh")
    with pytest.raises(InputError, match=f"^Entry 2 cannot be asked: .*{said}"):
        found(tmp_path, "a.json", json.dumps([ENTRIES[0], {**ENTRIES[0], **values}]))


def test_a_fault_inside_a_fault_is_said_in_one_language(tmp_path: Path) -> None:
    with pytest.raises(InputError) as fault:
        found(tmp_path, "a.jsonl", '{"passage": "x", "right": "seven"}')
    said = fault.value.say("zh")
    assert "没有答案“seven”" in said
    assert "answer" not in said


@pytest.mark.parametrize("right", ["1", "once", 1, 1.0, " 1 "])
def test_the_right_answer_may_be_named_or_numbered(right: object, tmp_path: Path) -> None:
    line = json.dumps({"passage": ONE, "right": right, "tempting": "twice"})
    (question,) = found(tmp_path, "a.jsonl", line)
    assert (question.right, question.tempting) == ("1", "2")


def test_a_line_is_asked_in_its_own_language(tmp_path: Path) -> None:
    """As `crux ask` asks it alone: words around it, standard answers, and nothing of the English preset's."""
    text, asked = "我走进咖啡店，点了一杯拿铁。", "我去了几次咖啡店？"
    lines = [
        {"passage": text, "question": asked, "answers": "0=零次;1=一次"},
        {"passage": text, "question": asked},
        {"passage": text, "question": asked, "language": "en"},
        {"passage": ONE, "language": "zh-CN", "prefix": "我"},
        {"passage": ONE},
    ]
    first, second, english, chinese, plain = found(tmp_path, "a.jsonl", "\n".join(map(json.dumps, lines)))
    assert first == Question(Passage(text), asked, AnswerSet.parse("0=零次;1=一次"))
    assert second == Question(Passage(text), asked, standard_answers("count", "zh"))
    assert (english.language, english.answers, english.answer_prefix) == (
        "en",
        BASE.answers,
        BASE.answer_prefix,
    )
    assert (chinese.language, chinese.answer_prefix) == ("zh", "我")
    assert (plain.language, plain.answer_prefix) == ("en", BASE.answer_prefix)
    mine = replace(BASE, answer_prefix="So:", answers=AnswerSet.parse("a;b"))
    (kept, *_) = found(tmp_path, "b.txt", text, mine)
    assert (kept.language, kept.answer_prefix, kept.answers) == ("zh", "So:", mine.answers)


def test_bounds_are_told_with_number_and_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passage_files, "MOST", 1)
    with pytest.raises(LimitError, match="more than 1 passages"):
        found(tmp_path, "a.jsonl", LINES)
    monkeypatch.setattr(passage_files, "LARGEST", 100)
    with pytest.raises(LimitError, match="more than 100 bytes"):
        found(tmp_path, "a.jsonl", LINES)
    for count in ("20001", "9" * 6000):
        with pytest.raises(LimitError, match="20,000"):
            questions_of(count, BASE)


def test_what_is_no_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Line 2 of a\.txt .*byte 5"):
        found(tmp_path, "a.txt", b"abc\n\xff")
