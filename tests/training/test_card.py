"""The card: its rows are its figures, and anybody can measure them again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from probes.cli import main
from probes.locale import LANGUAGES, say
from probes.training import card
from probes.training.card import reference, rows, table
from probes.training.cases import BY_HAND

BUILTIN = Path(__file__).parents[2] / "probes" / "models" / "builtin"
CARD = BUILTIN / "MODEL_CARD.md"


def shipped(name: str) -> dict[str, Any]:
    """What stands beside the weights under this name."""
    found: dict[str, Any] = json.loads((BUILTIN / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    return shipped("figures")


def call(*words: str) -> int:
    """Run in this process; the exit code."""
    try:
        main(["models", "check", *words])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture(scope="module")
def parts() -> dict[str, str]:
    """The card that ships, in each language."""
    english, chinese = re.split(r"^# .*\n", CARD.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {"en": english, "zh": chinese}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_card_that_ships_shows_the_figures_that_ship(
    figures: dict[str, Any], parts: dict[str, str], lang: str
) -> None:
    assert table(figures, lang) in parts[lang]
    for value in shipped("origin").values():
        assert f"| {value} |" in parts[lang]


def test_what_ships_is_stock_small_and_has_heads_to_probe() -> None:
    config = shipped("config")
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert "auto_map" not in config
    assert min(config["num_hidden_layers"], config["num_attention_heads"]) >= 4
    assert config["max_position_embeddings"] >= 512
    assert (BUILTIN / "model.safetensors").stat().st_size <= 12e6


def test_the_card_has_the_same_rooms_in_both_languages(parts: dict[str, str]) -> None:
    for sign in ("## ", "| ", "- "):
        assert len({part.count(f"\n{sign}") for part in parts.values()}) == 1, sign
    limits = [part.split("\n## ")[3].count("\n* ") for part in parts.values()]
    assert limits[0] == limits[1] > 3


def test_the_card_says_which_of_equal_words_the_answer_hangs_on(
    figures: dict[str, Any], parts: dict[str, str]
) -> None:
    for name, walked in (
        ("coffee-en", ["walked", "into", "coffee²", "shop²"]),
        ("coffee-zh", ["走进", "咖啡店²"]),
    ):
        told = reference(figures, name, name[-2:])
        assert told in parts[name[-2:]]
        for word in walked:
            assert told.count(word) == 3


def test_the_run_with_another_seed_is_by_the_same_code_and_on_the_card(figures: dict[str, Any]) -> None:
    """Where one ships: a run of other code would say nothing of the seed."""
    if not (BUILTIN / "another_seed.json").exists():
        assert "another_seed" not in CARD.read_text(encoding="utf-8")
        return
    run, origin = shipped("another_seed"), shipped("origin")
    hashed = "SHA-256 of the code and data"
    assert run["origin"][hashed] == origin[hashed]
    plans = [re.sub(r"\d+ steps|seed \d+", "", each["made by"]) for each in (run["origin"], origin)]
    assert plans[0] == plans[1]
    assert run["origin"]["made by"] != origin["made by"]
    assert table(run["figures"], "en") in CARD.read_text(encoding="utf-8")
    assert all(run["figures"][key] == figures[key] for key in ("passages", "seed"))


def test_the_card_is_written_from_a_run_and_another_and_its_table_printed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    figures: dict[str, Any],
) -> None:
    for folder, mine in (("one", "once"), ("two", "again")):
        (tmp_path / folder).mkdir()
        changed = {**figures, "passages": 7 if folder == "one" else 8}
        for name, kept in (("figures", changed), ("origin", {"made by": mine})):
            (tmp_path / folder / f"{name}.json").write_text(json.dumps(kept), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["card", "--model", str(tmp_path / "one")])
    card.main()
    alone = (tmp_path / "one" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Another seed" not in alone
    assert "[[" not in alone
    capsys.readouterr()
    words = ["card", "--model", str(tmp_path / "one"), "--another", str(tmp_path / "two")]
    monkeypatch.setattr("sys.argv", words)
    card.main()
    kept = json.loads((tmp_path / "one" / "another_seed.json").read_text(encoding="utf-8"))
    assert kept["origin"] == {"made by": "again"}
    assert kept["figures"]["passages"] == 8
    text = (tmp_path / "one" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| made by | once |" in text
    assert "| made by | again |" in text
    assert "| 制作命令 | again |" in text
    assert ", 7 new passages a cell" in text
    assert "[[" not in text
    assert capsys.readouterr().out.strip() == table(figures)


def test_every_row_has_a_name_in_both_languages_and_knows_its_goal(figures: dict[str, Any]) -> None:
    for row in rows(figures):
        assert len({say(f"card.{row.key}", lang) for lang in LANGUAGES}) == 2
        for lang in LANGUAGES:
            row.figures[lang] = {**row.figures[lang], "share": row.goal}
            assert row.reached(lang)
            row.figures[lang]["share"] = 0.0 if row.sign == ">=" else 1.0
            assert not row.reached(lang)


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch, figures: dict[str, Any]) -> list[tuple[int, int]]:
    """The figures that ship, in place of measuring them for minutes; what was asked for is noted."""
    asked: list[tuple[int, int]] = []

    def measure(scorer: Any, number: int, truths: int, **rest: Any) -> dict[str, Any]:
        assert scorer.model.config.model_type == "llama"
        asked.append((number, truths))
        return {key: value for key, value in figures.items() if key not in BY_HAND}

    monkeypatch.setattr("probes.training.measure.measure", measure)
    return asked


def test_the_command_measures_as_many_passages_as_it_is_told(
    few_steps: list[tuple[int, int]], capsys: pytest.CaptureFixture[str], figures: dict[str, Any]
) -> None:
    assert call("--card", "--passages", "40", "--json") == 0
    assert few_steps == [(40, 3)]
    entries = json.loads(capsys.readouterr().out)
    first = figures["rows"]["new passages"]["en"]
    assert entries[0] == {
        "row": "new_passages",
        "language": "en",
        "goal": 0.99,
        "sign": ">=",
        "measured": first["share"],
        "interval": [first["low"], first["high"]],
        "of": first["of"],
        "reached": first["share"] >= 0.99,
    }
    assert call("--card", "--lang", "zh") == 0
    shown = capsys.readouterr()
    assert "没见过的句式" in shown.out
    assert "200" in shown.err


def test_a_model_that_training_did_not_make_has_no_card(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("smollm2", "--card") == 2
    assert "builtin" in capsys.readouterr().err
