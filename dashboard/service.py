"""What all visitors share: models, results, and one turn at a time.

A run holds the gate while it uses a model, so a model is never released, changed or read by two at once.
Besides the built-in model, which is small and stays, one model is kept: the old one is let go before the
next is loaded.
"""

from __future__ import annotations

import gc
import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.estimates import Estimates, Work
from dashboard.gate import Gate
from dashboard.kept import Results
from dashboard.limits import Limits
from dashboard.looks import Look
from dashboard.partial import Watched
from probes.errors import CruxError
from probes.question import Question, preset
from probes.results import ProbeResult
from probes.store import Store

if TYPE_CHECKING:
    from probes.models.local import LocalModel

log = logging.getLogger(__name__)

KEPT_LOOKS = 300_000_000
"""Bytes of attention weights that are kept, of the passages looked at last; one passage's are kept always."""
Waiting = Callable[[int], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Choice:
    """A model as a visitor names it."""

    spec: str = "builtin"
    revision: str = ""
    device: str = "auto"
    dtype: str = "auto"


class Service:
    """See the module's docstring. Threads of all visitors call it.

    Args:
        store: results on disk, shared with the command line; None keeps them in memory alone.
        limits: what a hosted page allows.
    """

    def __init__(self, store: Store | None, limits: Limits) -> None:
        self.gate = Gate()
        self.limits = limits
        self._store = store
        self._results = Results()
        self._builtin: dict[Choice, LocalModel] = {}
        self._other: dict[Choice, LocalModel] = {}
        self._estimates = Estimates()
        self._looks: OrderedDict[Hashable, Look] = OrderedDict()

    @property
    def keeps(self) -> bool:
        """Whether what was run is kept on disk, run by run."""
        return self._store is not None

    # ---- models

    def loaded(self, choice: Choice) -> LocalModel | None:
        """The model, where it is at hand."""
        return self._builtin.get(choice) or self._other.get(choice)

    def model(self, choice: Choice, waiting: Waiting = lambda ahead: None) -> LocalModel:
        """The model, loaded where it is not at hand.

        Raises:
            CruxError: it cannot be had, does not fit, is not allowed here.
        """
        if found := self.loaded(choice):
            return found
        self.limits.check_model(choice.spec, choice.device)
        with self.gate.turn(waiting):
            return self._load(choice)

    def needs_download(self, choice: Choice) -> bool:
        """Whether loading it fetches files from the hub; a link alone must not do that.

        Raises:
            CruxError: the name is none of a model, or the model is not allowed here.
        """
        from probes.models.source import resolve

        self.limits.check_model(choice.spec, choice.device)
        return resolve(choice.spec, choice.revision or None, paths=not self.limits.hosted).repo is not None

    def _load(self, choice: Choice) -> LocalModel:
        if found := self.loaded(choice):
            return found
        from probes.models import load_model

        slot = self._builtin if choice.spec == "builtin" else self._other
        if slot:
            slot.clear()
            gc.collect()
            _empty_device_cache()
        model = load_model(
            choice.spec,
            revision=choice.revision or None,
            device=choice.device,
            dtype=choice.dtype,
            paths=not self.limits.hosted,
        )
        model.describe()  # the self-check, before anybody sees the model
        slot[choice] = model
        return model

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
        return _key(study, model, question, options) if model else None

    def run(
        self,
        study: str,
        choice: Choice,
        question: Question,
        options: Mapping[str, Any],
        *,
        waiting: Waiting = lambda ahead: None,
        on_progress: Progress | None = None,
        effects: dict[Any, float | None] | None = None,
        runs: int = 0,
    ) -> ProbeResult:
        """The result, computed where it is not at hand; what a callback raises stops the run.

        Args:
            options: of the study; `over` besides, where it is to be run over so many generated passages.
            waiting: called with how many are in front, while others hold the model.
            on_progress: called with (runs done, runs in all), a few times a second.
            effects: filled as they come, by the span of the unit that is taken away, or by what is done
                inside the model.
            runs: how many runs it will be, for a page that has a limit.

        Raises:
            CruxError: it cannot be run, or not here.
        """
        if found := self.known(study, choice, question, options):
            return found
        from probes import run

        self.limits.check_model(choice.spec, choice.device)
        self.limits.check_passage(question.passage.text)
        with self.gate.turn(waiting):
            model = self._load(choice)
            if study == "words":
                runs = len(model.units(question, options["unit"]))
            self.limits.check_runs(runs)
            ways: dict[str, Any] = {"store": self._store, "on_progress": on_progress}
            if "over" in options:
                result = _over(study, model, question, dict(options), ways)
            else:
                watched = Watched(model, question, options.get("target", "top"))
                watched.effects = {} if effects is None else effects
                result = run(study, watched, question, options, **ways)
        self._results.put(_key(study, model, question, options), result)
        made = result.data["provenance"]
        fresh = made["trials"] - made["from_store"]
        self._estimates.learn(_work(study, choice, model, question, options, fresh), made["seconds"])
        return result

    def seconds(
        self, study: str, choice: Choice, question: Question, options: Mapping[str, Any], runs: int
    ) -> float:
        """How long so many runs will take, about; 0 where the model is not at hand."""
        model = self.loaded(choice)
        if model is None:
            return 0.0
        return self._estimates.seconds(_work(study, choice, model, question, options, runs))

    def attention(self, choice: Choice, question: Question, waiting: Waiting = lambda ahead: None) -> Look:
        """What every head reads on the clean prompt.

        Raises:
            CruxError: the model cannot be had, or does not hand its weights out.
        """
        self.limits.check_model(choice.spec, choice.device)
        self.limits.check_passage(question.passage.text)
        with self.gate.turn(waiting):
            model = self._load(choice)
            key = _key("attention", model, question, {})
            if key not in self._looks:
                found = Look.at(model, question)
                while (
                    self._looks and sum(look.size for look in self._looks.values()) + found.size > KEPT_LOOKS
                ):
                    self._looks.popitem(last=False)
                self._looks[key] = found
            return self._looks[key]

    # ---- before the first visitor

    def warm(self) -> None:
        """Load the built-in model and have the first page's numbers ready; failing is for the page to say."""
        try:
            for name in ("coffee-zh", "coffee-en"):
                question = preset(name).question()
                chosen = {"mode": "delete", "target": "top"}
                self.run("ask", Choice(), question, {**chosen, "at": None, "control": 0})
                self.run("words", Choice(), question, {**chosen, "unit": "word"})
        except CruxError as fault:
            log.warning("the built-in model could not be made ready: %s", fault.key)


def _over(
    study: str, model: LocalModel, question: Question, options: dict[str, Any], ways: Mapping[str, Any]
) -> ProbeResult:
    from probes.over import run_over
    from probes.sets import questions_of

    source = str(options.pop("over"))
    chosen = questions_of(source, question)
    named = {name for answer in chosen[0].answers.answers for name in (answer.label, answer.name)}
    if not set(str(options.get("target", "top")).split(":")) <= named | {"top", "right"}:
        options["target"] = "top"  # an answer of the visitor's own question, which these passages do not have
    return run_over(study, model, chosen, options, source=source, base=question, **ways)


def _key(study: str, model: LocalModel, question: Question, options: Mapping[str, Any]) -> Hashable:
    q = question
    asked = (
        q.passage,
        q.question,
        q.answers,
        q.language,
        q.template,
        q.instruction,
        q.answer_prefix,
        q.system,
    )
    meant = (q.right, q.tempting, q.preset)
    return (study, model.name, *model.identity, asked, meant, tuple(sorted(options.items())))


def _work(
    study: str,
    choice: Choice,
    model: LocalModel,
    question: Question,
    options: Mapping[str, Any],
    runs: int,
) -> Work:
    parameters, tokens = model.describe()["parameters"], len(model.layout(question).ids)
    return Work.of(study, choice, options, parameters=parameters, tokens=tokens, runs=runs)


def _empty_device_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@st.cache_resource(show_spinner=False)
def service() -> Service:
    """The one that all visitors share."""
    limits = Limits.from_environment(os.environ)
    try:
        store = None if limits.hosted else Store.default()
    except (CruxError, OSError) as fault:  # a read-only home, a broken file: the page works without
        log.warning("results are not kept on disk: %s", type(fault).__name__)
        store = None
    return Service(store, limits)
