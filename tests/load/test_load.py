"""Half a minute of many visitors: nobody is shown a wrong number, or another's words, and nobody is refused.

How long answers take depends on the machine, and is told by `make load`; here it is only bounded.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from probes import load_model, run
from probes.asking.question import preset
from probes.running.headline import headline
from tests.load import __main__ as command
from tests.load.host import hosted
from tests.load.known import Known, Request, Shown, alike
from tests.load.plan import Plan, loaded
from tests.load.tally import Tally, quantiles

BOUND = 30.0
"""Seconds for 95 of 100 clicks, on a machine that is slow and busy."""


@pytest.mark.slow
def test_half_a_minute_of_sixteen_visitors(tmp_path: Path, smollm2: Path) -> None:
    plan = Plan(visitors=16, minutes=0.5, measuring=1, browsers=0, visits=0, pause=(1.0, 3.0))
    with hosted(tmp_path, smollm2) as host, ThreadPoolExecutor(1) as pool:
        found = pool.submit(asyncio.run, loaded(host, plan, smollm2)).result()
    told = json.dumps(found, indent=1, ensure_ascii=False)
    assert found["answers"] > 8, told
    assert (found["wrong"], found["leaks"], found["faults_in_the_log"]) == (0, 0, []), told
    assert found["refused_percent"] <= 2, told
    for kind in ("cached", "uncached"):
        assert found["seconds"].get(kind, {}).get("p95", 0) < BOUND, told


# ---- what it is measured with


def test_a_leak_is_found_and_ones_own_words_are_none() -> None:
    tally = Tally()
    tally.hear("Zqmymine", b"... Zqmymine ...")
    assert not tally.leaks
    tally.hear("Zqmymine", b"... Zqothers ... Zqmymine")
    assert tally.leaks == {("Zqothers", "Zqmymine")}


def test_a_wrong_answer_is_found() -> None:
    model, question = load_model("builtin"), preset("coffee-en").question()
    right = headline(run("ask", model, question, {"mode": "delete", "target": "top", "at": "0-9"}).data, "en")
    request = Request.of("", {"lang": "en", "passage": "coffee-en", "out": "0"}, words=True)
    known = Known()
    assert known.wrong(request, Shown(right)) == ""
    assert "known" in known.wrong(request, Shown(right.replace("once", "twice")))
    assert "known" in known.wrong(
        Request.of("", {"lang": "en", "passage": "coffee-zh", "out": "0"}), Shown(right)
    )


def test_sentences_are_alike_to_the_last_digit() -> None:
    assert alike("once \\(99\\.9 \\%\\)", "once (99.8 %)")
    assert not alike("once (99.9 %)", "once (98.9 %)")
    assert not alike("once (99.9 %)", "twice (99.9 %)")
    assert not alike("once (99.9 %)", "once (99 %)")


def test_a_click_is_cached_where_somebody_had_the_answer_a_moment_ago() -> None:
    tally = Tally()
    english = Request.of("", {"lang": "en", "passage": "coffee-en"})
    chinese = Request.of("", {"lang": "zh", "passage": "coffee-en"})
    assert tally.kind(english) == "uncached"
    tally.answer("uncached", 1.0, english, Shown("said"))
    assert tally.kind(chinese) == "cached"
    for n in range(200):
        tally.answer("uncached", 1.0, Request.of("", {"out": str(n)}), Shown("said"))
    assert tally.kind(english) == "uncached"


def test_quantiles_are_those_of_the_times() -> None:
    assert quantiles([]) == {"n": 0}
    assert quantiles(range(101)) == {"n": 101, "p50": 50, "p95": 95, "p99": 99, "longest": 100}


def test_the_command_line_says_how_much() -> None:
    given = ["--visitors", "7", "--minutes", "0.5", "--measuring", "1", "--browsers", "0", "--visits", "9"]
    plan, out = command.plan_of([*given, "--out", "x.json"])
    assert (plan, out) == (Plan(7, 0.5, 1, 0, 9), Path("x.json"))
    assert command.plan_of([]) == (Plan(), None)
