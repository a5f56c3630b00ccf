"""What all visitors share: models, results, and runs under way.

A run holds a lease of its model (`dashboard.shelf`), so that the model is not let go under it, and has its
turn by `dashboard.line`; what several ask for is run once (`dashboard.flights`). Runs on different models go
on side by side.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dashboard.bringing import Bringing
from dashboard.estimates import Effort, Speeds
from dashboard.flights import Flight, Flights, Visitor, Wanted
from dashboard.gate import Waiting, patiently
from dashboard.kept import Looks, Results, key_of
from dashboard.limits import Limits
from dashboard.line import SHORT
from dashboard.looks import Look
from dashboard.partial import Effects
from dashboard.ready import STUDIES, first_options
from dashboard.runs import geometry_of, request_of, runs_of
from dashboard.shelf import Choice, Shelf
from probes.asking.question import Question, preset
from probes.errors import CruxError
from probes.record.results import ProbeResult
from probes.record.store import Store
from probes.studies.base import inside_of
from probes.studies.shared_tokens import shared_tokens
from probes.text.passage import Unit

if TYPE_CHECKING:
    from probes.models.base import AnswerModel

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
FEW = 3
"""Runs that are short however slow the machine is: a pressed word."""


class Service:
    """See the module's docstring. Threads of all visitors call it.

    Args:
        store: results on disk, shared with the command line; None keeps them in memory alone.
        limits: what a hosted page allows.
    """

    def __init__(self, store: Store | None, limits: Limits) -> None:
        self.limits = limits
        self._store = store
        self._shelf = Shelf(paths=not limits.hosted, pins=limits.pins)
        self._results = Results()
        self._looks = Looks()
        self._estimates = Speeds()
        self._flights = Flights()
        self.files = Bringing(self._shelf, limits, self._flights)

    @property
    def keeps(self) -> bool:
        """Whether what was run is kept on disk, run by run."""
        return self._store is not None

    # ---- models

    def loaded(self, choice: Choice) -> AnswerModel | None:
        """The model, where it is at hand; not to be kept, or its memory is kept as well."""
        return self._shelf.at_hand(choice)

    def units(self, choice: Choice, question: Question, kind: str) -> Sequence[Unit] | None:
        """The units of the passage, where the model is at hand."""
        model = self.loaded(choice)
        return None if model is None else model.units(question, kind)

    def notes(self, choice: Choice, question: Question, *, by_tokens: bool) -> Sequence[Mapping[str, Any]]:
        """What a reader should know of the question as it is put to the model, where it is at hand.

        Args:
            by_tokens: words are hidden, or read, as whole tokens.
        """
        model = self.loaded(choice)
        try:
            if model is None:
                return []
            shared = shared_tokens(model, question, question.passage.words)[1] if by_tokens else []
            return [*model.notes(question), *shared]
        except CruxError:  # it cannot be put to this model: the run says so, when its turn has come
            return []

    def geometry(self, choice: Choice) -> Mapping[str, Any] | None:
        """Layers and heads, where the model is at hand; {} of one that cannot be opened."""
        model = self.loaded(choice)
        return None if model is None else geometry_of(model)

    def memory(self, choice: Choice, question: Question) -> int:
        """Bytes that runs inside the model take beside its weights, about; 0 where it is not at hand."""
        inside = inside_of(self.loaded(choice))
        return 0 if inside is None else int(inside.memory(question))

    def model(self, choice: Choice, waiting: Waiting = patiently) -> AnswerModel:
        """The model, loaded where it is not at hand.

        Raises:
            CruxError: it cannot be had, does not fit, is not allowed here.
        """
        if found := self.loaded(choice):
            return found
        self._check_model(choice)
        with self._shelf.lease(choice, waiting, brief=True) as model:
            return model

    def _check_model(self, choice: Choice) -> None:
        self.files.check(choice)

    # ---- runs

    def known(
        self, study: str, choice: Choice, question: Question, options: Mapping[str, Any]
    ) -> ProbeResult | None:
        """The result, where it is at hand."""
        return self._results.get(self.identity(study, choice, question, options))

    def identity(
        self, study: str, choice: Choice, question: Question, options: Mapping[str, Any]
    ) -> Hashable:
        """All that decides a run's result; None where the model is not at hand."""
        model = self.loaded(choice)
        return key_of(study, model, question, options) if model else None

    def run(
        self,
        study: str,
        choice: Choice,
        question: Question,
        options: Mapping[str, Any],
        *,
        visitor: Visitor | None = None,
        waiting: Waiting = patiently,
        on_progress: Progress | None = None,
        effects: dict[Any, float | None] | None = None,
    ) -> ProbeResult:
        """The result, computed where it is not at hand; who leaves by what a callback raises gives it up, and
        it stops where nobody else wants it.

        Args:
            options: of the study; `over` besides, where it is to be run over so many generated passages.
            visitor: who asks; somebody of their own where nobody is named.
            waiting: called with where one stands, while others come first; with nobody in front after that.
            on_progress: called with (runs done, runs in all), a few times a second.
            effects: filled as they come, by the span of the unit that is taken away, or by what is done
                inside the model.

        Raises:
            CruxError: it cannot be run, or not here.
        """
        if found := self.known(study, choice, question, options):
            return found
        self._check_model(choice)
        self.limits.check_question(question)
        self._check_runs(study, self.loaded(choice), question, options)
        with self._leased(study, choice, question, options, waiting) as (model, expected):
            self._check_runs(study, model, question, options)
            key = key_of(study, model, question, options)

            def compute(flight: Flight) -> ProbeResult:
                ways: dict[str, Any] = {"store": self._store, "on_progress": flight.tell}
                if effects is not None:
                    target = str(options.get("target", "top"))
                    ways["on_outcome"] = Effects(question, target, flight.effects)
                return self._results.get(key) or self._run(key, study, choice, question, options, ways)

            result: ProbeResult = self._flights.follow(
                self._wanted(choice, key, expected, compute),
                visitor or Visitor(),
                waiting,
                on_progress,
                effects,
            )
            return result

    def _wanted(
        self, choice: Choice, key: Hashable, expected: float, compute: Callable[[Flight], Any]
    ) -> Wanted:
        """A request of a model that is leased."""
        return Wanted((choice, key), self._shelf.line(choice), self._shelf.leases(choice), expected, compute)

    @contextmanager
    def _leased(
        self, study: str, choice: Choice, question: Question, options: Mapping[str, Any], waiting: Waiting
    ) -> Iterator[tuple[AnswerModel, float]]:
        """The model for one run, and how long the run will take, about."""

        def expected() -> float:
            runs = self.runs(study, choice, question, options)
            seconds = self.seconds(study, choice, question, options, runs)
            return min(seconds, SHORT) if runs <= FEW else seconds

        brief = expected() <= SHORT
        with self._shelf.lease(choice, waiting, brief=brief) as model:
            yield model, expected()

    def _run(
        self,
        key: Hashable,
        study: str,
        choice: Choice,
        question: Question,
        options: Mapping[str, Any],
        ways: Mapping[str, Any],
    ) -> ProbeResult:
        """In its turn, with a lease of the model."""
        model = self.loaded(choice)
        assert model is not None
        result = request_of(study, options).run(study, model, question, options, ways)
        self._results.put(key, result)
        made = result.data["provenance"]
        if made["trials"]:  # in the measure of estimates: of all runs there might have been
            runs = runs_of(study, model, question, options)
            fresh = round(runs * (1 - made["from_store"] / made["trials"]))
            self._estimates.learn(_work(study, choice, model, question, options, fresh), made["seconds"])
        return result

    def let_go(self, choice: Choice, run: Hashable) -> None:
        """Let a run stop at its next step where nobody waits for it; `identity` names it."""
        self._flights.let_go((choice, run))

    def seconds(
        self, study: str, choice: Choice, question: Question, options: Mapping[str, Any], runs: int
    ) -> float:
        """How long so many runs will take, about; 0 where the model is not at hand."""
        model = self.loaded(choice)
        if model is None:
            return 0.0
        return self._estimates.seconds(_work(study, choice, model, question, options, runs))

    def runs(self, study: str, choice: Choice, question: Question, options: Mapping[str, Any]) -> int:
        """How many runs it will be at most; 0 where the model is not at hand."""
        model = self.loaded(choice)
        return 0 if model is None else runs_of(study, model, question, options)

    def _check_runs(
        self, study: str, model: AnswerModel | None, question: Question, options: Mapping[str, Any]
    ) -> None:
        if model is not None and self.limits.runs is not None:
            self.limits.check_runs(runs_of(study, model, question, options), study)

    def attention(
        self,
        choice: Choice,
        question: Question,
        waiting: Waiting = patiently,
        visitor: Visitor | None = None,
    ) -> Look:
        """What every head reads on the clean prompt.

        Raises:
            CruxError: the model cannot be had, or does not hand its weights out.
        """
        if found := self._looks.get(self.identity("attention", choice, question, {})):
            return found
        self._check_model(choice)
        self.limits.check_question(question)
        with self._shelf.lease(choice, waiting, brief=True) as leased:
            key = key_of("attention", leased, question, {})

            def compute(flight: Flight) -> Look:
                if (found := self._looks.get(key)) is None:
                    model = self.loaded(choice)
                    assert model is not None
                    self._looks.put(key, found := Look.at(model, question))
                return found

            look: Look = self._flights.follow(
                self._wanted(choice, ("look", key), 0.0, compute),  # one forward
                visitor or Visitor(),
                waiting,
            )
            return look

    # ---- before the first visitor

    def warm(self) -> None:
        """Load the built-in model and have the first page's numbers ready; failing is for the page to say."""
        try:
            for name in ("coffee-zh", "coffee-en"):
                for study in STUDIES:
                    self.run(study, Choice(), preset(name).question(), first_options(study))
        except CruxError as fault:
            log.warning("the built-in model could not be made ready: %s", fault.key)


def _work(
    study: str,
    choice: Choice,
    model: AnswerModel,
    question: Question,
    options: Mapping[str, Any],
    runs: int,
) -> Effort:
    return Effort.of(study, choice, options, operations=model.operations(question), runs=runs)


_shared: list[Service] = []
_making = threading.Lock()


def service() -> Service:
    """The one that all visitors share.

    Not in a cache of Streamlit's: any visitor's browser can have those cleared.
    """
    with _making:
        if not _shared:
            _shared.append(_made())
        return _shared[0]


def _made() -> Service:
    from dashboard.hosting.settings import settings

    if settings().hosted:
        from dashboard.hosting.watched import Watched

        return Watched(settings())
    limits = settings().limits
    try:
        store = Store.default()
    except (CruxError, OSError) as fault:  # a read-only home, a broken file: the page works without
        log.warning("results are not kept on disk: %s", type(fault).__name__)
        store = None
    return Service(store, limits)
