"""What every study there is keeps to, and what a stranger's study of two files may count on."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from probes import load_model, preset, run
from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.cli import build
from probes.errors import CapabilityError
from probes.locale import LANGUAGES, TEXTS
from probes.record.results import ProbeResult
from probes.record.store import Store
from probes.running.headline import headline
from probes.running.over import run_over
from probes.running.sets import questions_of
from probes.studies import BROKEN, FIRST, SHARED, STUDIES, Extent
from probes.text.passage import Passage

ROOT = Path(__file__).parents[1]
OPTIONS: dict[str, dict[str, Any]] = {
    "ask": {"drop": "walked"},
    "patch": {"change": "walked", "to": "looked"},
    "heads": {"control": 2},
    "minimal": {"lead": 0.05},
    "definition": {"change": "walked", "words": 3},
    "counterfactual": {"change": "walked", "to": "ran;looked"},
    "frequency": {"added": 2, "draws": 3},
    "questions": {"other": "Who walked?", "other_answers": "I=I;you=you"},
}
QUESTION = Question(
    Passage("I walked into the shop. Then I left the shop."),
    "How many times did I go to the shop?",
    AnswerSet.parse("0=never;1=once=one time;2=twice"),
    right="1",
)


@cache
def found(study: str) -> ProbeResult:
    return run(study, load_model("builtin"), QUESTION, OPTIONS.get(study, {}))


@pytest.fixture(params=STUDIES)
def study(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_module_is_a_study_or_shared() -> None:
    modules = {path.stem for path in (ROOT / "probes" / "studies").glob("*.py")} - {"__init__"}
    assert modules == {*STUDIES, *SHARED}
    assert not BROKEN
    assert set(FIRST) == set(STUDIES)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_says_what_it_asks_and_explains_its_options(study: str, lang: str) -> None:
    assert STUDIES[study].about(lang) != study
    for option in STUDIES[study].options:
        assert STUDIES[study].option_help(option.name, lang), option.name


def test_its_texts_are_its_own_and_used(study: str) -> None:
    """No text of a study that nothing in it, nor what all share, could ask for."""
    folder = ROOT / "probes" / "studies"
    source = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    own = [key.partition(".")[2] for key in TEXTS.keys() if key.startswith(f"{study}.")]  # noqa: SIM118
    assert own
    for name in own:
        stems = [name[:n] for n in range(len(name), 3, -1) if name[n - 1 : n] == "_"]
        known = (
            name in ("about",)
            or name.startswith(("option_", "col_", "label_", "choice_"))
            or name.endswith("_of_listed")
        )
        begun = [f"{study}.{{prefix}}"] + [f"{study}.{stem}{{" for stem in stems]
        direct = f"{study}.{name}" in source or f'"{name}"' in source
        assert known or direct or any(b in source for b in begun), f"{study}.{name}"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_its_record_is_told_in_words_a_table_and_a_picture(study: str, lang: str) -> None:
    result, own = found(study), STUDIES[study]
    assert headline(result.data, lang)
    assert "{" not in headline(result.data, lang)
    table = own.tabled(result.data, lang)
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert all(isinstance(cell, str) for row in table.rows for cell in row)
    assert len(table.quiet) in (0, len(table.rows))
    assert own.picture(result, lang).to_dict()["$schema"]


def test_its_record_is_json_and_a_table_of_commas(study: str) -> None:
    result = found(study)
    assert json.loads(result.to_json()) == json.loads(json.dumps(result.data))
    rows = list(csv.DictReader(io.StringIO(result.to_csv())))
    assert len(rows) == len(result.rows) + len(result.data.get("groups", []))
    for name in ("schema", "study", "clean", "target", "thresholds", "noise_floor", "notes", "provenance"):
        assert name in result.data, name


SCHEMA = json.loads((ROOT / "docs" / "records.schema.json").read_text(encoding="utf-8"))


def test_its_record_is_what_the_schema_says(study: str) -> None:
    records = [found(study).data]
    if STUDIES[study].over:
        small = {"links": {"budget": 5}, "pairs": {"budget": 120}, "minimal": {"unit": "sentence"}}
        options = {"heads": {"control": 0, "cumulative": False}, **small}.get(study, {})
        base = preset("coffee-en").question()
        records.append(run_over(study, load_model("builtin"), questions_of("2", base), options).data)
    for record in records:
        jsonschema.validate(json.loads(json.dumps(record)), SCHEMA)
    broken = {**found(study).data, "noise_floor": "none"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA)


def test_its_command_line_makes_the_record_again(study: str) -> None:
    from click.testing import CliRunner

    from probes.commands.shared import Context

    words = shlex.split(found(study).data["provenance"]["command_line"])[1:]
    runner = CliRunner()
    with runner.isolated_filesystem():
        Path("passage.txt").write_text(QUESTION.passage.text, encoding="utf-8")
        made = runner.invoke(build("en"), [*words, "--json", "-"], obj=Context("en"), catch_exceptions=False)
    again = json.loads(made.stdout)
    first = json.loads(found(study).to_json())
    for record in (again, first):
        for name in ("provenance", "noise_floor", "preset"):
            record.pop(name, None)
            record.get("clean", {}).pop(name, None)
    assert list(_numbers(again)) == pytest.approx(list(_numbers(first)), abs=1e-4)
    assert _words(again) == _words(first)


def _leaves(value: Any) -> Iterator[Any]:
    inner = value.values() if isinstance(value, dict) else value
    for one in inner:
        if isinstance(one, (dict, list)):
            yield from _leaves(one)
        else:
            yield one


def _numbers(record: dict[str, Any]) -> Iterator[float]:
    return (leaf for leaf in _leaves(record) if isinstance(leaf, float))


def _words(record: dict[str, Any]) -> list[Any]:
    return [leaf for leaf in _leaves(record) if not isinstance(leaf, float)]


def test_a_stop_at_any_moment_loses_nothing(study: str, tmp_path: Path) -> None:
    """Stopped after its first round, its second, …, then left to end: as if it had never been stopped."""
    store, model = Store(tmp_path / "trials.sqlite"), load_model("builtin")
    options = OPTIONS.get(study, {})
    for rounds in range(1, 30):
        ended = iter(range(rounds))

        def stop(done: int, total: int, ended: Iterator[int] = ended) -> None:
            if done == total and next(ended, None) is None:
                raise KeyboardInterrupt

        try:
            run(study, model, QUESTION, options, store=store, on_progress=stop)
        except KeyboardInterrupt:
            continue
        break
    result = run(study, model, QUESTION, options, store=store)
    assert result.data["provenance"]["from_store"] == result.data["provenance"]["trials"]
    plain = found(study)
    assert [row.get("top") for row in result.rows] == [row.get("top") for row in plain.rows]
    for one, other in zip(result.rows, plain.rows, strict=True):
        nats = one.get("effect_log_prob"), other.get("effect_log_prob")
        assert nats[0] == pytest.approx(nats[1], abs=1e-4)


def test_a_model_that_lacks_what_it_needs_is_refused_before_anything_runs(study: str) -> None:
    class Answers:
        """A model that only answers, and must not be asked."""

        def __getattr__(self, name: str) -> Any:
            if name == "inside":
                raise AttributeError(name)
            raise AssertionError(f"{name} was asked for")

    if "inside" in STUDIES[study].needs:
        with pytest.raises(CapabilityError) as refused:
            run(study, Answers(), QUESTION, OPTIONS.get(study, {}))  # type: ignore[arg-type]
        assert refused.value.key == "inside_closed"


def test_its_runs_are_foreseen(study: str) -> None:
    model = load_model("builtin")
    words = len(QUESTION.passage.words)
    extent = Extent(words, words, 1, model.inside.geometry())
    foreseen = STUDIES[study].runs(extent, STUDIES[study].settings(OPTIONS.get(study, {})))
    data = found(study).data
    trials = data["provenance"]["trials"] - len(data.get("groups", ())) - 1
    assert trials <= foreseen + 2 or data.get("cumulative")


# ---- a stranger's study

MINIMAL = """
from probes.studies import Asking, Option, Study
from probes.studies.effects import answer_fields
from probes.asking.trials import Trial

ROUNDS = Option("rounds", "integer", 3, low=1, high=99)


def steps(asking: Asking):
    rows = []
    for word in asking.question.passage.words[: asking.settings["rounds"]]:
        (outcome,) = yield [Trial((word.span,))]
        rows.append({"text": word.text, **answer_fields(outcome.answers), **asking.effect(outcome)})
    return {"rows": rows}


STUDY = Study("firsts", (ROUNDS,), steps)
"""
TEXTS_OF_IT = """
[about]
en = "Takes the first words away, a word a round."
zh = "一轮一个，去掉最前面的几个词。"

[option_rounds]
en = "Rounds."
zh = "轮数。"
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with a study more and one that does not load; all else is this one's."""
    root = tmp_path_factory.mktemp("house")
    (root / "probes" / "studies").mkdir(parents=True)
    for folder in ("probes", "probes/studies"):
        for path in (ROOT / folder).iterdir():
            if path.name not in ("studies", "__pycache__"):
                (root / folder / path.name).symlink_to(path)
    (root / "probes" / "studies" / "firsts.py").write_text(MINIMAL, encoding="utf-8")
    (root / "probes" / "studies" / "firsts.toml").write_text(TEXTS_OF_IT, encoding="utf-8")
    (root / "probes" / "studies" / "odd.py").write_text("raise RuntimeError('of no use')\n", encoding="utf-8")
    return root


def crux(house: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(house), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "probes", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=house, env=environment, check=False, encoding="utf-8"
    )


def test_a_study_of_two_files_is_offered_and_a_broken_one_named(house: Path) -> None:
    told = crux(house, "--help", "--lang", "en")
    assert told.returncode == 0
    assert "firsts" in told.stdout
    assert "first words away" in told.stdout
    assert "odd (RuntimeError: of no use)" in " ".join(told.stdout.split())
    assert all(name in told.stdout for name in STUDIES)
    assert "Rounds." in crux(house, "firsts", "--help").stdout


def test_it_runs_in_rounds_and_is_told_plainly(house: Path) -> None:
    given = ("firsts", "--preset", "coffee-en", "--rounds", "4", "--no-cache")
    record = json.loads(crux(house, *given, "--json", "-").stdout)
    assert len(record["rows"]) == 4
    assert record["provenance"]["command_line"] == (
        "crux firsts --model builtin --preset coffee-en --rounds 4"
    )
    assert "moves the answer most" in record["headline"]
    shown = crux(house, *given).stdout
    assert "Yesterday" in shown
    assert crux(house, *given, "--csv", "-").stdout.count("\n") == 5
    assert crux(house, "odd", "--preset", "coffee-en").returncode != 0
