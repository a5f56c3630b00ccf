"""A chat template is rendered as `transformers` renders it, and stopped when it takes too much."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from transformers import AutoTokenizer

from probes.errors import LimitError
from probes.models import held, rendering
from probes.models.source import BUILTIN
from tests.models.chat_templates import HOSTILE, REAL

USER = {"role": "user", "content": "I went out.\n\n  Twice, “so”?"}
SYSTEM = {"role": "system", "content": "Be brief."}
ASSISTANT = {"role": "assistant", "content": "once"}
TALKS = ([USER], [SYSTEM, USER], [USER, ASSISTANT], [SYSTEM, USER, ASSISTANT, USER])
GREETING = "{% for m in messages %}{{ m.content }}{% endfor %}"


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(BUILTIN)


def in_parts(talk: list[dict[str, str]]) -> list[dict[str, object]]:
    return [{**m, "content": [{"type": "text", "text": m["content"]}]} for m in talk]


def by_transformers(tokenizer, talk, template: str, told: bool) -> str | Exception:
    try:
        return tokenizer.apply_chat_template(
            talk,
            chat_template=template,
            tokenize=False,
            add_generation_prompt=told,
            enable_thinking=False,
        )
    except Exception as fault:  # noqa: BLE001 - the very error that ours must tell of
        return fault


@pytest.mark.parametrize("name", REAL)
def test_real_templates_are_rendered_as_transformers_does(name: str, tokenizer) -> None:
    fixed = {"tools": None, "documents": None, **tokenizer.special_tokens_map, "enable_thinking": False}
    rendered = 0
    for talk in (*TALKS, *map(in_parts, TALKS)):
        for told in (True, False):
            variables = {**fixed, "messages": talk, "add_generation_prompt": told}
            (found,) = rendering.render(REAL[name], [variables])
            expected = by_transformers(tokenizer, talk, REAL[name], told)
            if isinstance(expected, Exception):
                assert isinstance(found, rendering.Fault)
                assert str(expected) in found.reason
            else:
                assert found == expected
                rendered += 1
    assert rendered >= 4


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_template_that_takes_too_much_is_stopped(kind: str) -> None:
    before = psutil.Process().memory_info().rss
    begun = time.process_time()
    with pytest.raises(LimitError) as caught:
        rendering.render(HOSTILE[kind], [{}, {}, {}])
    assert caught.value.key in ("template_heavy", "template_long")
    assert time.process_time() - begun < 1.5
    assert psutil.Process().memory_info().rss - before < 50 * 2**20
    assert rendering.render("still {{ a }}", [{"a": 1}]) == ["still 1"]  # and the next one is served


def test_the_memory_of_a_template_stays_bounded() -> None:
    """Looked at from outside while a string doubles; with some room for what is seen between two looks."""
    rendering.render("", [{}])
    child = psutil.Process(rendering._process()._pid)
    highest = 0
    with ThreadPoolExecutor(1) as other:
        running = other.submit(rendering.render, HOSTILE["a list that doubles"], [{}])
        while not running.done():
            with contextlib.suppress(psutil.NoSuchProcess):
                highest = max(highest, child.memory_info().rss)
            time.sleep(0.002)
    assert isinstance(running.exception(), LimitError)
    assert 0 < highest < 600 * 2**20
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_watched_from_outside_where_the_system_sets_no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows and macOS: here by a bound that lies below the system's."""
    monkeypatch.setattr(rendering, "MEMORY", 100 * 2**20)
    with pytest.raises(LimitError):
        rendering.render("{% set x = 'a' * (3 * 10**8) %}" + HOSTILE["loops in loops"], [{}])


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{% set n = namespace() %}{% set n.__class__ = 1 %}",
        "{{ namespace(__init__=1) }}",
        "{{ raise_exception.__globals__.x }}",
        "{{ strftime_now.__self__.__reduce__() }}",
        "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(0) }}",
        "{{ " + "(" * 9000 + ")" * 9000 + " }}",
        "{% nothing %}",
    ],
)
def test_what_a_template_may_not_do_is_its_fault(template: str) -> None:
    try:
        (found,) = rendering.render(template, [{"messages": []}])
    except LimitError:
        return  # it broke its process
    assert isinstance(found, rendering.Fault)
    assert len(found.reason) <= 300


def test_threads_get_each_their_own_text() -> None:
    def one(number: int) -> bool:
        talk = {"messages": [{"content": f"{number} "} for _ in range(20)]}
        return rendering.render(GREETING, [talk]) == [f"{number} " * 20]

    with ThreadPoolExecutor(6) as threads:
        assert all(threads.map(one, range(120)))


def test_an_answer_that_nobody_waited_for_goes_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody presses Ctrl-C while the template runs."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(held, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            rendering.render("the first", [{}])
    assert rendering.render("the second", [{}]) == ["the second"]


def test_the_process_is_kept_and_started_again_when_it_was_ended() -> None:
    rendering.render("", [{}])
    first = rendering._process()._pid
    rendering.render("", [{}])
    assert rendering._process()._pid == first
    psutil.Process(first).kill()
    rendering._process()._child.wait()
    assert rendering.render("x", [{}]) == ["x"]
    assert rendering._process()._pid != first
