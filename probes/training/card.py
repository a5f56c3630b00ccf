"""The built-in model's card, written from its figures: `python -m probes.training.card`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HOUSE = HERE.parent / "models" / "builtin"
GOALS = {
    "new passages": ("new passages, training frames and words", 0.99),
    "words deleted": ("the same after random words are deleted", 0.97),
    "words hidden": ("… hidden by attention knockout", 0.97),
    "words replaced": ("… replaced", 0.97),
    "questions that are no counts": ("questions that are no counts", 0.95),
    "held-out frames": ("held-out frames, known words", 0.90),
    "held-out places": ("held-out places in known frames", 0.95),
    "held-out verbs": ("held-out arrival verbs", 0.85),
    "everything held out": ("everything held out at once", 0.70),
}
LANGUAGES = ("en", "zh")


def percent(figure: Mapping[str, Any]) -> str:
    """A share with its interval, in per cent."""
    if not figure["of"]:
        return "–"
    return f"{100 * figure['share']:.1f} ({100 * figure['low']:.1f}–{100 * figure['high']:.1f})"


def _row(name: str, goal: str, cells: list[str]) -> str:
    return f"| {name} | {goal} | {' | '.join(cells)} |"


def table(figures: Mapping[str, Any]) -> str:
    """The card's table as Markdown: goal and measured figure, a row each."""
    lines = ["| | goal | English | Chinese |", "|---|---|---|---|"]
    for key, (name, goal) in GOALS.items():
        cells = [percent(figures["rows"][key][language]) for language in LANGUAGES]
        lines.append(_row(name, f"≥ {100 * goal:.0f}", cells))
    truth = figures["leave one out"]
    for key, wanted in (("key words found", "≥ 97"), ("other words that flip", "≤ 0.5")):
        lines.append(
            _row(f"leave-one-out: {key}", wanted, [percent(truth[language][key]) for language in LANGUAGES])
        )
    if "by hand" in figures:
        cells = [percent(figures["by hand"][language][0]) for language in LANGUAGES]
        lines.append(_row("60 passages written by hand", "≥ 85", cells))
    errors = [f"{figures['calibration error'][language]:.3f}" for language in LANGUAGES]
    lines.append(_row("expected calibration error, new passages", "≤ 0.05", errors))
    right = {
        language: [one for name, one in figures["presets"].items() if name.endswith(language)]
        for language in LANGUAGES
    }
    cells = [
        f"{sum(one['answer'] == one['right'] for one in right[language])} of {len(right[language])}"
        for language in LANGUAGES
    ]
    lines.append(_row("presets answered right", "all", cells))
    return "\n".join(lines)


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


def card(figures: Mapping[str, Any], origin: Mapping[str, Any], notes: str) -> str:
    """The whole card: the template, the figures, where the weights come from, and a person's notes."""
    template = (HERE / "card.md").read_text(encoding="utf-8")
    heads = figures["heads"]
    values = {
        "table": table(figures),
        "passages": str(figures["passages"]),
        "reference": "\n\n".join(reference(figures, name) for name in ("coffee-en", "coffee-zh")),
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
    """Write MODEL_CARD.md beside the weights, from figures.json and origin.json there and card_notes.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=HOUSE)
    folder = parser.parse_args().model
    figures, origin = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ("figures", "origin")
    )
    notes = (HERE / "card_notes.md").read_text(encoding="utf-8")
    (folder / "MODEL_CARD.md").write_text(card(figures, origin, notes), encoding="utf-8")


if __name__ == "__main__":
    main()
