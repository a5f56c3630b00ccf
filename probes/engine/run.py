"""Results of a job list as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from probes.engine.jobs import Report
from probes.engine.turns import Turns

Result = tuple[int, tuple[float, ...]]
Progress = Callable[[int, int], None]


class Run(Iterator[Result]):
    """Results as they come, in any order: (index of the job, log-probability of each continuation in nats).

    Between two results the model is free for other threads, and between two forwards for those who wait.

    Attributes:
        report: how the jobs were run, complete once every result has been taken.
    """

    def __init__(
        self,
        results: Iterator[Result],
        report: Report,
        total: int,
        on_progress: Progress | None,
        lock: Turns,
    ) -> None:
        self.report = report
        self._lock = lock
        self._results = results
        self._total = total
        self._done = 0
        self._on_progress = on_progress

    def __next__(self) -> Result:
        with self._lock:
            wall, cpu = time.perf_counter(), time.process_time()
            try:
                result = next(self._results)
            finally:
                self.report.seconds += time.perf_counter() - wall
                self.report.cpu_seconds += time.process_time() - cpu
        self._done += 1
        if self._on_progress is not None:
            self._on_progress(self._done, self._total)
        return result
