"""The service of a hosted page: as `Service`, with each question counted, held to its rate, and logged.

A result that is at hand costs nothing and waits for nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.flights import Visitor
from dashboard.gate import Standing, Waiting, patiently
from dashboard.hosting.counters import COUNTERS
from dashboard.hosting.lines import hashed, lines
from dashboard.hosting.rates import Rates
from dashboard.hosting.settings import Settings
from dashboard.looks import Look
from dashboard.service import Service
from dashboard.shelf import Choice
from probes.asking.question import Question
from probes.errors import CruxError, LimitError
from probes.record.results import ProbeResult
from probes.studies import STUDIES


def asker() -> tuple[str, str]:
    """Session and address of the visitor for whom this thread works; two empty texts where it is for none."""
    run = get_script_run_ctx(suppress_warning=True)
    if run is None:
        return "", ""
    from streamlit import runtime

    client: Any = None
    if runtime.exists():
        client = getattr(runtime.get_instance().get_client(run.session_id), "client_context", None)
    return run.session_id, str(getattr(client, "remote_ip", None) or "")


class Watched(Service):
    """See the module's docstring. Threads of all visitors call it.

    Args:
        settings: of this host.
        who: session and address of who asks.
    """

    def __init__(self, settings: Settings, who: Callable[[], tuple[str, str]] = asker) -> None:
        super().__init__(None, settings.limits)
        self._rates, self._who = Rates(settings), who

    def run(
        self,
        study: str,
        choice: Choice,
        question: Question,
        options: Mapping[str, Any],
        *,
        waiting: Waiting = patiently,
        **more: Any,
    ) -> ProbeResult:
        if found := self.known(study, choice, question, options):
            COUNTERS.add("cached")
            return found
        with self._watched(study, choice, waiting) as told:
            return super().run(study, choice, question, options, waiting=told, **more)

    def attention(
        self,
        choice: Choice,
        question: Question,
        waiting: Waiting = patiently,
        visitor: Visitor | None = None,
    ) -> Look:
        if found := self._looks.get(self.identity("attention", choice, question, {})):
            return found
        with self._watched("attention", choice, waiting) as told:
            return super().attention(choice, question, told, visitor)

    @contextmanager
    def _watched(self, study: str, choice: Choice, waiting: Waiting) -> Iterator[Waiting]:
        session, address = self._who()
        named = study if study in STUDIES or study in ("attention", "lecture") else "?"
        model = choice.spec if choice.spec in self.limits.models else "?"
        about = {"session": hashed(session) if session else None, "study": named, "model": model}
        begun, ended = time.monotonic(), "stopped"  # by a Stop, or with its tab, where nothing else is said
        try:
            if session:
                self._rates.question(session, address)
            with COUNTERS.during("running_now"), ExitStack() as line:
                yield _in_line(waiting, line)
            COUNTERS.add("runs", named)
            ended = "done"
        except CruxError as fault:
            ended = fault.key
            if not isinstance(fault, LimitError):  # those are counted where they are made
                COUNTERS.add("errors", fault.key)
            raise
        finally:
            lines().write("run", **about, seconds=round(time.monotonic() - begun, 3), ended=ended)


def _in_line(waiting: Waiting, line: ExitStack) -> Waiting:
    """`waiting`, counted as long as somebody is in front."""
    waits = False

    def told(standing: Standing) -> None:
        nonlocal waits
        if standing.ahead and not waits:
            line.enter_context(COUNTERS.during("in_line_now"))
        if waits and not standing.ahead:
            line.close()
        waits = standing.ahead > 0
        waiting(standing)

    return told
