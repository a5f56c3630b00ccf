"""Settings: what is asked for is had; what means nothing is refused at the start, with what would do."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.hosting.settings import Rate, read_settings
from dashboard.limits import Limits
from probes.errors import InputError
from probes.locale import TEXTS
from probes.models.source import BUILTIN

ROOT = Path(__file__).parents[2]


def read(folder: Path, text: str, **environment: str) -> object:
    path = folder / "host.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings({"CRUX_SETTINGS": str(path), **environment})


def test_a_page_of_ones_own_is_not_held_up() -> None:
    found = read_settings({})
    assert (found.hosted, found.rate, found.frames, found.token) == (False, None, (), "")
    assert found.limits == Limits()


def test_a_hosted_page_has_its_models_and_a_rate() -> None:
    found = read_settings({"CRUX_HOSTED": "1"})
    assert found.limits.models == ("builtin", "smollm2")
    assert found.rate == Rate()
    assert found.frames == ("'self'",)
    assert read_settings({"CRUX_HOSTED": "0"}).hosted is False
    assert read_settings({"CRUX_HOSTED": "1", "CRUX_HOSTED_MODELS": " builtin "}).limits.models == (
        "builtin",
    )


def test_what_the_file_says_is_had(tmp_path: Path) -> None:
    text = """
        hosted = true
        [limits]
        characters = 700
        [rate]
        questions = 7
        [proxy]
        addresses = ["10.0.0.0/8", "::1"]
        header = "CF-Connecting-IP"
        [page]
        frame_ancestors = ["'self'", "https://*.example.org:8443"]
        [models.builtin]
        [models."owner/name"]
        revision = "0123456789012345678901234567890123456789"
        weights = "%s"
    """
    found = read(tmp_path, text % ("ab" * 32), CRUX_OPERATOR_TOKEN="t" * 24)
    assert (found.limits.characters, found.limits.runs, found.rate.questions) == (700, 400, 7)
    assert [str(one) for one in found.proxies] == ["10.0.0.0/8", "::1/128"]
    assert (found.header, found.frames[1]) == ("cf-connecting-ip", "https://*.example.org:8443")
    assert found.limits.models == ("builtin", "owner/name")
    assert found.limits.pins["owner/name"].weights == "ab" * 32
    assert "tttt" not in repr(found)


BAD = {
    "settings_toml": "hosted = ",
    "settings_key": "hostde = true",
    "settings_section": "limits = 3",
    "settings_number": "[limits]\ncharacters = 0",
    "settings_flag": "hosted = 1",
    "settings_list": '[proxy]\naddresses = "10.0.0.1"',
    "settings_header": '[proxy]\nheader = "X: y"',
    "settings_network": '[proxy]\naddresses = ["10.0.0.1/8"]',
    "settings_frame": "[page]\nframe_ancestors = [\"'self'; script-src *\"]",
    "settings_models_own": "[models.builtin]",
    "settings_models_none": "hosted = true\n[models]",
    "settings_model": 'hosted = true\n[models."/etc"]',
    "settings_pin": 'hosted = true\n[models."qwen3-0.6b"]',
    "settings_hash": 'hosted = true\n[models.builtin]\nweights = "abc"',
    "settings_commit": f'hosted = true\n[models."o/n"]\nrevision = "main"\nweights = "{"ab" * 32}"',
}


@pytest.mark.parametrize(("key", "text"), BAD.items(), ids=BAD)
def test_what_means_nothing_is_refused(key: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path, text)
    assert refused.value.key == key
    assert refused.value.say("zh") != refused.value.say("en")


@pytest.mark.parametrize("value", ["true", "-1", "1.5", '"5"', str(10**30), "[1]"])
def test_a_cap_is_a_whole_number(value: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"limits\.runs"):
        read(tmp_path, f"[limits]\nruns = {value}")


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ({"CRUX_OPERATOR_TOKEN": "short"}, "settings_token"),
        ({"CRUX_SETTINGS": "/nowhere/at/all.toml"}, "settings_file"),
        ({"CRUX_HOSTED": "1", "CRUX_HOSTED_MODELS": "gpt2"}, "settings_pin"),
        ({"CRUX_HOSTED": "1", "CRUX_HOSTED_MODELS": ","}, "settings_models_none"),
    ],
)
def test_the_environment_is_checked_too(environment: dict[str, str], key: str) -> None:
    with pytest.raises(InputError) as refused:
        read_settings(environment)
    assert refused.value.key == key


def test_the_server_ends_with_the_sentence(tmp_path: Path) -> None:
    (tmp_path / "host.toml").write_text("hosted = 1")
    code = "from dashboard.hosting.settings import settings_or_exit; settings_or_exit()"
    environment = {"CRUX_SETTINGS": str(tmp_path / "host.toml"), "PYTHONPATH": str(ROOT), "PATH": ""}
    made = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 1
    assert made.stderr.strip() == "The setting hosted is true or false, not 1."


def test_texts_of_settings_ask_for_the_same_in_both_languages() -> None:
    def names(text: str) -> list[str]:
        return sorted(re.findall(r"{(\w+)", text))

    keys = [key for key in list(TEXTS.keys()) if key.startswith("errors.settings_")]
    assert keys
    for key in keys:
        assert names(TEXTS.raw(key, "en")) == names(TEXTS.raw(key, "zh"))


def test_the_built_in_model_is_pinned_to_the_file_that_is_there() -> None:
    pins = read_settings({"CRUX_HOSTED": "1"}).limits.pins
    assert pins["builtin"].weights == hashlib.sha256((BUILTIN / "model.safetensors").read_bytes()).hexdigest()
