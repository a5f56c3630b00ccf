"""A hosted page under attack: whatever a client sends, others are answered, and nobody's words are kept."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.browser.conftest import served
from tests.browser.rude import Rude

closed = pytest.importorskip("websockets.exceptions").ConnectionClosed
pytestmark = pytest.mark.slow
MARK = "Zzyzx-nobodys-business"
TOKEN = "a-token-for-these-tests-only"
PATIENCE = 300.0
Host = tuple[str, Path]
HOSTILE = (
    f"<script>{MARK}</script>",
    f"{{{{{MARK}}}}} ${{{MARK}}} %s %n",
    f"../../etc/passwd\x00{MARK}",
    f"'; drop table {MARK}; --",
    f'{MARK}\u202e\u0007\ud7ff\r\n{{"event": "forged"}}',
    MARK * 2_000,
)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("attacked")
    with served(folder, CRUX_HOSTED="1", CRUX_OPERATOR_TOKEN=TOKEN) as (url, _):
        visitor = Rude(url).open("lang=en&passage=coffee-en")
        visitor.until_drawn(PATIENCE)
        visitor.close()
        yield url, folder


@pytest.fixture(autouse=True)
def others_are_answered(host: Host) -> Iterator[None]:
    """After each attack: another visitor is, no log or file holds what was sent, each line is a line."""
    yield
    url, folder = host
    visitor = Rude(url).open("lang=en&passage=coffee-en")
    assert visitor.until_drawn(PATIENCE)[-1].startswith("The model says")
    visitor.close()
    for path in folder.rglob("*"):
        if path.is_file():
            assert MARK.encode() not in path.read_bytes(), path.name
    log = (folder / "server.txt").read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert str(Path.home()) not in log
    for line in log.splitlines():
        assert line.startswith("{") is False or set(json.loads(line)) <= {
            *("at", "event", "session", "study", "model", "seconds", "ended")
        }


def status(url: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("model=/etc/passwd", "only, not"),
        ("model=openai:gpt-4", "only, not"),
        (f"model={MARK}", "only, not"),
        ("model=builtin&revision=main", "by itself"),
        ("model=builtin&device=cuda", "by itself"),
        ("model=builtin&dtype=float16", "by itself"),
        (f"q={MARK * 30}", "characters"),
        (f"answers={';'.join(f'{n}={MARK}{n}' for n in range(60))}", "answers"),
    ],
)
def test_a_forged_link_is_refused_in_words(host: Host, query: str, said: str) -> None:
    visitor = Rude(host[0]).open(f"lang=en&passage=coffee-en&{query}")
    told = visitor.until_drawn(PATIENCE)
    visitor.close()
    assert any(said in text for text in told), told


def test_a_link_of_nonsense_shows_the_page(host: Host) -> None:
    names = "lang model passage text q answers prefix mode unit target out heads look layers study tab chosen"
    for hostile in HOSTILE[:5]:
        value = urllib.parse.quote(hostile)
        visitor = Rude(host[0]).open("&".join(f"{name}={value}" for name in names.split()))
        assert visitor.until_drawn(PATIENCE)
        visitor.close()


def widgets(visitor: Rude) -> list[str]:
    """The ids of everything on the page that sends something; the run is waited for."""
    found: list[str] = []
    until = time.monotonic() + PATIENCE
    while True:
        message = ForwardMsg()
        message.ParseFromString(visitor._socket.recv(timeout=until - time.monotonic()))
        kind = message.WhichOneof("type")
        if kind == "delta":
            whole: Any = message.delta.new_element
            name = whole.WhichOneof("type")
            if name and getattr(getattr(whole, name), "id", ""):
                found.append(getattr(whole, name).id)
        elif kind == "script_finished":
            return found


def test_forged_states_of_every_widget(host: Host) -> None:
    """Of each kind and of none that the widget knows: the page is drawn, or says plainly what is wrong."""
    visitor = Rude(host[0]).open("lang=en&passage=coffee-en")
    ids = widgets(visitor)
    assert len(ids) > 5
    ways: list[dict[str, Any]] = [
        {"string_value": HOSTILE[0]},
        {"int_value": 2**62},
        {"json_value": json.dumps({"pressed": [10**9, -1, MARK], "revision": MARK})},
        {"json_value": "[" * 5_000},
        {"bool_value": True},
        {"trigger_value": True},
        {"double_value": float("nan")},
        {"bytes_value": MARK.encode() * 50},
    ]
    for way in ways:
        asked = BackMsg()
        asked.rerun_script.query_string = "lang=en&passage=coffee-en"
        for name in [*ids, "$$ID-0-none", MARK]:
            asked.rerun_script.widget_states.widgets.append(WidgetState(id=name, **way))
        visitor._socket.send(asked.SerializeToString())
        visitor.until_drawn(PATIENCE)
    visitor.close()


def listen(visitor: Rude) -> None:
    """Until the line ends."""
    while True:
        visitor._socket.recv(timeout=60)


@pytest.mark.parametrize("sent", [b"x" * 1_000_001, b"\xff" * 100, MARK, MARK.encode() * 10], ids=range(4))
def test_a_message_that_is_none_ends_its_line_alone(host: Host, sent: bytes | str) -> None:
    visitor = Rude(host[0])
    visitor._socket.send(sent)
    with pytest.raises(closed):
        listen(visitor)


def test_a_stranger_is_told_nothing_of_the_host(host: Host) -> None:
    url = host[0]
    assert status(f"{url}_stcore/metrics")[0] == 404
    assert status(f"{url}_stcore/agent/openapi.json")[0] == 404
    assert status(f"{url}operator")[0] == 401
    assert status(f"{url}operator/metrics", Authorization=f"Bearer {MARK}") == (401, "")
    assert status(f"{url}operator?token={TOKEN}")[0] == 401
    for path in ("..%2f..%2fetc%2fpasswd", "static/../../app.py", "%00", "dashboard/app.py", "media/../x"):
        code, text = status(url + path)
        assert "root:" not in text
        assert "import" not in text or "modulepreload" in text, (code, path)
    told = status(f"{url}operator/metrics", Authorization=f"Bearer {TOKEN}")[1]
    assert int(re.search(r"crux_visits_total (\d+)", told)[1]) > 3  # type: ignore[index]
    assert MARK not in told


def test_headers_that_lie_change_nothing(host: Host) -> None:
    lies = {"X_Forwarded_For": f"1.2.3.4, {MARK}", "X_Forwarded_Proto": "https", "Forwarded": f"for={MARK}"}
    code, text = status(host[0], **lies)
    assert (code, MARK in text) == (200, False)
    assert status(host[0] + "healthz", **lies)[0] == 200
