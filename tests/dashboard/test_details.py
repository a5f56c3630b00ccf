"""What a visitor takes away: the command line makes the same record, the link the same page."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.asking import options, question_of
from dashboard.state import State
from dashboard.widgets.answers_and_effects import suggested_prefix, target_name
from dashboard.widgets.take_along import Taken, command
from probes import load_model, run

OWN = 'I walked into the bakery; it\'s "nice".\nThen I went to the bakery again, for $HOME `id`.'


@pytest.mark.parametrize(
    ("study", "state"),
    [
        ("words", State(preset="coffee-zh", mode="hide", unit="sentence", target="1:3")),
        ("ask", State(preset="coffee-en", out=frozenset({17, 18, 20}), joins=((0, 15),), splits=(80,))),
        ("ask", State(text=OWN, question="How often did I go to the bakery; really?", out=frozenset({1}))),
        (
            "words",
            State(preset="coffee-en", answers="yes=never=zero;no=once", prefix="It's", template="plain"),
        ),
    ],
)
def test_the_command_line_makes_the_same_record(study: str, state: State, tmp_path: Path) -> None:
    model, question = load_model("builtin"), question_of(state, "")
    units = model.units(question, state.unit)
    (tmp_path / "passage.txt").write_text(state.text, encoding="utf-8")
    chosen = options(state, study, units, state.out, chance=len(state.out) > 1)
    record = run(study, model, question, chosen)
    line = command(state, question, Taken(study, record, chosen))
    program, *arguments = shlex.split(line)
    assert program == "crux"
    done = subprocess.run(
        [sys.executable, "-m", "probes", *arguments, "--json", "-", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    printed = json.loads(done.stdout)
    made = record.data
    for name in ("prompt_ids", "top", "effect_log_prob") if study == "ask" else ("mode", "unit"):
        assert printed[name] == (
            pytest.approx(made[name], abs=1e-4) if name == "effect_log_prob" else made[name]
        )
    pairs = zip(printed.get("rows", [printed]), made.get("rows", [made]), strict=True)
    for got, expected in pairs:
        assert got["prompt_ids"] == expected["prompt_ids"]
        shares = [answer["share"] for answer in expected["answers"]]
        assert [answer["share"] for answer in got["answers"]] == pytest.approx(shares, abs=1e-4)


def test_its_answer_is_the_models_whatever_effects_are_measured_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.wording.current", State)
    question = question_of(State(preset="coffee-en"), "")
    record = run("ask", load_model("builtin"), question, {"target": "2", "at": "10-15"})
    assert record.data["target"]["label"] == "2"
    assert target_name("top", question, record) == "Effect on its answer “once”"
    assert target_name("2", question, record) == "Effect on “twice”"


def test_an_answer_set_without_the_right_answer_forgets_it() -> None:
    question = question_of(State(preset="coffee-en", answers="a=never;b=once"), "")
    assert (question.right, question.tempting) == (None, None)
    kept = question_of(replace(State(preset="coffee-en"), answers="1=once;7=seven times"), "")
    assert (kept.right, kept.tempting) == ("1", None)


@pytest.mark.parametrize(
    ("greedy", "prefix"),
    [
        (" I went there once.", "I went there"),
        ("once", None),
        ("No idea.", None),
        (" Well, once or twice", "Well,"),
    ],
)
def test_another_beginning_is_the_models_own_up_to_an_answer(greedy: str, prefix: str | None) -> None:
    answers = [{"strings": ["once"]}, {"strings": ["twice"]}]
    assert suggested_prefix({"greedy": greedy, "answers": answers, "answer_prefix": ""}) == prefix
