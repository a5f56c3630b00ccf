"""What a study is: a generator that says what to try, is given the outcomes, and returns a record's body."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from probes.asking.interventions import Site
from probes.asking.question import Question
from probes.asking.readings import Reading
from probes.asking.trials import Mode, Trial
from probes.errors import CapabilityError, InputError
from probes.locale import TEXTS, say
from probes.models.base import AnswerModel, Outcome
from probes.numbers import shortened
from probes.studies import plain
from probes.studies.columns import Table
from probes.studies.effects import Target, effect_of
from probes.studies.over_telling import Over, over_sentence, over_table
from probes.text.characters import check_unicode
from probes.text.passage import Unit

Steps = Generator[Sequence[Trial | Reading], list[Any], dict[str, Any]]
"""Yields what to try and what to read, beside the passage as it stands; is sent an outcome, or what was read,
for each.
"""
if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

Record = Mapping[str, Any]
Need = Literal["tokens", "inside"]
Kind = Literal["text", "choice", "integer", "number", "flag"]


@dataclass(frozen=True)
class Option:
    """One thing a study can be told. The command line and the page are drawn from it.

    Its help is the text `options.<name>` in both languages.
    """

    name: str
    kind: Kind
    default: Any
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    def checked(self, value: Any) -> Any:
        """`value` as this option's type.

        Raises:
            InputError: it is no such value, with what would be.
        """
        try:
            return self._converted(value)
        except (TypeError, ValueError, OverflowError):
            shown = shortened(value) if isinstance(value, str) else value
            raise InputError(
                "option_value", value=shown, option=self.name, expected=self._expected()
            ) from None

    def _converted(self, value: Any) -> Any:
        if value is None and self.default is None:
            return None
        if self.kind == "flag":
            if not isinstance(value, bool):
                raise TypeError(value)
            return value
        if self.kind in ("text", "choice"):
            if not isinstance(value, str) or (self.kind == "choice" and value not in self.choices):
                raise ValueError(value)
            check_unicode([(self.name, value)])
            return str(value)
        number = int(value) if self.kind == "integer" else float(value)
        if not (self.low or 0) <= number <= (self.high if self.high is not None else float("inf")):
            raise ValueError(value)
        return number

    def _expected(self) -> str:
        if self.kind == "choice":
            return " | ".join(self.choices)
        bounds = "" if self.high is None else f" {self.low or 0:g} … {self.high:g}"
        return f"{self.kind}{bounds}"


def inside_of(model: AnswerModel | None) -> Any:
    """What is done and seen inside a model; None of one that answers from elsewhere, or is not there."""
    return getattr(model, "inside", None)


def opened(model: AnswerModel) -> Any:
    """The model's inside.

    Raises:
        CapabilityError: it answers from elsewhere and cannot be opened.
    """
    inside = inside_of(model)
    if inside is None:
        raise CapabilityError("inside_closed")
    return inside


@dataclass(frozen=True)
class Extent:
    """What decides how many runs a study will be.

    Attributes:
        units: of the unit that the settings name, or words; `words`, of the passage.
        swaps: how many replacements come with the question.
        geometry: layers and heads, see `models.inside`; {} for a model that only answers.
    """

    units: int
    words: int
    swaps: int
    geometry: Mapping[str, Any]


def one_a_unit(extent: Extent, settings: Mapping[str, Any]) -> int:
    """A run for each unit."""
    return extent.units


class Asking:
    """What a study is asked: of which model, about what, with which settings.

    The passage as it stands is run with the first trials that the study yields, or before them where it looks
    at `clean` or `target` earlier.

    Args:
        settings: every option of the study with its value; besides, what the runner adds (`margin`).
        run_clean: gives the clean run.
        noise: gives what equal prompts were seen to differ by until now, nats.
    """

    def __init__(
        self,
        model: AnswerModel,
        question: Question,
        settings: Mapping[str, Any],
        run_clean: Callable[[], Outcome],
        noise: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.model, self.question, self.settings = model, question, settings
        self._run_clean, self._noise = run_clean, noise
        self._target: Target | None = None

    @property
    def clean(self) -> Outcome:
        """The passage as it stands."""
        return self._run_clean()

    @property
    def noise(self) -> float:
        """What an effect must exceed to be more than the noise of the trials run until now (nats): the noise
        floor, or what the model's number type can tell where that is more.
        """
        return self._noise()

    @property
    def target(self) -> Target:
        """What effects are measured on.

        No `cached_property`: before Python 3.12 one lock of that serves all instances, and the clean run may
        be made to wait for another study, which would then wait for the lock.

        Raises:
            InputError: the settings name an answer that there is not.
        """
        if self._target is None:
            chosen = self.settings.get("target", "top")
            self._target = Target.of(chosen, self.question, self.clean.answers)
        return self._target

    @cached_property
    def geometry(self) -> dict[str, Any]:
        """Layers, and per layer its heads; of a model that can be opened."""
        found: dict[str, Any] = self._inside.geometry()
        return found

    def refuse(self, places: Sequence[tuple[Site, int, int | None]]) -> None:
        """Refuse parts (site, layer, head) that this model does not have, before anything runs.

        Raises:
            CapabilityError: with the reason.
        """
        self._inside.refuse(places)

    @property
    def _inside(self) -> Any:
        return opened(self.model)

    def without(self, units: Iterable[Unit]) -> Trial:
        """The passage with these units taken away together, in the way that the settings name."""
        mode, filler = Mode(self.settings["mode"]), self.settings["filler"]
        return Trial(tuple(unit.span for unit in units), mode, filler)

    def effect(self, now: Outcome, before: Outcome | None = None) -> dict[str, Any]:
        """How an outcome differs from the clean one, or from another; see `effects.effect_of`."""
        return effect_of(before or self.clean, now, self.target, self.settings)


@dataclass(frozen=True)
class Study:
    """A probe: its name, its options, and the generator that runs it.

    `steps` returns the body of the record; the runner puts the clean run, the target, the thresholds and
    where the numbers come from around it. A body that gives None for one of these leaves it out.

    `needs` names what a model must offer beside answers: "tokens" (its own units of text), "inside" (what is
    read and changed between its layers). A model that lacks it is refused before anything runs.

    What a record says is declared here too, each with a plain default drawn from its rows: its `sentence`,
    its `table`, its `picture` (in a language each), how its rows are averaged `over` a set of passages (None:
    not offered), how many `runs` it will be beside the clean one, and about which `part` of a whole forward
    such a run takes.

    Texts stand in `<name>.toml` beside the module: `about` says what it asks, `option_<name>` explains an
    option of its own, `col_<name>` is a column; the rest is its own affair.
    """

    name: str
    options: tuple[Option, ...]
    steps: Callable[[Asking], Steps]
    needs: tuple[Need, ...] = ()
    sentence: Callable[[Record, str], str] = plain.sentence
    table: Callable[[Record, str], Table] | None = None
    picture: Callable[[ProbeResult, str], alt.LayerChart] = plain.picture
    over: Over | None = None
    runs: Callable[[Extent, Mapping[str, Any]], int] = one_a_unit
    part: float = 1.0

    def tabled(self, record: Record, lang: str) -> Table:
        """The record as a table for a person."""
        if "over" in record and self.over:
            return over_table(self.name, self.over, record, lang)
        return self.table(record, lang) if self.table else plain.table(self.name, record, lang)

    def said(self, record: Record, lang: str) -> str:
        """What the record says, in a sentence or three."""
        if "over" in record and self.over:
            return over_sentence(self.over, record, lang)
        return self.sentence(record, lang)

    def pictured(self, result: ProbeResult, lang: str) -> alt.LayerChart:
        """The record as a picture."""
        if "over" in result.data and self.over:
            from probes.studies.over_picture import over_points

            return over_points(self.over, result, lang)
        return self.picture(result, lang)

    def about(self, lang: str) -> str:
        """What it asks; its name where no text says so."""
        return say(key, lang) if TEXTS.has(key := f"{self.name}.about") else self.name

    def option_help(self, option: str, lang: str) -> str:
        """What an option does; "" where no text says so."""
        keys = (f"{self.name}.option_{option}", f"options.{option}")
        key = next((key for key in keys if TEXTS.has(key)), None)
        return say(key, lang) if key else ""

    def option_label(self, option: str, lang: str) -> str:
        """What a field for an option is called; its name where no text says so."""
        return say(key, lang) if TEXTS.has(key := f"{self.name}.label_{option}") else option.replace("_", " ")

    def choice_label(self, choice: str, lang: str) -> str:
        """What one of an option's choices is called; itself where no text says so."""
        return say(key, lang) if TEXTS.has(key := f"{self.name}.choice_{choice}") else choice

    def check(self, model: AnswerModel) -> None:
        """Refuse a model that lacks what the study needs.

        Raises:
            CapabilityError: with what it lacks.
        """
        if "inside" in self.needs:
            opened(model)

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All options with their values: what was given, checked, and defaults.

        Raises:
            InputError: an option that this study does not have, or a value it does not take.
        """
        known = {option.name: option for option in self.options}
        if strange := next((name for name in given if name not in known), None):
            raise InputError("option_unknown", study=self.name, option=strange, options=", ".join(known))
        return {name: o.checked(given[name]) if name in given else o.default for name, o in known.items()}


MODE = Option("mode", "choice", "delete", ("delete", "hide", "replace"))
UNIT = Option("unit", "choice", "word", ("word", "sentence", "paragraph", "token"))
TARGET = Option("target", "text", "top")
FILLER = Option("filler", "text", None)
POINTS = Option("points", "number", 1.0, low=0, high=100)
NATS = Option("nats", "number", 0.05, low=0, high=100)
SEED = Option("seed", "integer", 0, low=0, high=2**31 - 1)
