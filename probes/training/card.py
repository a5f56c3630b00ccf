"""The built-in model's card, written from its figures: `python -m probes.training.card`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from probes.locale import say
from probes.training.cases import Figure, figure

HERE = Path(__file__).parent
HOUSE = HERE.parent / "models" / "builtin"
LANGUAGES = ("en", "zh")
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
    if "by hand" in figures:
        found.append(Row("by_hand", 0.85, {each: figures["by hand"][each][0] for each in LANGUAGES}))
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


def table(figures: Mapping[str, Any]) -> str:
    """The card's table as Markdown: goal and measured figure, a row each."""
    lines = ["| | goal | English | Chinese |", "|---|---|---|---|"]
    for row in rows(figures):
        cells = [say(f"card.{row.key}", "en"), row.wanted, *map(row.measured, LANGUAGES)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def references(figures: Mapping[str, Any]) -> str:
    """What the coffee-shop passages' answers hang on, English and Chinese."""
    return "\n\n".join(reference(figures, name) for name in ("coffee-en", "coffee-zh"))


def reference(figures: Mapping[str, Any], name: str) -> str:
    """What a coffee-shop passage's answer hangs on, in one sentence for each way of taking words away."""
    entry = figures["reference"][name]
    lines = [f"`{name}`: P = {entry['probability']:.3f}."]
    for mode in ("delete", "hide", "replace"):
        moved = [row["word"] for row in entry["words"] if row[mode][0] != entry["answer"]]
        label, chance = entry["all noise"][mode]
        words = ", ".join(moved) or "no word"
        together = f"without all noise words at once it is {label} (P(1) = {chance:.3f})"
        lines.append(f"- {mode}: the answer moves without {words}; {together}.")
    return "\n".join(lines)


def another(run: Mapping[str, Any]) -> str:
    """The run with another seed: where it comes from, its table, its reference passages and heads."""
    figures = run["figures"]
    matter, needed = (figures["heads"][f"heads {kind}"] for kind in ("that matter", "needed together"))
    where = "\n".join(f"- {key}: {value}" for key, value in run["origin"].items())
    heads = f"Heads: {matter} matter, {needed} are needed together."
    return "\n\n".join([where, table(figures), references(figures), heads])


def card(figures: Mapping[str, Any], origin: Mapping[str, Any], run: Mapping[str, Any], notes: str) -> str:
    """The whole card: the template, the figures, where the weights come from, and a person's notes.

    `run` is the training with another seed: its `figures` and its `origin`.
    """
    template = (HERE / "card.md").read_text(encoding="utf-8")
    heads = figures["heads"]
    values = {
        "another": another(run),
        "table": table(figures),
        "passages": str(figures["passages"]),
        "reference": references(figures),
        "matter": str(heads["heads that matter"]),
        "needed": str(heads["heads needed together"]),
        "heads": str(len(heads["without"])),
        "origin": "\n".join(f"| {key} | {value} |" for key, value in origin.items()),
        "notes": notes.strip(),
    }
    for key, value in values.items():
        template = template.replace(f"[[{key}]]", value)
    return template


def main() -> None:
    """Write MODEL_CARD.md beside the weights, from figures, origins and card_notes.md; print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=HOUSE)
    parser.add_argument(
        "--another", type=Path, help="folder of a run with another seed, measured; its figures are kept"
    )
    options = parser.parse_args()
    folder = options.model
    if options.another:
        run = {name: _read(options.another, name) for name in ("origin", "figures")}
        text = json.dumps(run, ensure_ascii=False, indent=1)
        (folder / "another_seed.json").write_text(text + "\n", encoding="utf-8")
    figures, origin, run = (_read(folder, name) for name in ("figures", "origin", "another_seed"))
    notes = (HERE / "card_notes.md").read_text(encoding="utf-8")
    (folder / "MODEL_CARD.md").write_text(card(figures, origin, run, notes), encoding="utf-8")
    click.echo(table(figures))


def _read(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
