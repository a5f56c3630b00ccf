"""The operator's page and the log: counts and lines for whoever may see them, and nobody's words."""

from __future__ import annotations

import io
import json
import logging
import re
import statistics
import time
import urllib.parse
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette

from dashboard.hosting import lines as module
from dashboard.hosting.counters import Counters
from dashboard.hosting.lines import Lines, hashed, without_words
from dashboard.hosting.operator import operator_routes, prometheus, right, table
from dashboard.hosting.settings import Settings
from dashboard.hosting.watched import Watched
from dashboard.limits import Limits
from dashboard.shelf import Choice
from probes.asking.question import Question, preset
from tests.hosting.asked import Heard, ask

TOKEN = "a-token-of-enough-letters-0123"
SECRET = "a sentence of somebody's own"


def page(path: str = "/operator", token: str = TOKEN, **asked: object) -> Heard:
    return ask(Starlette(routes=operator_routes(token)), path, **asked)


def form(token: str) -> dict[str, object]:
    return {"method": "POST", "body": urllib.parse.urlencode({"token": token}).encode()}


def bearer(token: str) -> dict[str, object]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


def test_without_a_token_there_is_no_such_page() -> None:
    for path in ("/operator", "/operator/metrics"):
        for asked in ({}, bearer(""), bearer("x")):
            assert page(path, token="", **asked).status == 404
    assert page(token="", **form("")).status == 404


def test_only_the_token_opens_it() -> None:
    assert (page().status, "<form" in page().body) == (401, True)
    for wrong in ("x", "", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\u00e9", "x" * 5000):
        heard = page(**form(wrong))
        assert (heard.status, "<table" in heard.body) == (401, False)
    for asked in (bearer("x"), {}, {"headers": {"Authorization": TOKEN}}):
        heard = page("/operator/metrics", **asked)
        assert (heard.status, heard.body) == (401, "")
    for asked in (form(TOKEN), bearer(TOKEN)):
        heard = page(**asked)
        assert (heard.status, "<table" in heard.body) == (200, True)
        assert heard.headers["cache-control"] == "no-store"
        assert TOKEN not in heard.body


def test_a_token_in_the_address_opens_nothing() -> None:
    assert page(f"/operator?token={TOKEN}").status in (401, 404)


def test_comparing_takes_as_long_whatever_is_wrong() -> None:
    """The median of many comparisons, wrong at the first letter and at the last; bounded loosely."""

    def seconds(given: str) -> float:
        found = []
        for _ in range(300):
            begun = time.perf_counter()
            for _ in range(20):
                right(given, long)
            found.append(time.perf_counter() - begun)
        return statistics.median(found)

    long = "a" * 4000
    assert 0.5 < seconds("b" + long[1:]) / seconds(long[:-1] + "b") < 2


def test_prometheus_can_read_it() -> None:
    counters = Counters()
    counters.add("runs", "words")
    counters.add("runs", "words")
    counters.add("refusals", 'x"}\n evil 1')
    with counters.during("visitors_now"):
        text = prometheus(counters.all())
    line = re.compile(r'[a-z_]+(\{kind="[A-Za-z0-9_.]+"\})? [0-9.e+]+|# TYPE [a-z_]+ (counter|gauge)')
    assert [one for one in text.splitlines() if not line.fullmatch(one)] == []
    assert 'crux_runs_total{kind="words"} 2' in text
    assert "crux_visitors_now 1" in text
    assert "crux_visitors_now 0" in prometheus(counters.all())
    assert "<script>" not in table({"runs": {"<script>": 1}}, "zh")


# ---- lines


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream, before = io.StringIO(), module._ours[0]
    module._ours[0] = Lines(stream)
    yield stream
    module._ours[0] = before


def test_a_line_tells_of_a_run_and_of_nobodys_words(written: io.StringIO) -> None:
    limits = Limits.from_environment({"CRUX_HOSTED": "1"})
    shop = Watched(Settings(limits), who=lambda: ("the-session", "8.8.8.8"))
    base = preset("coffee-en").question()
    question = Question(base.passage, SECRET, base.answers, answer_prefix=base.answer_prefix)
    options = {"mode": "delete", "target": "top", "at": None, "control": 0}
    shop.run("ask", Choice(), question, options)
    with pytest.raises(Exception, match="only"):
        shop.run("ask", Choice(SECRET), question, options)
    with pytest.raises(KeyboardInterrupt):
        shop.run(
            *("words", Choice(), question, {"mode": "delete", "unit": "word", "target": "top"}),
            on_progress=lambda *_: (_ for _ in ()).throw(KeyboardInterrupt),
        )
    done, refused, stopped = map(json.loads, written.getvalue().splitlines())
    assert (done["event"], done["study"], done["model"], done["ended"]) == ("run", "ask", "builtin", "done")
    assert (refused["model"], refused["ended"]) == ("?", "page_model")
    assert stopped["ended"] == "stopped"
    assert done["seconds"] >= 0
    assert SECRET not in written.getvalue()
    assert "the-session" not in written.getvalue()
    assert "8.8.8.8" not in written.getvalue()
    assert done["session"] == refused["session"] == hashed("the-session") != hashed("another")


def test_a_line_stays_a_line(written: io.StringIO) -> None:
    module.lines().write("run", study='x\n{"event": "forged"}\u2028', refused=None)
    (only,) = written.getvalue().splitlines()
    assert json.loads(only)["study"].startswith("x\n")
    assert "refused" not in json.loads(only)


def test_libraries_log_places_and_no_words(capsys: pytest.CaptureFixture[str]) -> None:
    before, stream = logging.getLogRecordFactory(), io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.setLogRecordFactory(without_words)
    foreign, own = logging.getLogger("uvicorn.error"), logging.getLogger("dashboard.test")
    for one in (foreign, own):
        one.addHandler(handler)
    try:
        foreign.error("of %s", SECRET)
        foreign.warning(f"of {SECRET}")
        try:
            raise ValueError(SECRET)
        except ValueError:
            foreign.exception(SECRET)
        own.error("our own words")
    finally:
        logging.setLogRecordFactory(before)
        for one in (foreign, own):
            one.removeHandler(handler)
    said = stream.getvalue()
    assert SECRET not in said
    assert said.count("test_operator.py:") == 4  # each of three, and where the fault was
    assert "ValueError at test_operator.py" in said
    assert "our own words" in said
    assert "Traceback" not in said


class Full(io.StringIO):
    """A log on a full disk."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_log_that_takes_no_more_costs_no_answer() -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (Full(), closed):
        Lines(stream).write("run", study="ask")
