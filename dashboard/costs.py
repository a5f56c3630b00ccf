"""How many runs of a model a study will be: counted before it begins, from what decides it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from probes.question import Question, preset
from probes.sets import MOST_SWAPS, questions_of
from probes.studies import study_named
from probes.studies.heads import sizes_tried
from probes.studies.inside import block_places, head_places, repeats, size_of

if TYPE_CHECKING:
    from probes.models.local import LocalModel


def runs_of(study: str, model: LocalModel, question: Question, options: Mapping[str, Any]) -> int:
    """Runs at most, beside that of the passage as it stands; over a set those of all its passages.

    Args:
        options: of the study; `over` besides, where it is run over so many generated passages.
    """
    chosen = dict(options)
    size = int(chosen.pop("over", 0))
    settings = study_named(study).settings(chosen)
    if study == "words":
        units = len(model.units(question, settings["unit"]))
        return units * (1 + settings["control"])
    geometry = model.inside.geometry() if study != "ask" else {}
    if not size:
        swaps = 1 if settings.get("change") else len(question.swaps)
        return _of_one(study, settings, geometry, len(question.passage.words), swaps)
    if study not in ("links", "patch"):  # a passage's words do not matter
        return size * _of_one(study, settings, geometry, 0, 0)
    lengths = _words_of_set(question.language, size)
    return sum(_of_one(study, settings, geometry, words, MOST_SWAPS) for words in lengths)


def _of_one(
    study: str, settings: Mapping[str, Any], geometry: Mapping[str, Any], words: int, swaps: int
) -> int:
    if study == "ask":
        return size_of(settings) + repeats(settings) + int(settings["control"])
    if study == "lens":
        return 1
    if study == "attention":
        return words + 1
    if study == "layers":
        return size_of(settings) + len(block_places(geometry)) * repeats(settings)
    if study == "links":
        return 2 * words + min(words * (words - 1) // 2, int(settings["budget"]))
    if study == "patch":
        return swaps + _places(geometry, settings["site"]) * (words + 1)
    return _of_heads(settings, len(head_places(geometry)))


def _places(geometry: Mapping[str, Any], site: str) -> int:
    if site == "head":
        return len(head_places(geometry))
    if site == "block":
        return int(geometry["layers"])
    return sum(part == site for _, part in block_places(geometry))


def _of_heads(settings: Mapping[str, Any], heads: int) -> int:
    if settings["estimate"]:
        return size_of(settings) + 1
    runs = heads
    if settings["cumulative"] and heads:
        sizes = sizes_tried(heads)
        between = max((b - a for a, b in pairwise(sizes)), default=1) - 1
        runs += 2 * len(sizes) + between
    runs += int(settings["control"]) + 1 if settings["control"] and heads > 1 else 0
    return size_of(settings) + runs * repeats(settings)


@lru_cache(maxsize=16)
def _words_of_set(language: str, size: int) -> tuple[int, ...]:
    """Words of each generated passage; they are written by language alone, and it takes seconds."""
    base = preset("coffee-zh" if language == "zh" else "coffee-en").question()
    return tuple(len(question.passage.words) for question in questions_of(str(size), base))
