"""What a client makes up, on every page: query strings, fields, states of components. The page goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from dashboard.state import PARAMETERS
from tests.load.host import Host, hosted
from tests.load.loop import Loop, looping
from tests.load.visitor import Visitor

PATIENCE = 240.0
PAGES = (
    *("", "smallest", "order", "pairs", "heads", "links", "layers", "studies"),
    *("lecture", "class", "join", "record", "models"),
)
UNFORESEEN = ("unforeseen", "unexpected", "went wrong")
HOSTILE = (
    "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "[link](javascript:alert(1)) $\\href{javascript:alert(1)}{x}$ :material/x: {0} %s",
    "../../../../etc/passwd\x00\u202e\ud7ff",
    "9" * 400,
    "A" * 20_000,
)
STATES: tuple[Any, ...] = (
    {"selection": {"revision": 0, "removed": [10**12, -5, True, "x", None], "order": {"a": 1}}},
    {"selection": {"revision": 1, "removed": {"length": 9}, "order": [[]]}},
    {"pressed": {"arc": 10**9, "word": -1, "revision": "x"}, "kept": "x" * 5_000},
    {"kept": {"a": []}, "selection": "x", "pressed": [1, 2]},
    {"selection": {"heads": [{"layer": "0", "head": None}, {"layer": 10**9, "head": 1}, 7]}},
    [],
    None,
    7,
)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with hosted(tmp_path_factory.mktemp("forged")) as found:
        yield found


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    with looping() as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_unforeseen(host: Host) -> Iterator[None]:
    yield
    assert host.faults() == []
    assert host.process.is_running()


async def shown(visitor: Visitor) -> None:
    """The page rests, and nobody foresaw all that is on it."""
    await visitor.until(lambda: visitor.page.rests, PATIENCE)
    said = " ".join(visitor.page.texts("alert")).casefold()
    assert not any(part in said for part in UNFORESEEN), said
    assert not visitor.page.has("exception")


@pytest.mark.parametrize("page", PAGES)
def test_forged_query_strings(host: Host, loop: Loop, page: str) -> None:
    async def visits() -> None:
        visitor = Visitor(host.url)
        for hostile in HOSTILE:
            for names in ([p.name for p in PARAMETERS], ["room", "embed", "v", "lang", "passage"]):
                await visitor.open(urlencode(dict.fromkeys(names, hostile[:3000])), page)
                await shown(visitor)
        for broken in ("%", "%ff%fe=%", "a=b&&&=&=x;;", "lang=en&" + "x=1&" * 2_000):
            await visitor.open(broken, page)
            await shown(visitor)
        await visitor.leave()

    loop.run(visits())


@pytest.mark.parametrize("page", PAGES)
def test_hostile_text_in_every_field_and_forged_states(host: Host, loop: Loop, page: str) -> None:
    async def visits() -> None:
        visitor = Visitor(host.url)
        await visitor.open("lang=en&passage=coffee-en", page)
        await shown(visitor)
        for hostile in HOSTILE:
            await all_at_once(visitor, {kind: {"string_value": hostile} for kind in TEXTS})
        for state in STATES:
            told = json.dumps(state)
            await all_at_once(
                visitor, {"bidi_component": {"json_value": told}, "vega_lite_chart": {"string_value": told}}
            )
        await visitor.leave()

    loop.run(visits())


TEXTS = ("text_input", "text_area", "selectbox", "number_input")


async def all_at_once(visitor: Visitor, values: dict[str, dict[str, Any]]) -> None:
    """Every element of these kinds says this, and every form is sent."""
    here = visitor.page
    here.values.clear()
    for _, node in list(here.nodes.items()):
        if node.kind in values and getattr(node.proto, "id", ""):
            here.values[node.proto.id] = WidgetState(id=node.proto.id, **values[node.kind])
    sends = [n.proto.id for _, n in here.found("button") if getattr(n.proto, "is_form_submitter", False)]
    for name in sends or [""]:
        ran = here.run
        await visitor.send(here.rerun(trigger=WidgetState(id=name, trigger_value=True) if name else None))
        await visitor.until(lambda ran=ran: here.run != ran, PATIENCE)  # type: ignore[misc]
        await shown(visitor)
