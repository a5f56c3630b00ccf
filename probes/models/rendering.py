"""Run a chat template where it can be stopped: in a process of its own, held to time and memory.

A template comes with the model, from whoever made it, and is a program: loops in loops run for hours, one
multiplication makes a string of gigabytes. No reading of its source tells which; so it is run, and ended
when it takes more than any real template does. The process is kept for the next question: it starts in
a tenth of a second and then answers in a millisecond.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import psutil

from probes.errors import LimitError
from probes.models import template_process

CHARACTERS = 100_000
"""Of a template; the longest in use have about 30,000."""
SECONDS = 1.0
"""Of the processor, for the talks that are rendered together; a real template takes some milliseconds."""
MEMORY = 400 * 2**20
"""Bytes the process may hold, asked about 50 times a second; where the system can, it keeps it to less."""
PATIENCE = 30.0
"""Seconds of the clock, for a machine that is too busy to give the process its second."""


@dataclass(frozen=True)
class Fault:
    """A talk that the template did not render, and why in its own words."""

    reason: str


def render(template: str, talks: Sequence[Mapping[str, Any]]) -> list[str | Fault]:
    """What the template makes of each talk, as `apply_chat_template` does; the clock stands at midnight.

    Args:
        talks: the variables of each rendering: messages, add_generation_prompt, special tokens.

    Raises:
        LimitError: the template is too long, or takes too much time or memory.
    """
    if len(template) > CHARACTERS:
        raise LimitError("template_long", characters=len(template), most=CHARACTERS)
    answers = _process().ask({"template": template, "day": date.today().isoformat(), "talks": list(talks)})
    return [answer["text"] if "text" in answer else Fault(answer["fault"]) for answer in answers]


@cache
def _process() -> _Process:
    return _Process()


class _Process:
    """The process beside this one, started with the first request and again after it had to be ended."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._talker = ThreadPoolExecutor(1, thread_name_prefix="chat-template")
        self._child: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def ask(self, request: Mapping[str, Any]) -> list[dict[str, str]]:
        with self._turn:
            child = self._started()
            answers: list[dict[str, str]] = []
            try:
                line = json.dumps(request, default=str).encode() + b"\n"
                answer = self._talker.submit(_exchange, child, line)
                self._watch(answer)
                answers = json.loads(answer.result() or "[]")
            finally:
                if not answers or "heavy" in answers[-1]:  # nobody may read the rest of an answer as theirs
                    self._end()
        if not answers or "heavy" in answers[-1]:
            raise LimitError("template_heavy", seconds=SECONDS, megabytes=MEMORY // 2**20)
        return answers

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            # the interpreter alone, none of this environment's start-up files, and where Jinja lies
            command = [
                sys.executable,
                "-I",
                "-S",
                template_process.__file__,
                *_places("jinja2", "markupsafe"),
            ]
            pipe = subprocess.PIPE
            self._child = subprocess.Popen(  # noqa: S603 - nothing of a visitor's
                command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
            )
            assert self._child.stdout is not None
            # its own word for it: on Windows the interpreter of an environment starts another one
            self._pid = int(self._child.stdout.readline())
        return self._child

    def _watch(self, answer: Future[bytes]) -> None:
        """Wait for the answer; end the process when it takes too much."""
        until = time.monotonic() + PATIENCE
        with contextlib.suppress(psutil.NoSuchProcess):
            child = psutil.Process(self._pid)
            begun = _seconds(child)
            while not wait([answer], timeout=0.02).done:
                late = time.monotonic() > until
                if late or _seconds(child) - begun > SECONDS or child.memory_info().rss > MEMORY:
                    child.kill()
                    break
        wait([answer])

    def _end(self) -> None:
        if self._child is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(self._pid).kill()
            self._child.kill()
            self._child.communicate()
            self._child = None


def _exchange(child: subprocess.Popen[bytes], line: bytes) -> bytes:
    """The answer to a request; empty where the process ended before it came."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(line)
        child.stdin.flush()
    except OSError:
        return b""
    return child.stdout.readline()


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _places(*packages: str) -> list[str]:
    """The folders that hold these packages."""
    specs = [find_spec(package) for package in packages]
    return list(dict.fromkeys(str(Path(spec.origin).parents[1]) for spec in specs if spec and spec.origin))
