"""A process beside this one that is held to time and memory.

What a stranger's file makes a library do can be told only by doing it: a template's loops, a tokenizer's
patterns. So it is done where it can be ended.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

PATIENCE = 30.0
"""Seconds of the clock, for a machine that is too busy to give the process those of the processor."""


class Held:
    """Runs a script that answers each line of JSON with one; started with the first request, and again after
    it had to be ended. One request at a time: whoever shares it holds a lock.
    """

    def __init__(self, script: str, packages: Sequence[str], addresses: int):
        """
        Args:
            script: the file; it says its process number in a line of its own before the first answer.
            packages: what it may import beside the standard library.
            addresses: bytes of address space that the system refuses to exceed, where it can.
        """
        # the interpreter alone, none of this environment's start-up files, and where the packages lie
        self._command = [sys.executable, "-I", "-S", script, *_places(packages)]
        self._addresses = addresses
        self._talker = ThreadPoolExecutor(1, thread_name_prefix="held-process")
        self._child: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def ask(self, request: Mapping[str, Any], seconds: float, memory: int) -> Any:
        """The answer; None where the process took more than `seconds` of the processor or `memory` bytes, or
        broke down. After that the next request is a new process's.
        """
        found = None
        try:
            child = self._started()
            line = json.dumps(request, default=str).encode() + b"\n"
            answer = self._talker.submit(_exchange, child, line)
            self._watch(answer, seconds, memory)
            found = json.loads(answer.result() or "null")
        finally:
            if found is None:  # nobody may read the rest of an answer as theirs
                self.end()
        return found

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            pipe = subprocess.PIPE
            self._child = subprocess.Popen(  # noqa: S603 - nothing of a visitor's
                self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
            )
            assert self._child.stdout is not None
            # its own word for it: on Windows the interpreter of an environment starts another one
            self._pid = int(self._child.stdout.readline() or self._child.pid)
            _hold_addresses(self._pid, self._addresses)
        return self._child

    def _watch(self, answer: Future[bytes], seconds: float, memory: int) -> None:
        """Wait for the answer; end the process when it takes too much."""
        until = time.monotonic() + PATIENCE
        with contextlib.suppress(psutil.NoSuchProcess):
            child = psutil.Process(self._pid)
            begun = _seconds(child)
            while not wait([answer], timeout=0.02).done:
                late = time.monotonic() > until
                if late or _seconds(child) - begun > seconds or child.memory_info().rss > memory:
                    child.kill()
                    break
        wait([answer])

    def end(self) -> None:
        """End the process, where there is one."""
        if self._child is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(self._pid).kill()
            self._child.kill()
            self._child.communicate()
            self._child = None


def _hold_addresses(pid: int, most: int) -> None:
    """Let the system refuse the process more than `most` bytes; Windows and macOS do not."""
    if sys.platform.startswith("linux"):
        import resource

        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_AS, (most, most))


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


def _places(packages: Sequence[str]) -> list[str]:
    """The folders that hold these packages."""
    specs = [find_spec(package) for package in packages]
    return list(dict.fromkeys(str(Path(spec.origin).parents[1]) for spec in specs if spec and spec.origin))
