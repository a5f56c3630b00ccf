"""Jobs with edits: line by line over its clean run, checked, and with what fallback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from probes.engine.by_hooks import Changed, changed_runs, score_hooked
from probes.engine.by_restart import score_restarted
from probes.engine.foreign import refused_in_words
from probes.engine.forward import Forwards
from probes.engine.jobs import Job, Report, Way
from probes.engine.linears import free_bytes
from probes.engine.lines import Line
from probes.engine.records import Clean, Recorder
from probes.engine.room import forward_width, record_bytes
from probes.engine.surgery import Parts
from probes.engine.ways import by_ways, ways_of
from probes.errors import LimitError

if TYPE_CHECKING:
    from probes.engine.execute import Engine

Result = tuple[int, tuple[float, ...]]

_MOST_OF_FREE = 0.4
"""A record may take this share of the free memory; what is run on it needs room too."""


class Edited:
    """Runs jobs with edits for an engine; keeps the clean record of the last few lines."""

    KEPT = 2

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._clean: dict[Line, Clean] = {}

    def results(self, jobs: Sequence[Job], how: str, report: Report) -> Iterator[Result]:
        """Every job's log-probabilities, line by line; the report says how."""
        lines: dict[Line, list[tuple[int, Job]]] = {}
        for index, job in enumerate(jobs):
            lines.setdefault(Line.of(job), []).append((index, job))
        forwards = self.engine.forwards(report)
        forwards.lends = True
        for line, members in lines.items():
            ways, why = ways_of(self.engine.anatomy, line.longest, how)
            report.how, report.why = ways[0], report.why or why
            places = {
                index: [line.continuations.index(c) for c in job.continuations] for index, job in members
            }
            runs = changed_runs(line, members, len(self.engine.anatomy.layers))
            for index, sums in self._line(forwards, line, runs, ways):
                yield index, tuple(sums[place] for place in places[index])

    def _line(
        self, forwards: Forwards, line: Line, runs: Sequence[Changed], ways: Sequence[Way]
    ) -> Iterator[Result]:
        waiting = {run.index: run for run in runs}

        def attempt(way: Way, left: list[Changed]) -> Iterator[Result]:
            return self._score(way, forwards, line, left)

        def failed() -> None:
            self._clean.pop(line, None)  # the next round is checked from its first run on

        with refused_in_words():
            yield from by_ways(ways, forwards.report, waiting, attempt, failed)

    def _score(self, way: Way, forwards: Forwards, line: Line, runs: Sequence[Changed]) -> Iterator[Result]:
        if way == "tree":
            clean = self.clean(line, forwards)
            restart = self.engine.anatomy.can("restart")
            return score_restarted(forwards, clean, runs, 2 * self.engine.chunk_tokens, restart=restart)
        together = way == "batches" and not forwards.length_matters(line.longest)
        return score_hooked(forwards, line, runs, self.engine.chunk_tokens if together else 0)

    def memory(self, nodes: int) -> int:
        """Bytes, about, that runs on a line of so many nodes take beside the weights: record and forward."""
        engine = self.engine
        if not engine.anatomy.attention_layers:
            return 0
        parts, item = Parts(engine.model, engine.anatomy), engine.model.dtype.itemsize
        forward = max(nodes, 2 * engine.chunk_tokens) * forward_width(engine.model, engine.anatomy, parts)
        return record_bytes(engine.anatomy, parts, nodes, item) + forward * item

    def _check_memory(self, line: Line) -> None:
        if not self.engine.anatomy.attention_layers or self.engine.model.device.type != "cpu":
            return
        parts = Parts(self.engine.model, self.engine.anatomy)
        needed = record_bytes(self.engine.anatomy, parts, len(line), self.engine.model.dtype.itemsize)
        free = free_bytes()
        if needed > _MOST_OF_FREE * free:
            raise LimitError("memory_inside", needed=f"{needed / 1e9:.1f}", free=f"{free / 1e9:.1f}")

    def clean(self, line: Line, forwards: Forwards) -> Clean:
        """The clean run of `line`, kept for the calls that follow."""
        if line not in self._clean:
            self._check_memory(line)
            recorder = Recorder(forwards, Parts(self.engine.model, self.engine.anatomy))
            shares = ways_of(self.engine.anatomy, line.longest, "auto")[0][0] == "tree"
            found = recorder.shared(line) if shares else recorder.plain(line)
            while len(self._clean) >= self.KEPT:
                self._clean.pop(next(iter(self._clean)), None)
            self._clean[line] = found
        return self._clean[line]
