"""The one path from a question to a record, for the command line, the page and scripts.

It drives a study, looks every trial up in the store, runs what is missing, keeps each result as it comes
(so that a Stop loses nothing), and writes down how the numbers were made.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from probes.asking.question import Question
from probes.asking.readings import Reading, restored
from probes.asking.trials import CLEAN, Trial
from probes.errors import CruxError
from probes.models.base import AnswerModel, Outcome, Prepared, Progress
from probes.record.leads import raised
from probes.record.provenance import surroundings
from probes.record.results import SCHEMA, ProbeResult
from probes.record.store import Store, key_of
from probes.running.commandline import command_line
from probes.running.headline import headline
from probes.studies import study_named
from probes.studies.base import NATS, POINTS, Asking, Steps, Study, inside_of, opened
from probes.studies.effects import ask_fields, limits

LIMITS = {option.name: option.default for option in (POINTS, NATS)}
"""What counts as no change in a study that has no options for it."""
KEEP_EVERY = 64
"""Trials between two writes to the store."""
TELL_EVERY = 0.1
"""Seconds between two words of progress."""


def run(
    study: str,
    model: AnswerModel,
    question: Question,
    options: Mapping[str, Any] | None = None,
    *,
    store: Store | None = None,
    lang: str = "en",
    on_progress: Progress | None = None,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> ProbeResult:
    """Run one study.

    Args:
        study: its name, one of `probes.studies.STUDIES`.
        options: of that study; what is not given has its default.
        store: where results are kept and looked up; None keeps nothing.
        lang: of the headline, "zh" or "en".
        on_progress: called with (trials done, trials known so far) between two steps; what it raises cancels
            the run, and what was done until then is in the store. It may take its time, in which others use
            the model: that is not counted as the run's.
        on_outcome: called with each outcome that is run now, in the order they come; not with those that the
            store had. What it raises cancels the run too.

    Raises:
        CruxError: what was given cannot be run, in words for a person.
    """
    chosen = study_named(study)
    settings = chosen.settings(options or {})
    chosen.check(model)
    job = _Job(model, question, store, on_progress, on_outcome)
    clocks = _clocks()
    precision = job.precision()
    least = precision["nats"] if precision else 0.0
    body = job.drive(chosen, raised(LIMITS | settings, precision), least)
    spent = [now - then - away for now, then, away in zip(_clocks(), clocks, job.away, strict=True)]
    job.spent = dict(zip(("seconds", "cpu_seconds"), spent, strict=True))
    return _record(study, {**body, "precision": precision}, job, settings, lang)


@dataclass
class _Job:
    """One study under way: what it ran and what it found in the store."""

    model: AnswerModel
    question: Question
    store: Store | None
    on_progress: Progress | None
    on_outcome: Callable[[Outcome], None] | None
    reports: list[dict[str, Any]] = field(default_factory=list)
    known: list[bytes] = field(default_factory=list)
    """Keys of the trials that the store had."""
    marks: set[str] = field(default_factory=set)
    """Names of the runs that were made for this study."""
    total: int = 0
    done: int = 0
    readings: int = 0
    read_off: int = 0
    clean: Prepared | None = None
    spent: dict[str, float] = field(default_factory=dict)
    rounds: dict[str, Any] = field(default_factory=dict)
    """The model's notes from round to round; they go with the study, stopped or ended."""
    away: tuple[float, float] = (0.0, 0.0)
    """Seconds, by the wall and by the processor, that whoever listens took."""
    _told: float = 0.0
    _clean_run: Outcome | None = None

    def drive(self, study: Study, settings: Mapping[str, Any], least: float) -> dict[str, Any]:
        """Hand the study its outcomes until it returns the record's body; the body with what every record
        has around it.

        Args:
            least: how far effects may be off for the model's number type, nats.
        """

        def noise() -> float:
            return max(self.noise_floor() or 0.0, least)

        asking = Asking(self.model, self.question, settings, self.clean_run, noise)
        body = self._driven(study.steps(asking))
        around = {
            "clean": ask_fields(self.question, asking.clean),
            "target": asking.target.as_dict(self.question),
            "thresholds": limits(settings),
        }
        whole = {**around, **body}
        return {name: value for name, value in whole.items() if name not in around or value is not None}

    def clean_run(self) -> Outcome:
        """The passage as it stands, run once."""
        if self._clean_run is None:
            self.outcomes([])
        assert self._clean_run is not None
        return self._clean_run

    def _driven(self, steps: Steps) -> dict[str, Any]:
        try:
            asked = next(steps)
            while True:
                try:
                    found = self.answered(asked)
                except CruxError as fault:  # the study may know what to do without it
                    asked = steps.throw(fault)
                else:
                    asked = steps.send(found)
        except StopIteration as end:
            return dict(end.value)

    def answered(self, asked: Sequence[Trial | Reading]) -> list[Any]:
        """Trials run, readings read."""
        trials = [one for one in asked if isinstance(one, Trial)]
        outcomes = iter(self.outcomes(trials) if trials else ())
        return [next(outcomes) if isinstance(one, Trial) else self.read(one) for one in asked]

    def read(self, reading: Reading) -> Any:
        """From the store, else read off the clean run and put there."""
        self.readings += 1
        if not reading.kept:
            value = opened(self.model).read(self.question, reading)
        else:
            clean, inside = self.clean_run().answers, opened(self.model)
            key = key_of(["reading", self.first.key, repr(reading)])
            found = self._remembered(key, lambda: inside.read(self.question, reading, clean))
            value = restored(reading, found)
        self.read_off += 1
        self._tell()
        return value

    def outcomes(self, trials: Sequence[Trial]) -> list[Outcome]:
        """Of each trial, from the store or run now; the clean run with the first of them."""
        if self._clean_run is None:
            self._clean_run, *found = self._outcomes([CLEAN, *trials])
            return found
        return self._outcomes(trials) if trials else []

    def _outcomes(self, trials: Sequence[Trial]) -> list[Outcome]:
        prepared = self.model.prepare(self.question, trials)
        self.clean = self.clean or prepared[0]
        keys = [key_of(p.key) for p in prepared]
        found: dict[bytes, Any] = self.store.get(list(dict.fromkeys(keys))) if self.store else {}
        missing = {key: p for key, p in zip(keys, prepared, strict=True) if key not in found}
        self.total += len(dict.fromkeys(keys))
        self.done += len(found)
        self.known += found
        if missing:
            found |= self._run(missing)
        return [self.model.outcome(self.question, p, found[k]) for k, p in zip(keys, prepared, strict=True)]

    def _run(self, missing: Mapping[bytes, Prepared]) -> dict[bytes, Any]:
        """Run what the store does not know, keeping results as they come; before it, on a model of this
        machine, the clean prompt, which the others share what they can with.
        """
        keys, work = list(missing), list(missing.values())
        if self.clean and self.clean not in work and inside_of(self.model) is not None:
            keys.insert(0, key_of(self.clean.key))
            work.insert(0, self.clean)
        scoring = self.model.score(work, self.rounds)
        found: dict[bytes, Any] = {}
        unkept: dict[bytes, Any] = {}
        mark = uuid.uuid4().hex
        self.marks.add(mark)
        try:
            for index, numbers in scoring:
                found[keys[index]] = list(numbers)
                if keys[index] in missing:  # the clean prompt, run again, is kept as it was made first
                    unkept[keys[index]] = found[keys[index]]
                    self.done += 1
                if len(unkept) >= KEEP_EVERY:
                    self._keep(unkept, mark)
                if self.on_outcome:
                    self.on_outcome(self.model.outcome(self.question, work[index], numbers))
                self._tell()
        finally:  # also on a Stop: work done so far is on disk
            self._keep(unkept, mark)
            if self.store and found:
                self.store.put({key_of(["made", mark]): {**scoring.report(), **surroundings()}})
        self._report(scoring.report())
        return found

    def _tell(self) -> None:
        """Progress, a few times a second at most; whoever listens may raise to cancel."""
        now = time.monotonic()
        done, total = self.done + self.read_off, self.total + self.readings
        if self.on_progress and (now - self._told > TELL_EVERY or done == total):
            self._told, before = now, _clocks()
            self.on_progress(done, total)
            wall, cpu = (after - then for after, then in zip(_clocks(), before, strict=True))
            self.away = self.away[0] + wall, self.away[1] + cpu

    def _keep(self, values: dict[bytes, Any], mark: str) -> None:
        """Put these in the store, and in which run each was made; `mark` names the run."""
        if self.store and values:
            self.store.put(values | {_maker(key): mark for key in values})
        values.clear()

    def first_made(self) -> list[dict[str, Any]]:
        """How the trials that the store had were run when they were run: the report of each such run."""
        if not self.store or not self.known:
            return []
        makers = self.store.get([_maker(key) for key in self.known])
        marks = dict.fromkeys(mark for mark in makers.values() if mark not in self.marks)
        return list(self.store.get([key_of(["made", mark]) for mark in marks]).values())

    def _report(self, report: dict[str, Any]) -> None:
        self.reports.append(report)
        if self.store and (seen := self.noise_floor()) is not None:
            self.store.put({self._noise_key(): seen})

    @property
    def first(self) -> Prepared:
        """The clean prompt."""
        if self.clean is None:
            raise RuntimeError("the study has not asked for the clean run yet")
        return self.clean

    def _noise_key(self) -> bytes:
        return key_of(["noise", self.first.key])

    def _known_noise(self) -> list[float]:
        key = self._noise_key()
        return [float(v) for v in self.store.get([key]).values()] if self.store else []

    def noise_floor(self) -> float | None:
        """The greatest difference seen between equal prompts in other batch shapes, nats; None: unseen."""
        seen = [r["noise_floor"] for r in self.reports if r.get("noise_floor") is not None]
        return max([*seen, *self._known_noise()], default=None)

    def greedy(self, prepared: Prepared) -> str | None:
        """What the model goes on with by itself; None where it is not asked."""
        key = key_of(["greedy", prepared.key])
        found: str | None = self._remembered(key, lambda: self.model.greedy(self.question, prepared))
        return found

    def precision(self) -> dict[str, Any] | None:
        """How far effects may be off for the number type that the model computes in."""
        (clean,) = self.model.prepare(self.question, [CLEAN])
        found: dict[str, Any] | None
        found = self._remembered(key_of(["precision", clean.key]), lambda: self.model.precision(clean))
        return found

    def _remembered(self, key: bytes, ask: Callable[[], Any]) -> Any:
        """From the store, else asked and put there; nothing is not kept."""
        known = self.store.get([key]) if self.store else {}
        if key not in known:
            known = {key: ask()}
            if self.store and known[key] is not None:
                self.store.put(known)
        return known[key]


def _record(
    study: str, body: dict[str, Any], job: _Job, settings: Mapping[str, Any], lang: str
) -> ProbeResult:
    data: dict[str, Any] = {"schema": SCHEMA, "study": study, **body}
    for record in (data, *(data.get(name, {}) for name in ("clean", "base", "source"))):
        if isinstance(record.get("greedy"), Prepared):
            record["greedy"] = job.greedy(record["greedy"])
    data["noise_floor"] = job.noise_floor()
    data["notes"] = [*job.model.notes(job.question), *_known(data), *body.get("notes", ())]
    data["headline"] = headline(data, lang)
    data["provenance"] = {
        "model": job.model.describe(examined=bool(job.reports)),
        **surroundings(),
        "options": dict(settings),
        "engine": job.reports,
        "stored": job.first_made(),
        "trials": job.total,
        "from_store": len(job.known),
        "readings": job.readings,
        **job.spent,
        "command_line": command_line(study, job.model.arguments, job.question, settings),
    }
    return ProbeResult(study, data)


def _known(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The note on answers that are not told exactly."""
    known = (data.get("clean") or data).get("known")
    return [{"key": f"known_{known['how']}", "samples": known["samples"]}] if known else []


def _clocks() -> tuple[float, float]:
    """The wall's, and that of this process's processors."""
    return time.perf_counter(), time.process_time()


def _maker(key: bytes) -> bytes:
    """Where the store has in which run a trial was made."""
    return key_of(["maker", key.hex()])
