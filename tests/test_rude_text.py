"""Texts that are no valid Unicode, numbers without end, cells that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest

from probes import load_model
from probes.asking.answers import Answer, AnswerSet
from probes.asking.question import Question, standard_answers
from probes.cli import main
from probes.errors import CruxError, InputError
from probes.record.results import BOM, ProbeResult
from probes.running.sets import questions_of
from probes.studies import STUDIES
from probes.studies.ask import heads_of, taken
from probes.studies.attention import reader_of
from probes.studies.links import window_of
from probes.text.characters import all_visible, check_unicode, visible, whole_number
from probes.text.passage import Passage

HALF = "a\ud83db"
MANY = "9" * 5000
COFFEE = ["--preset", "coffee-en", "--quiet"]


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("question", lambda: Question(Passage("I went."), HALF, standard_answers("count", "en"))),
        ("instruction", lambda: _asked(instruction=HALF)),
        ("prefix", lambda: _asked(answer_prefix=HALF)),
        ("system", lambda: _asked(system=HALF)),
        ("right", lambda: _asked(right=HALF)),
        ("change", lambda: _asked(swaps=((HALF, "b"),))),
        ("answers", lambda: AnswerSet.parse(f"0={HALF};1=once")),
        ("answers", lambda: AnswerSet.parse(f"{HALF}=never;1=once")),
        ("answers", lambda: AnswerSet((Answer("0", ("a",), HALF), Answer("1", ("b",))))),
        ("endings", lambda: AnswerSet(standard_answers("count", "en").answers, (HALF,))),
        ("drop", lambda: STUDIES["ask"].settings({"drop": HALF})),
        ("target", lambda: STUDIES["words"].settings({"target": HALF})),
        ("model", lambda: load_model(HALF)),
        ("device", lambda: load_model("builtin", device=HALF)),
        ("over", lambda: questions_of(HALF, _asked())),
    ],
)
def test_half_a_character_is_refused_with_its_field(field: str, make: Callable[[], Any]) -> None:
    with pytest.raises(InputError) as fault:
        make()
    assert fault.value.values == {"field": field, "code": "U+D83D", "at": 2}
    assert fault.value.say("zh").encode()


def _asked(**changes: Any) -> Question:
    return Question(Passage("I went."), "How often?", standard_answers("count", "en"), **changes)


def test_whole_characters_are_not() -> None:
    check_unicode([("question", "😀 字 \u0001 \ufffd"), ("system", None), ("seed", 3)])


@pytest.mark.parametrize("option", ["question", "answers", "endings", "drop", "target", "device", "right"])
def test_the_command_line_says_which_option(option: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ask", *COFFEE, f"--{option}", "a\udcff;b"])
    assert ended.value.code == 2
    assert f'Character 2 of "{option}" is U+DCFF' in capsys.readouterr().err


def test_every_error_can_be_printed() -> None:
    fault = CruxError("preset_unknown", name=HALF, names="\udcff")
    assert str(fault).encode() and fault.say("zh").encode()  # noqa: PT018
    huge = 10**5000  # more digits than Python prints
    assert "inf" in str(CruxError("passage_long", characters=huge, most=1))


@pytest.mark.parametrize(
    "make",
    [
        lambda: taken(_asked(), {"drop": None, "at": f"0-{MANY}"}),
        lambda: taken(_asked(), {"drop": f"went#{MANY}", "at": None}),
        lambda: heads_of(f"{MANY}.0", {"layers": 1, "heads": [1]}),
        lambda: heads_of(f"0.{MANY}", {"layers": 1, "heads": [1]}),
        lambda: window_of(f"0-{MANY}", 3),
        lambda: reader_of(_asked(), _asked().passage.words, MANY),
        lambda: STUDIES["ask"].settings({"seed": MANY}),
        lambda: STUDIES["ask"].settings({"seed": 10**5000}),
        lambda: STUDIES["ask"].settings({"seed": float("inf")}),
        lambda: STUDIES["words"].settings({"points": MANY}),
        lambda: Passage("I went.", joins=[(0, 10**5000)]),
        lambda: Passage("I went.", splits=[10**5000]),
    ],
)
def test_a_number_without_end_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(InputError):
        make()


@pytest.mark.parametrize("option", ["join", "split", "at", "seed"])
def test_so_does_the_command_line(option: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ask", *COFFEE, f"--{option}", f"0-{MANY}"])
    assert ended.value.code == 2
    assert "999" in capsys.readouterr().err


def test_numbers_are_read_in_any_script() -> None:
    assert [whole_number(text) for text in ("12", "１２", " 7 ", "1" * 9)] == [12, 12, 7, 111_111_111]
    assert [whole_number(text) for text in ("", "-1", "1.0", "1" * 10, "²")] == [None] * 5


def test_what_xml_cannot_hold_is_shown_by_a_sign() -> None:
    allowed = re.compile("[\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
    for code in (*range(0x300), *range(0xD7F0, 0xE010), *range(0xFFF0, 0x10010), 0x10FFFF):
        assert visible(chr(code)) == (chr(code) if allowed.fullmatch(chr(code)) else "\ufffd")
    assert all_visible({"a\0": ["\1", 1, None, ({"b": "\x1f"},)]}) == {
        "a\ufffd": ["\ufffd", 1, None, [{"b": "\ufffd"}]]
    }


# ---- spreadsheets

CELLS = (
    "=1+1", "+1+1", "-1+1", "@SUM(1)", "＝1", "\t=1", "\r=1", "\n=1", " =1", "  +A1", ";=1", "a;=1", "a; =1",
    "a;-1+cmd|' /C calc'!A0", "a|=1", "a\t=1", "a =HYPERLINK(1)", 'a;"=1"', 'a ""=1"', "a, @b", "x\n=1", "-1",
    "我去了;=1", "a  =1",
)  # fmt: skip
FORMULA = re.compile(r'[\s"]*[-=+@＝＋－＠](?!\Z)')
NUMBER = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?")


def record(cell: str) -> ProbeResult:
    answers = [{"answer": "a;=1", "probability": 0.5}]
    return ProbeResult(
        "words", {"rows": [{"text": cell, "nats": -0.5, "list": [-1, "b"], "answers": answers}]}
    )


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("cell", CELLS)
def test_no_cell_begins_with_a_formula_wherever_a_sheet_splits(cell: str, separator: str) -> None:
    text = record(cell).to_csv().replace("\r", "\n")
    for row in csv.reader(io.StringIO(text), delimiter=separator):
        for found in row:
            assert not FORMULA.match(found) or NUMBER.fullmatch(found.strip(' "[]')), (cell, found)


@pytest.mark.parametrize(
    "cell", ["well-known", "a - b", "1-2", "me@b.c", "a = b", "走进", "https://x?a=1", "C++"]
)
def test_other_text_stays_as_it_is(cell: str) -> None:
    (row,) = csv.DictReader(io.StringIO(record(cell).to_csv()))
    assert row["text"] == cell
    assert (row["nats"], row["list"]) == ("-0.5", '[-1, "b"]')


def test_the_mark_for_excel_is_there_where_it_is_asked_for(capfdbinary: Any) -> None:
    plain = record("走进")
    assert plain.to_csv(bom=True) == BOM + plain.to_csv()
    for marked in (True, False):
        main(["words", "--preset", "coffee-zh", "--quiet", "--csv", *(["--csv-bom"] if marked else [])])
        assert capfdbinary.readouterr().out.startswith(b"\xef\xbb\xbfset," if marked else b"set,")
