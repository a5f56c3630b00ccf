"""What all visitors share: models, results, and one turn at a time.

A run holds its model's turn while it uses the model, so a model is never released, changed or read by two at
once; runs on different models go on side by side.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from dashboard.estimates import Effort, Speeds
from dashboard.gate import Waiting, patiently
from dashboard.kept import Looks, Results
from dashboard.limits import Limits
from dashboard.looks import Look
from dashboard.partial import Effects
from dashboard.runs import geometry_of, runs_of
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


class Service:
    """See the module's docstring. Threads of all visitors call it.

    Args:
        store: results on disk, shared with the command line; None keeps them in memory alone.
        limits: what a hosted page allows.
    """

    def __init__(self, store: Store | None, limits: Limits) -> None:
        self.limits = limits
        self._store = store
        self._shelf = Shelf(paths=not limits.hosted)
        self._results = Results()
        self._looks = Looks()
        self._estimates = Speeds()

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
        with self._shelf.turn(choice, waiting) as model:
            return model

    def needs_consent(self, choice: Choice) -> Literal["", "download", "elsewhere"]:
        """What loading it does that a link alone must not do: fetch files from the hub, or send the passage
        elsewhere.

        Raises:
            CruxError: the name is none of a model, or the model is not allowed here.
        """
        from probes.models.kinds import kind_of
        from probes.models.source import resolve

        self._check_model(choice)
        if kind_of(choice.spec):
            return "elsewhere"
        found = resolve(choice.spec, choice.revision or None, paths=not self.limits.hosted)
        return "download" if found.repo is not None else ""

    def _check_model(self, choice: Choice) -> None:
        self.limits.check_model(choice.spec, choice.device, choice.dtype, choice.revision)

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
        waiting: Waiting = patiently,
        on_progress: Progress | None = None,
        effects: dict[Any, float | None] | None = None,
    ) -> ProbeResult:
        """The result, computed where it is not at hand; what a callback raises stops the run.

        Args:
            options: of the study; `over` besides, where it is to be run over so many generated passages.
            waiting: called with how many are in front, while others hold the model; with 0 after that.
            on_progress: called with (runs done, runs in all), a few times a second.
            effects: filled as they come, by the span of the unit that is taken away, or by what is done
                inside the model.

        Raises:
            CruxError: it cannot be run, or not here.
        """
        if found := self.known(study, choice, question, options):
            return found
        from probes import run

        self._check_model(choice)
        self.limits.check_question(question)
        self._check_runs(study, self.loaded(choice), question, options)
        with self._shelf.turn(choice, waiting) as model:
            self._check_runs(study, model, question, options)
            key = _key(study, model, question, options)
            if found := self._results.get(key):  # somebody in front asked the same
                return found
            ways: dict[str, Any] = {"store": self._store, "on_progress": on_progress}
            if study == "lecture":
                result = _lecture(model, question, options, ways)
            elif "over" in options:
                result = _over(study, model, question, dict(options), ways)
            else:
                if effects is not None:
                    ways["on_outcome"] = Effects(question, options.get("target", "top"), effects)
                result = run(study, model, question, options, **ways)
        self._results.put(key, result)
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

    def runs(self, study: str, choice: Choice, question: Question, options: Mapping[str, Any]) -> int:
        """How many runs it will be at most; 0 where the model is not at hand."""
        model = self.loaded(choice)
        return 0 if model is None else runs_of(study, model, question, options)

    def _check_runs(
        self, study: str, model: AnswerModel | None, question: Question, options: Mapping[str, Any]
    ) -> None:
        if model is not None and self.limits.runs is not None:
            self.limits.check_runs(runs_of(study, model, question, options), study)

    def attention(self, choice: Choice, question: Question, waiting: Waiting = patiently) -> Look:
        """What every head reads on the clean prompt.

        Raises:
            CruxError: the model cannot be had, or does not hand its weights out.
        """
        if found := self._looks.get(self.identity("attention", choice, question, {})):
            return found
        self._check_model(choice)
        self.limits.check_question(question)
        with self._shelf.turn(choice, waiting) as model:
            key = _key("attention", model, question, {})
            look = self._looks.get(key) or Look.at(model, question)
        self._looks.put(key, look)
        return look

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


def _lecture(
    model: AnswerModel, question: Question, options: Mapping[str, Any], ways: Mapping[str, Any]
) -> ProbeResult:
    """Claims of the lecture; a passage of the visitor's own stands in the place of the lecture's."""
    from probes.running.lecture import lecture

    language = "zh" if question.language == "zh" else "en"
    own = None if question.preset else question
    return lecture(model, language=language, question=own, claims=options["claims"], **ways)


def _over(
    study: str, model: AnswerModel, question: Question, options: dict[str, Any], ways: Mapping[str, Any]
) -> ProbeResult:
    from probes.running.over import run_over
    from probes.running.sets import questions_of

    source = str(options.pop("over"))
    chosen = questions_of(source, question)
    named = {name for answer in chosen[0].answers.answers for name in (answer.label, answer.name)}
    if not set(str(options.get("target", "top")).split(":")) <= named | {"top", "right"}:
        options["target"] = "top"  # an answer of the visitor's own question, which these passages do not have
    return run_over(study, model, chosen, options, source=source, base=question, **ways)


def _key(study: str, model: AnswerModel, question: Question, options: Mapping[str, Any]) -> Hashable:
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
    limits = Limits.from_environment(os.environ)
    try:
        store = None if limits.hosted else Store.default()
    except (CruxError, OSError) as fault:  # a read-only home, a broken file: the page works without
        log.warning("results are not kept on disk: %s", type(fault).__name__)
        store = None
    return Service(store, limits)
