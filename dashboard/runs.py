"""What is run for a request, and how many runs of a model that will be: counted before it begins.

A request names a study, of the passage on show or over a set of generated ones; `OTHERS` are records that no
single study makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from probes.asking.question import Question, preset
from probes.record.results import ProbeResult
from probes.running.sets import MOST_SWAPS, questions_of
from probes.studies import Extent, study_named
from probes.studies.base import inside_of, opened

if TYPE_CHECKING:
    from probes.models.base import AnswerModel

Ways = Mapping[str, Any]
"""Store and callbacks, as `probes.run` takes them."""


class Request(Protocol):
    """One way to a record."""

    def part(self, name: str) -> float:
        """How much of the model one of its runs is, about."""

    def runs(self, name: str, model: AnswerModel, question: Question, options: Mapping[str, Any]) -> int:
        """Runs at most, beside that of the passage as it stands."""

    def run(
        self, name: str, model: AnswerModel, question: Question, options: Mapping[str, Any], ways: Ways
    ) -> ProbeResult:
        """The record."""


class OneStudy:
    """A study of the passage on show."""

    def part(self, name: str) -> float:
        return study_named(name).part

    def runs(self, name: str, model: AnswerModel, question: Question, options: Mapping[str, Any]) -> int:
        study = study_named(name)
        settings = study.settings(options)
        words, unit = len(question.passage.words), settings.get("unit", "word")
        units = words if unit == "word" else len(model.units(question, unit))
        return study.runs(
            Extent(units, words, len(question.swaps), _geometry(study, model, settings)), settings
        )

    def run(
        self, name: str, model: AnswerModel, question: Question, options: Mapping[str, Any], ways: Ways
    ) -> ProbeResult:
        from probes import run

        return run(name, model, question, options, **ways)


class OverPassages(OneStudy):
    """The same over a set of generated passages; the option `over` says how many."""

    def runs(self, name: str, model: AnswerModel, question: Question, options: Mapping[str, Any]) -> int:
        chosen = dict(options)
        size, study = int(chosen.pop("over")), study_named(name)
        settings = study.settings(chosen)
        geometry = _geometry(study, model, settings)
        lengths = _words_of_set(question.language, size)
        return sum(study.runs(Extent(n, n, MOST_SWAPS, geometry), settings) for n in lengths)

    def run(
        self, name: str, model: AnswerModel, question: Question, options: Mapping[str, Any], ways: Ways
    ) -> ProbeResult:
        from probes.running.over import run_over

        options = dict(options)
        source = str(options.pop("over"))
        chosen = questions_of(source, question)
        named = {name for answer in chosen[0].answers.answers for name in (answer.label, answer.name)}
        if not set(str(options.get("target", "top")).split(":")) <= named | {"top", "right"}:
            # An answer of the visitor's own question, which these passages do not have.
            options["target"] = "top"
        given = {key: way for key, way in ways.items() if key != "on_outcome"}
        return run_over(name, model, chosen, options, source=source, base=question, **given)


class Lecture:
    """Claims of the lecture, measured first on the passage on show."""

    def part(self, name: str) -> float:
        return 1.0

    def runs(self, name: str, model: AnswerModel, question: Question, options: Mapping[str, Any]) -> int:
        from probes.running import lecture

        return lecture.runs_of(options.get("claims"))

    def run(
        self, name: str, model: AnswerModel, question: Question, options: Mapping[str, Any], ways: Ways
    ) -> ProbeResult:
        from probes.running.lecture import lecture

        language = "zh" if question.language == "zh" else "en"
        given = {key: way for key, way in ways.items() if key != "on_outcome"}
        return lecture(model, language=language, question=question, claims=options["claims"], **given)


OTHERS: Mapping[str, Request] = {"lecture": Lecture()}
"""Records that no single study makes, by their name."""
_ONE, _OVER = OneStudy(), OverPassages()


def request_of(name: str, options: Mapping[str, Any]) -> Request:
    """How the record called `name` is made."""
    return OTHERS.get(name) or (_OVER if "over" in options else _ONE)


def runs_of(name: str, model: AnswerModel, question: Question, options: Mapping[str, Any]) -> int:
    """Runs at most, beside that of the passage as it stands; over a set those of all its passages.

    Args:
        options: of the study; `over` besides, where it is run over so many generated passages.

    Raises:
        CapabilityError: it looks inside a model that cannot be opened.
    """
    return request_of(name, options).runs(name, model, question, options)


def _geometry(study: Any, model: AnswerModel, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    looks_inside = "inside" in study.needs or settings.get("ablate_heads")
    found: Mapping[str, Any] = opened(model).geometry() if looks_inside else {}
    return found


def geometry_of(model: AnswerModel) -> Mapping[str, Any]:
    """Layers and heads; {} of a model that cannot be opened."""
    inside = inside_of(model)
    return {} if inside is None else inside.geometry()


@lru_cache(maxsize=16)
def _words_of_set(language: str, size: int) -> tuple[int, ...]:
    """Words of each generated passage; they are written by language alone, and it takes seconds."""
    base = preset("coffee-zh" if language == "zh" else "coffee-en").question()
    return tuple(len(question.passage.words) for question in questions_of(str(size), base))
