"""A hosted page and what any client may send it: others are served all the same, and its memory is kept."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import served
from tests.browser.rude import Rude

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Hosted = tuple[str, int]
PATIENCE = 120.0


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with served(tmp_path_factory.mktemp("hosted"), CRUX_HOSTED="1") as found:
        first = Rude(found[0]).open("lang=en&passage=coffee-en")
        first.until_drawn(PATIENCE)  # the model is loaded by now
        first.close()
        yield found


def megabytes(process: int) -> float:
    told = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text(encoding="utf-8"))
    assert told
    return int(told[1]) / 1024


def test_uploads_are_bounded_and_their_memory_with_them(hosted: Hosted) -> None:
    url, process = hosted
    visitors = [Rude(url).open("lang=en&passage=coffee-en") for _ in range(3)]
    for visitor in visitors:
        visitor.until_drawn(PATIENCE)
    before, answers, told = megabytes(process), Counter[int](), set[str]()
    for visitor in visitors:
        for _ in range(10):
            status, text = visitor.upload(os.urandom(1_900_000))
            answers[status] += 1
            told.add(re.sub(r"[\d,]{9,}", "N", text, count=1))
    for visitor in visitors:
        visitor.close()
    assert answers == {204: 3, 413: 27}
    assert any("this page holds 2,000,000 at most" in text for text in told)
    assert megabytes(process) < 1.1 * before


def test_clearing_the_caches_all_the_time_holds_up_nobody(hosted: Hosted) -> None:
    url, process = hosted
    rude, before = Rude(url).open(), megabytes(process)
    rude.until_drawn(PATIENCE)
    times = []
    for _ in range(3):
        for _ in range(5):
            rude.clear_caches()
            time.sleep(0.2)
        other, begun = Rude(url).open("lang=en&passage=coffee-en"), time.monotonic()
        said = other.until_drawn(PATIENCE)
        times.append(time.monotonic() - begun)
        other.close()
        assert said[-1].startswith("The model says")
    rude.close()
    assert megabytes(process) < 1.1 * before  # nothing was loaded a second time


def test_a_giant_link_is_refused_with_its_numbers(hosted: Hosted) -> None:
    """Answers beyond what a hosted page scores, in a passage of many words."""
    url, _ = hosted
    answers = ";".join(f"{n}={'way ' * 10}{n}" for n in range(40))
    visitor = Rude(url).open(f"lang=en&passage=coffee-en&answers={answers.replace(' ', '%20')}")
    said = visitor.until_drawn(PATIENCE)
    assert any("40 answers" in text and "20" in text for text in said), said
    visitor.close()
