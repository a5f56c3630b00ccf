"""How many runs of a model a study will be: counted before it begins, from what decides it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from probes.asking.question import Question, preset
from probes.running import lecture
from probes.running.sets import MOST_SWAPS, questions_of
from probes.studies import Extent, study_named
from probes.studies.base import inside_of, opened

if TYPE_CHECKING:
    from probes.models.base import AnswerModel


def runs_of(name: str, model: AnswerModel, question: Question, options: Mapping[str, Any]) -> int:
    """Runs at most, beside that of the passage as it stands; over a set those of all its passages.

    Args:
        options: of the study; `over` besides, where it is run over so many generated passages.

    Raises:
        CapabilityError: it looks inside a model that cannot be opened.
    """
    chosen = dict(options)
    if name == "lecture":
        return lecture.runs_of(chosen.get("claims"))
    size = int(chosen.pop("over", 0))
    study = study_named(name)
    settings = study.settings(chosen)
    looks_inside = "inside" in study.needs or settings.get("ablate_heads")
    geometry = opened(model).geometry() if looks_inside else {}
    if size:
        lengths = _words_of_set(question.language, size)
        return sum(study.runs(Extent(n, n, MOST_SWAPS, geometry), settings) for n in lengths)
    words = len(question.passage.words)
    unit = settings.get("unit", "word")
    units = words if unit == "word" else len(model.units(question, unit))
    return study.runs(Extent(units, words, len(question.swaps), geometry), settings)


def geometry_of(model: AnswerModel) -> Mapping[str, Any]:
    """Layers and heads; {} of a model that cannot be opened."""
    inside = inside_of(model)
    return {} if inside is None else inside.geometry()


@lru_cache(maxsize=16)
def _words_of_set(language: str, size: int) -> tuple[int, ...]:
    """Words of each generated passage; they are written by language alone, and it takes seconds."""
    base = preset("coffee-zh" if language == "zh" else "coffee-en").question()
    return tuple(len(question.passage.words) for question in questions_of(str(size), base))
