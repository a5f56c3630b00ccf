"""What goes wrong around a page: models, disks, signals, visitors who leave. Others are answered."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
import pytest
import streamlit

from dashboard.values import packed
from tests.browser.conftest import ROOT, served
from tests.load.host import hosted
from tests.load.loop import Loop, looping
from tests.load.people import Person
from tests.load.tally import Tally
from tests.load.visitor import Gone, Visitor

PATIENCE = 240.0
COFFEE = {"lang": "en", "passage": "coffee-en"}
ANSWER = "The model says"
LONG = " ".join(f"On day {n} I walked to the shop and back." for n in range(22))


@pytest.fixture
def loop() -> Iterator[Loop]:
    with looping() as found:
        yield found


async def answered(url: str, link: dict[str, str] | None = None) -> str:
    """What a new visitor is told."""
    one = Person(url, Tally(), "Zqnobody", 1)
    one.patience = PATIENCE
    assert await one.opened(link or COFFEE), one.tally.refused
    said = one.visitor.page.texts("heading")[0]
    await one.visitor.leave()
    return said


def log_of(folder: Path) -> str:
    return (folder / "server.txt").read_text(encoding="utf-8", errors="replace")


# ---- models


def test_a_model_whose_files_are_others_is_refused_and_the_way_on_works(tmp_path: Path, loop: Loop) -> None:
    """Its weights are not those that the settings mean."""
    folder = tmp_path / "smollm2"
    folder.mkdir()
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        (folder / name).write_bytes(b"\x00" * 1000)
    with hosted(tmp_path, folder) as host:
        visitor = loop.run(Visitor(host.url).open(urlencode({**COFFEE, "model": "smollm2"})))
        page = visitor.page
        loop.run(visitor.until(lambda: page.rests and page.has("alert"), PATIENCE))
        said = " ".join(page.texts("alert"))
        assert "went wrong" not in said
        assert str(tmp_path) not in said
        back = next(n.proto.id for _, n in page.found("button") if "built-in" in n.proto.label)
        loop.run(visitor.send(page.pressed(back.split("-", 2)[-1])))
        loop.run(visitor.until(lambda: page.rests and ANSWER in str(page.texts("heading")), PATIENCE))
        assert loop.run(answered(host.url)).startswith(ANSWER)
        assert host.faults() == []


# ---- disks


def corrupt(folder: Path) -> None:
    (folder / "trials.sqlite").write_bytes(b"no database at all" * 500)


def half_corrupt(folder: Path) -> None:
    """Of a real one every page behind the first is overwritten."""
    from probes.record.store import Store, key_of

    store = Store(folder / "trials.sqlite")
    store.put({key_of(n): {"n": "x" * 200} for n in range(400)})
    store.close()
    with (folder / "trials.sqlite").open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(4096)
        file.write(os.urandom(size - 4096))


@pytest.mark.parametrize("harm", [corrupt, half_corrupt])
def test_a_broken_cache_costs_no_answer(tmp_path: Path, loop: Loop, harm: Any) -> None:
    harm(tmp_path)
    with served(tmp_path) as (url, _):
        assert loop.run(answered(url)).startswith(ANSWER)
    assert "Traceback" not in log_of(tmp_path)


def test_a_folder_that_nobody_may_write_costs_no_answer(tmp_path: Path, loop: Loop) -> None:
    with served(tmp_path, CRUX_CACHE="/proc/crux") as (url, _):
        assert loop.run(answered(url)).startswith(ANSWER)
    assert "results are not kept on disk" in log_of(tmp_path)
    assert "Traceback" not in log_of(tmp_path)


@pytest.mark.parametrize("host", [True, False], ids=["hosted", "own"])
def test_a_full_disk_costs_no_answer(tmp_path: Path, loop: Loop, host: bool) -> None:
    """No file of the process may grow any more: results and log alike."""
    given = {"CRUX_HOSTED": "1"} if host else {}
    with served(tmp_path, **given) as (url, process):
        before = loop.run(answered(url))
        resource.prlimit(process, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        assert loop.run(answered(url)) == before
        fresh = {**COFFEE, "out": "3.9", "mode": "hide"}
        assert loop.run(answered(url, fresh)).startswith(ANSWER)
        resource.prlimit(process, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if not host:
        with sqlite3.connect(tmp_path / "trials.sqlite") as base:
            assert base.execute("pragma integrity_check").fetchone() == ("ok",)


# ---- signals


def test_a_page_that_is_killed_begins_again_where_it_was(tmp_path: Path, loop: Loop) -> None:
    """What was kept is whole, and is looked up; the run that was cut off is made anew."""
    long = {"lang": "en", "text": packed(" ".join(f"On day {n} I walked to the shop." for n in range(28)))}
    with served(tmp_path) as (url, process):
        said = loop.run(answered(url))
        visitor = loop.run(Visitor(url).open(urlencode(long)))
        loop.run(visitor.until(lambda: visitor.page.has("progress"), PATIENCE))
        os.kill(process, signal.SIGKILL)
    with sqlite3.connect(tmp_path / "trials.sqlite") as base:
        assert base.execute("pragma integrity_check").fetchone() == ("ok",)
        kept = base.execute("select count(*) from trials").fetchone()[0]
    assert kept > 60
    with served(tmp_path) as (url, _):
        assert loop.run(answered(url)) == said
        loop.run(visitor.leave())
    assert "results are not kept" not in log_of(tmp_path)


@contextmanager
def crux_page(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The page as a person starts it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
    given = {**os.environ, "CRUX_CACHE": str(folder), "STREAMLIT_SERVER_HEADLESS": "true"}
    with (folder / "server.txt").open("wb") as log:
        command = [sys.executable, "-m", "probes", "page", "--port", port]
        process = subprocess.Popen(command, cwd=ROOT, env=given, stdout=log, stderr=log)
        try:
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until and process.poll() is None:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
                    break
                except OSError:
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/", process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(20)


def address_of(url: str) -> tuple[str, int]:
    """Of its server, as a socket takes it."""
    return "127.0.0.1", int(url.rstrip("/").rpartition(":")[2])


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_crux_page_ends_with_its_server(tmp_path: Path, loop: Loop, told: signal.Signals) -> None:
    """With somebody connected and a run under way; nothing is left that listens or computes."""
    with crux_page(tmp_path) as (url, process):
        visitor = loop.run(Visitor(url).open(urlencode({**COFFEE, "mode": "hide"})))
        loop.run(visitor.until(lambda: bool(visitor.page.nodes), PATIENCE))
        whole = [process.pid, *(one.pid for one in psutil.Process(process.pid).children(recursive=True))]
        process.send_signal(told)
        process.wait(30)
        time.sleep(1.0)
        assert not [pid for pid in whole if psutil.pid_exists(pid) and psutil.Process(pid).is_running()]
        with socket.socket() as asked:
            assert asked.connect_ex(address_of(url)) != 0
        loop.run(visitor.leave())
    assert "Traceback" not in log_of(tmp_path)


def test_who_does_not_read_what_was_sent_does_not_keep_the_server(tmp_path: Path) -> None:
    """A phone that sleeps: a line with an answer on it that nobody takes."""
    with crux_page(tmp_path) as (url, process):
        files = Path(streamlit.__file__).with_name("static").rglob("*.js")
        largest = max(files, key=lambda file: file.stat().st_size)
        sleeper = socket.socket()
        sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sleeper.connect(address_of(url))
        sleeper.sendall(f"GET /static/js/{largest.name} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert sleeper.recv(1) == b"H"
        process.send_signal(signal.SIGTERM)
        process.wait(15)
        sleeper.close()
    assert "Traceback" not in log_of(tmp_path)


# ---- visitors


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One hosted page for all that visitors do wrong."""
    with hosted(tmp_path_factory.mktemp("strangers")) as host:
        yield host
        assert host.faults() == []
        assert shutil.which("true") is None or host.process.is_running()


def test_who_leaves_in_the_middle_gives_the_turn_up(strangers: Any, loop: Loop) -> None:
    """Five long runs that nobody waits for any more do not hold up the sixth."""
    for n in range(5):
        text = " ".join(f"On day {n}{m} I walked to the shop and back." for m in range(22))
        visitor = loop.run(Visitor(strangers.url).open(urlencode({"lang": "en", "text": packed(text)})))
        loop.run(visitor.until(lambda v=visitor: v.page.has("progress"), PATIENCE))  # type: ignore[misc]
        loop.run(visitor.leave())
    assert loop.run(answered(strangers.url, {**COFFEE, "out": "30.31"})).startswith(ANSWER)
    until = time.monotonic() + 60
    while strangers.counts()["crux_running_now"]:
        assert time.monotonic() < until, "a run goes on that nobody wants"
        time.sleep(0.5)


@pytest.mark.browser
def test_a_tab_that_is_closed_gives_its_turn_up(strangers: Any, browser: Any, loop: Loop) -> None:
    """With all that Chromium does when a tab is shut while a run goes on."""
    page = browser.new_page()
    page.goto(f"{strangers.url}heads?{urlencode({'lang': 'en', 'text': packed(LONG), 'how': 'mean'})}")
    page.wait_for_selector("[data-testid=stProgress]", timeout=1000 * PATIENCE)
    assert strangers.counts()["crux_running_now"] >= 1
    page.close()
    until = time.monotonic() + 30
    while strangers.counts()["crux_running_now"]:
        assert time.monotonic() < until, "a run goes on that nobody wants"
        time.sleep(0.2)
    assert loop.run(answered(strangers.url, {**COFFEE, "out": "29"})).startswith(ANSWER)


def test_a_message_larger_than_any_buffer_is_not_held(strangers: Any, loop: Loop) -> None:
    before = strangers.megabytes()
    for size in (2_000_000, 60_000_000):
        visitor = loop.run(Visitor(strangers.url).open(urlencode(COFFEE)))
        loop.run(visitor.until(lambda v=visitor: v.page.rests, PATIENCE))  # type: ignore[misc]
        loop.run(ended_by(visitor, b"\x00" * size))
    assert strangers.megabytes() < before + 60
    assert loop.run(answered(strangers.url)).startswith(ANSWER)


async def ended_by(visitor: Visitor, data: bytes) -> None:
    """The server ends the line at this."""

    async def listens() -> None:
        await visitor.send(data)
        await visitor.until(lambda: False, PATIENCE)

    with pytest.raises(Gone):
        await listens()
    await visitor.leave()
