"""The command line: what it prints, what it refuses, and with which exit code."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from probes.cli import build, language, main
from probes.commands.shared import Context
from probes.studies import STUDIES

ROOT = Path(__file__).resolve().parents[1]
OWN = "--question", "How often?", "--answers", "0=never;1=once"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRUX_CACHE", str(tmp_path / "cache"))


def call(*words: str) -> int:
    """Run in this process; the exit code."""
    try:
        main(list(words))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_help_needs_neither_torch_nor_transformers() -> None:
    code = "import sys; from probes.cli import build; build('en').get_help; print(sorted(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "transformers", "altair", "streamlit", "rjieba", "pandas"} & set(eval(out))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_command_and_option_has_help(lang: str) -> None:
    group = build(lang)
    commands = [*group.commands.values(), *group.commands["models"].commands.values()]
    for command in commands:
        assert command.help, command.name
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, (command.name, option.name)


def test_options_of_a_study_are_all_on_the_command_line() -> None:
    group = build("en")
    for study in STUDIES.values():
        offered = {p.name for p in group.commands[study.name].params}
        assert {o.name for o in study.options} <= offered


def test_asking(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("ask", "--preset", "coffee-zh", "--lang", "zh") == 0
    out = capsys.readouterr().out
    assert out.startswith("模型回答“一次”（")
    assert "其他一切" in out


def test_json_goes_to_stdout_alone_or_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "record.json"
    assert call("ask", "--preset", "coffee-en", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["schema"] == 1
    assert printed["top"] == "1"
    assert call("ask", "--preset", "coffee-en", "--json", str(path), "--csv", str(tmp_path / "a.csv")) == 0
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["answers"] == printed["answers"]
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").startswith("set,")


def test_own_passage_from_a_file_and_from_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "passage.txt"
    path.write_text("\ufeffI walked into the bank.\n", encoding="utf-8")
    assert call("ask", "--passage", str(path), *OWN, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert first["passage"] == "I walked into the bank."
    import io

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"I walked into the bank.")))
    assert call("ask", "--passage", "-", *OWN, "--json") == 0
    assert json.loads(capsys.readouterr().out)["answers"] == first["answers"]


def test_words_can_be_joined_split_and_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "passage.txt"
    path.write_text("我走进咖啡店", encoding="utf-8")
    base = ["words", "--passage", str(path), "--question", "几次？", "--answers", "count", "--json"]
    texts = {}
    for name, extra in {"plain": [], "join": ["--join", "0-3"], "split": ["--split", "2"]}.items():
        assert call(*base, *extra) == 0
        texts[name] = [row["text"] for row in json.loads(capsys.readouterr().out)["rows"]]
    assert texts == {
        "plain": ["我", "走进", "咖啡店"],
        "join": ["我走进", "咖啡店"],
        "split": ["我", "走", "进", "咖啡店"],
    }


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["ask"], 2, "--preset"),
        (["ask", "--preset", "nowhere"], 2, "coffee-zh"),
        (["ask", "--preset", "coffee-en", "--drop", "latté"], 2, "latte"),
        (["ask", "--preset", "coffee-en", "--drop", "walked#9"], 2, "9"),
        (["ask", "--preset", "coffee-en", "--target", "7"], 2, "7"),
        (["ask", "--preset", "coffee-en", "--template", "chat"], 2, "chat template"),
        (["ask", "--preset", "coffee-en", "--model", "no/such/model"], 3, "no/such/model"),
        (["ask", "--preset", "coffee-en", "--json", "/nowhere/x.json"], 2, "/nowhere"),
        (["words", "--preset", "coffee-en", "--mode", "burn"], 2, "burn"),
        (["ask", "--passage", "/nowhere.txt", *OWN], 2, "/nowhere.txt"),
        (["ask", "--preset", "coffee-en", "--answers", "1=once"], 2, "two"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_value(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*words) == code
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("text", "code"), [("", 2), ("  \n ", 2), ("…！？", 2), ("word " * 2000, 4)])
def test_passages_that_cannot_be_run(
    text: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "passage.txt"
    path.write_text(text, encoding="utf-8")
    assert call("words", "--passage", str(path), *OWN) == code
    assert "Traceback" not in capsys.readouterr().err


def test_a_file_that_is_no_text_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "passage.txt"
    path.write_bytes(b"\xff\xfe\x00bad")
    assert call("ask", "--passage", str(path), *OWN) == 2
    assert "UTF-8" in capsys.readouterr().err


def test_the_language_is_the_asked_one_or_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CRUX_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert language([]) == "en"
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert language([]) == "zh"
    assert language(["ask", "--lang", "en"]) == "en"
    assert language(["--lang=en", "ask"]) == "en"
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert language([]) == "en"


def test_presets_and_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("presets", "--json") == 0
    ids = [p["id"] for p in json.loads(capsys.readouterr().out)]
    assert ids[:2] == ["coffee-zh", "coffee-en"]
    assert call("presets", "coffee-en") == 0
    assert "walked into" in capsys.readouterr().out
    assert call("models", "list") == 0
    assert "smollm2" in capsys.readouterr().out


def test_checking_the_built_in_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("models", "check", "builtin", "--json") == 0
    about = json.loads(capsys.readouterr().out)
    assert about["kind"] == "builtin"
    assert all(finding["ok"] for finding in about["anatomy"]["findings"])
    assert call("models", "check", "--lang", "zh") == 0
    assert "正常" in capsys.readouterr().out


def test_context_speaks_its_language() -> None:
    assert Context("zh").say("other") != Context("en").say("other")


def test_other_answers_for_a_preset_have_no_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    other = ["ask", "--preset", "coffee-en", "--answers", "a=never;b=once", "--json"]
    assert call(*other) == 0
    assert json.loads(capsys.readouterr().out)["right"] is None
    assert call(*other, "--right", "b") == 0
    assert json.loads(capsys.readouterr().out)["right"] == "b"
    assert call(*other, "--right", "1") == 2


def test_the_right_answer_may_be_named_as_one_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    records = []
    for right in ("1", "once"):
        assert call("words", "--preset", "coffee-en", "--right", right, "--target", "right", "--json") == 0
        records.append(json.loads(capsys.readouterr().out))
    one, other = records
    assert one["rows"] == other["rows"]
    assert one["clean"]["right"] == other["clean"]["right"] == "1"
    assert one["provenance"]["command_line"] == other["provenance"]["command_line"]


def test_a_pipe_of_another_encoding_still_gets_utf8() -> None:
    command = [sys.executable, "-m", "probes", "presets", "coffee-zh", "--lang", "zh"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    out = subprocess.run(command, capture_output=True, check=True, env=environment).stdout
    assert "咖啡店" in out.decode("utf-8")


def test_help_is_chinese_throughout(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("words", "--help", "--lang", "zh") == 0
    said = capsys.readouterr().out
    for word in ("Usage", "Options:", "default:", "Show this"):
        assert word not in said


@pytest.mark.skipif(os.name != "posix", reason="signals are forwarded by nobody elsewhere")
def test_ending_the_page_ends_its_server(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "probes", "page", "--port", str(port)]
    environment = {**os.environ, "STREAMLIT_SERVER_HEADLESS": "true", "PYTHONPATH": str(ROOT)}
    with (tmp_path / "log.txt").open("wb") as log:
        page = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 120
        while not listens(port):
            assert page.poll() is None
            assert time.monotonic() < until
            time.sleep(0.3)
        page.terminate()
        page.wait(30)
        assert not listens(port)
    finally:
        page.kill()


def listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
