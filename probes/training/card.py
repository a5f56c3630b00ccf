"""The built-in model's card, written from its figures: `python -m probes.training.card`."""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from probes.asking.question import preset
from probes.locale import say
from probes.numbers import which
from probes.training.cases import BY_HAND, LANGUAGES, Figure, figure
from probes.training.pieces import pieces

HERE = Path(__file__).parent
HOUSE = HERE.parent / "models" / "builtin"
PLACE = re.compile(r"\[\[([a-z ]+)\]\]")
"""A place of the template: `[[table zh]]`."""
ANOTHER = re.compile(r"\[\[begin another\]\]\n(.*?)\[\[end another\]\]\n", re.DOTALL)
"""What the card says of a run with another seed."""
GOALS = {
    "new passages": 0.99,
    "words deleted": 0.97,
    "words hidden": 0.97,
    "words replaced": 0.97,
    "questions that are no counts": 0.95,
    "held-out frames": 0.90,
    "held-out places": 0.95,
    "held-out verbs": 0.85,
    "everything held out": 0.70,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the card: `key` names it in the texts (card.toml), `figures` has one for each language.

    `sign` is ">=" or "<=", how a figure's share is to stand to `goal`.
    """

    key: str
    goal: float
    figures: dict[str, Figure]
    sign: str = ">="
    unit: str = "percent"

    def reached(self, language: str) -> bool:
        """Whether the figure stands to the goal as it should; not the ends of its interval."""
        share = self.figures[language]["share"]
        return share is not None and (share >= self.goal if self.sign == ">=" else share <= self.goal)

    @property
    def wanted(self) -> str:
        """The goal as the card writes it: "≥ 99"."""
        if self.unit == "of":
            return " / ".join([str(next(iter(self.figures.values()))["of"])] * 2)
        goal = f"{100 * self.goal:g}" if self.unit != "share" else f"{self.goal:g}"
        return {">=": "≥", "<=": "≤"}[self.sign] + f" {goal}"

    def measured(self, language: str) -> str:
        """The figure as the card writes it, with its interval: "93.2 (90.6–95.1)"."""
        figure = self.figures[language]
        if figure["share"] is None:
            return "–"
        if self.unit == "share":
            return f"{figure['share']:.3f}"
        if self.unit == "of":
            return f"{figure['right']} / {figure['of']}"
        return f"{100 * figure['share']:.1f} ({100 * figure['low']:.1f}–{100 * figure['high']:.1f})"


def rows(figures: Mapping[str, Any]) -> list[Row]:
    """Every line of the card, from what :func:`probes.training.measure.measure` found."""
    found = [Row(_key(name), goal, figures["rows"][name]) for name, goal in GOALS.items()]
    truth = figures["leave one out"]
    for name, goal, sign in (("key words found", 0.97, ">="), ("other words that flip", 0.005, "<=")):
        found.append(Row(_key(name), goal, {each: truth[each][name] for each in LANGUAGES}, sign))
    told = [name for name in BY_HAND if name in figures]
    found += [Row(_key(name), 0.85, {each: figures[name][each][0] for each in LANGUAGES}) for name in told]
    errors = {each: {"share": figures["calibration error"][each]} for each in LANGUAGES}
    found.append(Row("calibration_error", 0.05, errors, "<=", "share"))
    presets = {each: _presets(figures["presets"], each) for each in LANGUAGES}
    found.append(Row("presets", 1.0, presets, ">=", "of"))
    return found


def _key(name: str) -> str:
    return name.replace(" ", "_").replace("-", "_")


def _presets(answers: Mapping[str, Any], language: str) -> Figure:
    mine = [one for name, one in answers.items() if name.endswith(language)]
    return figure(sum(one["answer"] == one["right"] for one in mine), len(mine))


def table(figures: Mapping[str, Any], lang: str = "en") -> str:
    """The card's table as Markdown, told in `lang`: goal and measured figure, a row each."""
    heads = ["", *(say(f"cli.col_{name}", lang) for name in ("goal", *LANGUAGES))]
    lines = [heads, ["---"] * len(heads)]
    lines += [
        [say(f"card.{row.key}", lang), row.wanted, *map(row.measured, LANGUAGES)] for row in rows(figures)
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def references(figures: Mapping[str, Any], lang: str) -> str:
    """What the coffee-shop passages' answers hang on, that of the reader's language first."""
    return "\n\n".join(
        reference(figures, f"coffee-{each}", lang) for each in sorted(LANGUAGES, key=lang.__ne__)
    )


def reference(figures: Mapping[str, Any], name: str, lang: str) -> str:
    """What a coffee-shop passage's answer hangs on, in one sentence for each way of taking words away."""
    entry = figures["reference"][name]
    words = list(zip(preset(name).passage.words, entry["words"], strict=True))
    lines = [say("card.reference", lang, name=name, chance=_chance(entry["probability"]))]
    for mode in ("delete", "hide", "replace"):
        moved = [
            word.text + which(word.occurrence, word.occurrences)
            for word, row in words
            if row[mode][0] != entry["answer"]
        ]
        label, chance = entry["all noise"][mode]
        told = {"mode": say(f"card.{mode}", lang), "label": label, "chance": _chance(chance)}
        told["words"] = say("card.comma", lang).join(moved) or say("card.no_word", lang)
        lines.append("- " + say("card.moved", lang, **told))
    return "\n".join(lines)


def _chance(share: float) -> str:
    return "> 0.999" if share > 0.999 else f"= {share:.3f}"


def _heads(figures: Mapping[str, Any], lang: str) -> str:
    found = figures["heads"]
    counts = {"all": len(found["without"]), "matter": found["heads that matter"]}
    return say("card.heads", lang, **counts, needed=found["heads needed together"])


def _made(origin: Mapping[str, Any], lang: str) -> str:
    return "\n".join(
        f"| {say(f'card.{_key(name).lower()}', lang)} | {value} |" for name, value in origin.items()
    )


def _measured(figures: Mapping[str, Any], origin: Mapping[str, Any], lang: str) -> dict[str, str]:
    """What a run's figures and origin say, for the template's places."""
    return {
        "origin": _made(origin, lang),
        "table": table(figures, lang),
        "reference": references(figures, lang),
        "heads": _heads(figures, lang),
    }


def card(
    figures: Mapping[str, Any],
    origin: Mapping[str, Any],
    run: Mapping[str, Any] | None,
    notes: Mapping[str, Any],
) -> str:
    """The whole card in both languages: the template, the figures, where the weights come from, the limits.

    `run` is the training with another seed, its `figures` and its `origin`; its section is left out where
    there is none. `notes` are what a person says
    of the weights (card_notes.toml): limits in both languages, and what was tried, in English.
    """
    text = (HERE / "card.md").read_text(encoding="utf-8")
    told = sum(len(pieces(language)) for language in LANGUAGES)
    values = {
        "passages": str(figures["passages"]),
        "pieces": f"{told:,}",
        "tried": notes["tried"]["en"].strip(),
    }
    for lang in LANGUAGES:
        found = _measured(figures, origin, lang)
        again = _measured(run["figures"], run["origin"], lang) if run else {}
        values |= {f"{place} {lang}": value for place, value in found.items()}
        values |= {f"another {place} {lang}": value for place, value in again.items()}
        limits = [limit[lang].strip().replace("\n", "\n  ") for limit in notes["limit"]]
        values[f"limits {lang}"] = "\n".join(f"* {limit}" for limit in limits)
    text = ANOTHER.sub(lambda part: part[1] if run else "", text)
    return PLACE.sub(lambda place: values[place[1]], text)


def main() -> None:
    """Write MODEL_CARD.md beside the weights, from figures, origins and card_notes.toml; print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=HOUSE)
    parser.add_argument(
        "--another", type=Path, help="folder of a run with another seed, measured; its figures are kept"
    )
    options = parser.parse_args()
    folder = options.model
    if options.another:
        kept = {name: _read(options.another, name) for name in ("origin", "figures")}
        text = json.dumps(kept, ensure_ascii=False, indent=1)
        (folder / "another_seed.json").write_text(text + "\n", encoding="utf-8")
    figures, origin = (_read(folder, name) for name in ("figures", "origin"))
    run = _read(folder, "another_seed") if (folder / "another_seed.json").exists() else None
    notes = tomllib.loads((HERE / "card_notes.toml").read_text(encoding="utf-8"))
    (folder / "MODEL_CARD.md").write_text(card(figures, origin, run, notes), encoding="utf-8")
    click.echo(table(figures))


def _read(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
