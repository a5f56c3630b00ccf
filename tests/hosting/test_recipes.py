"""The recipes of docs/hosting.md, run as far as this machine goes: the image's steps, nginx in front."""

from __future__ import annotations

import gzip
import json
import re
import shlex
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.hosting.settings import read_settings
from scripts import hosting
from tests.browser.conftest import served

ROOT = Path(__file__).parents[2]
HERE = ROOT / "docs" / "hosting"
PATIENCE = 240.0
DOCKER = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
STEPS = [line.split(maxsplit=1) for line in DOCKER.splitlines() if line.strip() and not line.startswith("#")]
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
client = pytest.importorskip("websockets.sync.client")


@pytest.mark.parametrize("lang", hosting.PAGES)
def test_the_docs_have_the_numbers_of_the_code(lang: str) -> None:
    told = hosting.PAGES[lang].read_text(encoding="utf-8")
    assert told == hosting.written(lang), "run python -m scripts.hosting"
    assert "`limits.characters`" in told


@pytest.mark.parametrize("name", ["behind-proxy.toml", "framed.toml"])
def test_the_settings_of_the_recipes_mean_something(name: str) -> None:
    assert read_settings({"CRUX_SETTINGS": str(HERE / name)}).hosted


# ---- the image


def environment() -> dict[str, str]:
    told = [word for kind, rest in STEPS if kind == "ENV" for word in shlex.split(rest)]
    return dict(word.split("=", 1) for word in told)


def test_the_image_copies_what_is_there_and_runs_without_rights() -> None:
    kinds = [kind for kind, _ in STEPS]
    user = kinds.index("USER")
    assert "root" not in STEPS[user][1]
    assert user < kinds.index("COPY") < kinds.index("CMD")
    for kind, rest in STEPS:
        if kind == "COPY":
            assert all((ROOT / one).exists() for one in shlex.split(rest)[1:-1])
    assert kinds[0] == "FROM"
    assert re.match(r"python:3\.1[123]", STEPS[0][1])


def test_models_are_fetched_before_the_network_is_given_up() -> None:
    fetch = next(n for n, (kind, rest) in enumerate(STEPS) if kind == "RUN" and "models fetch" in rest)
    offline = next(n for n, (kind, rest) in enumerate(STEPS) if kind == "ENV" and "HF_HUB_OFFLINE=1" in rest)
    assert fetch < offline < len(STEPS) - 1
    fetched = STEPS[fetch][1].split()[-1]
    allowed = read_settings(environment()).limits.models
    assert set(allowed) <= {"builtin", fetched}


def test_what_the_image_leaves_out_is_not_needed_to_run() -> None:
    left = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert not {"dashboard", "probes", ".streamlit", "requirements.txt", "pyproject.toml", "README.md"} & set(
        left
    )
    command = json.loads(next(rest for kind, rest in STEPS if kind == "CMD"))
    assert command[:2] == ["streamlit", "run"]
    assert (ROOT / command[2]).exists()


# ---- nginx


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with the image's environment, behind nginx as the recipe has it: its address."""
    if NGINX is None or shutil.which("openssl") is None:
        pytest.skip("no nginx (Debian: apt install nginx-light)")
    folder = tmp_path_factory.mktemp("nginx")
    given = {name: value for name, value in environment().items() if name.startswith(("CRUX_H", "STREAMLIT"))}
    given |= {"HF_HUB_OFFLINE": "1", "CRUX_SETTINGS": str(HERE / "behind-proxy.toml")}
    given |= {"STREAMLIT_SERVER_BASE_URL_PATH": "crux", "CRUX_HOSTED_MODELS": "builtin"}
    with served(folder, health="crux/_stcore/health", **given) as (url, _):
        inner = url.rstrip("/").rpartition(":")[2]
        outer = str(int(inner) + 1)
        keys = ["-keyout", str(folder / "crux.key"), "-out", str(folder / "crux.pem")]
        make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", *keys]
        subprocess.run(make, check=True, capture_output=True)
        server = (HERE / "nginx.conf").read_text(encoding="utf-8")
        for old, new in (
            ("127.0.0.1:8501", f"127.0.0.1:{inner}"),
            ("listen 443", f"listen 127.0.0.1:{outer}"),
            ("/etc/ssl/", f"{folder}/"),
        ):
            assert old in server
            server = server.replace(old, new)
        temporary = "".join(
            f"{one}_temp_path {folder}/{one};" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        whole = f"pid {folder}/pid; error_log {folder}/error; events {{}} http {{ {temporary}\n{server}\n}}"
        (folder / "nginx.conf").write_text(whole, encoding="utf-8")
        command = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
        process = subprocess.Popen(command)
        try:
            yield f"https://localhost:{outer}/crux/"
        finally:
            process.terminate()
            process.wait(20)


TRUSTING = ssl._create_unverified_context()


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60, context=TRUSTING) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as refused:
            if refused.code not in (502, 503) or time.monotonic() > until:
                return refused.code, dict(refused.headers), refused.read()
        except OSError:
            if time.monotonic() > until:
                raise
        time.sleep(0.5)


@pytest.mark.slow
def test_the_page_is_ready_behind_nginx_with_its_headers(page: str) -> None:
    status, told, body = get(page + "healthz")
    assert (status, json.loads(body)) == (200, {"ready": True})
    status, told, body = get(page)
    assert status == 200
    assert b"<title>Streamlit" in body
    for name in ("content-security-policy", "strict-transport-security", "x-frame-options"):
        assert name in told


@pytest.mark.slow
def test_what_the_first_page_loads_is_a_third_on_the_way(page: str) -> None:
    """The scripts that the page names itself, before its own code asks for more."""
    _, _, html = get(page)
    names = re.findall(r'"\./(static/[^"]+\.(?:js|css))"', html.decode())
    assert len(names) > 20
    sent = plain = 0
    for name in names:
        _, told, body = get(page + name, Accept_Encoding="gzip")
        sent += len(body)
        plain += len(gzip.decompress(body)) if told.get("content-encoding") == "gzip" else len(body)
    assert sent < plain / 3, (sent, plain)


@pytest.mark.slow
def test_a_visitor_is_answered_through_tls_and_prefix(page: str) -> None:
    get(page + "healthz")  # once it is ready
    address = page.replace("https", "wss") + "_stcore/stream"
    ways = {"subprotocols": ["streamlit"], "ssl": TRUSTING, "max_size": None, "ping_interval": None}
    with client.connect(address, additional_headers={"X-Forwarded-For": "6.6.6.6"}, **ways) as socket:
        asked, heads, message = BackMsg(), [], ForwardMsg()
        asked.rerun_script.query_string = "lang=en&passage=coffee-en"
        socket.send(asked.SerializeToString())
        until = time.monotonic() + PATIENCE
        while message.WhichOneof("type") != "script_finished":
            message.ParseFromString(socket.recv(timeout=until - time.monotonic()))
            if message.delta.new_element.WhichOneof("type") == "heading":
                heads.append(message.delta.new_element.heading.body)
    assert heads[-1].startswith("The model says")
