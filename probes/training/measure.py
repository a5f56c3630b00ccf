"""Every figure of the built-in model's card, with intervals: `python -m probes.training.measure`."""

from __future__ import annotations

import argparse
import json
import logging
import random
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from probes.asking.question import preset, presets
from probes.asking.trials import Mode, Trial
from probes.generator.alterations import Alteration, apply
from probes.generator.compose import Composer
from probes.generator.lexicon import TRAIN, Splits, Tables
from probes.generator.questions import queries
from probes.generator.roles import Role, roles
from probes.generator.story import Story
from probes.training.cases import (
    BY_HAND,
    LANGUAGES,
    ROWS,
    Figure,
    accuracy,
    calibration_error,
    case,
    cases,
    figure,
)
from probes.training.heads import head_table
from probes.training.scoring import Item, Scorer, best

Progress = Callable[[int, int], None]
log = logging.getLogger(__name__)
SEED = 90_000_000
"""Far from every seed of training."""
HEAD_PASSAGES = 200
"""A language, for the ablation of heads."""
SURE = 0.9
WRONG = 40
"""Of passages answered wrongly, so many are written down."""


def leave_one_out(
    scorer: Scorer, language: str, number: int, seed: int, splits: Splits = TRAIN
) -> dict[str, Figure]:
    """Key words whose deletion brings the right new answer, and other words whose deletion changes it."""
    composer, rng = Composer(language, seed, splits), random.Random(seed)
    found = missed = wrong = kept = 0
    for _ in range(number):
        story = composer.story(2)
        query = queries(story, composer.tables, rng)[0]
        spans = [(span, role) for span, role in roles(story, query).items() if role != Role.OPEN]
        made = [case(story, query), *(case(story, query, Alteration(Trial((span,)))) for span, _ in spans)]
        labels = [best(chances) for chances in scorer.probabilities([c.item for c in made if c])]
        base = labels[0]
        if made[0] is None or base != made[0].right:
            continue
        for (_, role), one, label in zip(spans, made[1:], labels[1:], strict=True):
            assert one is not None
            if role == Role.KEY:
                found, missed = found + (label == one.right), missed + (label != one.right)
            else:
                wrong, kept = wrong + (label != base), kept + (label == base)
    return {
        "key words found": figure(found, found + missed),
        "other words that flip": figure(wrong, wrong + kept),
    }


def asked_presets(scorer: Scorer) -> dict[str, dict[str, Any]]:
    """Every preset with a right answer: what is answered, and how likely."""
    found = {}
    for name in presets():
        entry = preset(name)
        if entry.right is None:
            continue
        chances = scorer.probabilities(
            [Item(entry.text, entry.ask, entry.language, _counts(entry.language))]
        )[0]
        found[name] = {
            "right": entry.right,
            "answer": best(chances),
            "probability": chances.get(entry.right, 0.0),
        }
    return found


def _counts(language: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(n), string) for n, string in enumerate(Tables(language).count_answers))


def reference(scorer: Scorer, name: str) -> dict[str, Any]:
    """A preset's leave-one-out by a plain loop, in every mode; and all its noise words at once."""
    entry = preset(name)
    passage, strings = entry.passage, _counts(entry.language)
    words = [unit.span for unit in passage.words]
    noise = sorted(
        span
        for span in words
        if any(a <= span[0] and span[1] <= b for a, b in entry.roles(passage).get("noise", ()))
    )
    story = Story(entry.language, text=passage.text)
    trials = [Trial()] + [
        Trial((span,), mode) for span in words for mode in (Mode.DELETE, Mode.HIDE, Mode.REPLACE)
    ]
    trials += [Trial(tuple(noise), mode) for mode in (Mode.DELETE, Mode.HIDE, Mode.REPLACE)]
    items = []
    for trial in trials:
        trial = Trial(trial.spans, trial.mode, "[MASK]") if trial.mode == Mode.REPLACE else trial
        edited = apply(story, Alteration(trial))
        items.append(Item(edited.text, entry.ask, entry.language, strings, edited.hidden))
    chances = scorer.probabilities(items)
    right = entry.right or ""
    table = [
        {
            "word": passage.text[slice(*span)],
            **{
                mode: [best(c), round(c[right], 4)]
                for mode, c in zip(("delete", "hide", "replace"), three, strict=True)
            },
        }
        for span, three in zip(
            words, (chances[1 + 3 * i : 4 + 3 * i] for i in range(len(words))), strict=True
        )
    ]
    together = {
        mode: [best(c), round(c[right], 4)]
        for mode, c in zip(("delete", "hide", "replace"), chances[-3:], strict=True)
    }
    return {
        "probability": chances[0][right],
        "answer": best(chances[0]),
        "words": table,
        "all noise": together,
    }


def handwritten(scorer: Scorer, path: Path) -> tuple[Figure, list[str], Figure]:
    """Passages of a TOML file: how many are answered right, those that are not (the first WRONG of them), and
    how many are right of those answered at P > 0.9."""
    language = path.stem.rpartition("_")[2]
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["passage"]
    items = [
        Item(
            e["text"],
            e["question"],
            language,
            tuple((c, f" {c}" if language == "en" else c) for c in e["candidates"])
            if "candidates" in e
            else _counts(language),
        )
        for e in entries
    ]
    chances = scorer.probabilities(items)
    wrong = [
        f"{e['text']} {e['question']} right: {e['right']}, answered: {best(c)}"
        for e, c in zip(entries, chances, strict=True)
        if best(c) != e["right"]
    ]
    sure = [best(c) == e["right"] for e, c in zip(entries, chances, strict=True) if max(c.values()) > SURE]
    return figure(len(entries) - len(wrong), len(entries)), wrong[:WRONG], figure(sum(sure), len(sure))


def measure(
    scorer: Scorer,
    number: int,
    truths: int,
    seed: int = SEED,
    by_hand: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """All figures of the card, as JSON can hold them.

    Args:
        scorer: the model.
        number: passages a row and language.
        truths: passages a language whose every word is left out.
        seed: of the passages; another one gives others.
        by_hand: a folder with the files of `BY_HAND`, such as handwritten_en.toml and free_zh.toml.
        progress: told how many of how many steps are done.
    """
    result: dict[str, Any] = {"passages": number, "seed": seed, "rows": {}, "calibration error": {}}
    steps = [
        *(partial(_row, scorer, name, language, result, number) for name in ROWS for language in LANGUAGES),
        *(partial(_truth, scorer, language, result, truths) for language in LANGUAGES),
        partial(_fixed, scorer, result, number, by_hand),
    ]
    for done, step in enumerate(steps):
        progress(done, len(steps))
        step(seed)
    return result


def _row(scorer: Scorer, name: str, language: str, result: dict[str, Any], number: int, seed: int) -> None:
    found, sure = accuracy(scorer, ROWS[name](language, number, seed))
    result["rows"].setdefault(name, {})[language] = found
    if name == "new passages":
        result["calibration error"][language] = calibration_error(sure)
    log.info("%s %s %.4f", name, language, found["share"])


def _truth(scorer: Scorer, language: str, result: dict[str, Any], truths: int, seed: int) -> None:
    result.setdefault("leave one out", {})[language] = leave_one_out(scorer, language, truths, seed + 11)


def _fixed(scorer: Scorer, result: dict[str, Any], number: int, by_hand: Path | None, seed: int) -> None:
    """What hangs on no number of passages: presets, reference passages, heads, passages by hand."""
    result["presets"] = asked_presets(scorer)
    result["reference"] = {name: reference(scorer, name) for name in ("coffee-zh", "coffee-en")}
    asked = [one for language in LANGUAGES for one in cases(language, min(number, HEAD_PASSAGES), seed + 12)]
    result["heads"] = head_table(scorer, asked)
    if by_hand is not None:
        for row, file in BY_HAND.items():
            result[row] = {
                language: handwritten(scorer, by_hand / f"{file}_{language}.toml") for language in LANGUAGES
            }


def main() -> None:
    """Measure a model folder and write its figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path(__file__).parent.parent / "models" / "builtin")
    parser.add_argument("--number", type=int, default=2000, help="passages a row and language")
    parser.add_argument("--truths", type=int, default=300, help="passages whose every word is left out")
    parser.add_argument(
        "--by-hand", type=Path, help="folder of passages that people wrote, such as free_en.toml"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, help="where the figures are written; the log otherwise")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    found = measure(Scorer(options.model), options.number, options.truths, options.seed, options.by_hand)
    text = json.dumps(found, ensure_ascii=False, indent=1)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    else:
        log.info("%s", text)


if __name__ == "__main__":
    main()
