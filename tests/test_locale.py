"""Every text in both languages, with the same place-holders, and none that is missing or unused."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path

import pytest

from probes.locale import LANGUAGES, Texts

ROOT = Path(__file__).parents[1]
HAN = r"[\u4e00-\u9fff]"
FOLDERS = [ROOT / "probes" / "locale", ROOT / "dashboard" / "texts"]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def bare(text: str) -> str:
    return re.sub(r"\{[^}]*\}", "", text)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.parent.name)
def test_every_text_has_both_languages_and_the_same_values(folder: Path) -> None:
    faults = []
    for path in folder.glob("*.toml"):
        for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if set(entry) != set(LANGUAGES) or not all(map(str.strip, entry.values())):
                faults.append(f"{path.stem}.{name}: {sorted(entry)}")
            elif placeholders(entry["en"]) != placeholders(entry["zh"]):
                faults.append(f"{path.stem}.{name}: place-holders differ")
            elif len(re.findall(r"[a-z]{4}", bare(entry["en"]))) > 1 and not re.search(HAN, entry["zh"]):
                faults.append(f"{path.stem}.{name}: is the Chinese text Chinese?")
    assert not faults


def test_every_error_raised_has_a_text() -> None:
    source = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "probes").rglob("*.py"))
    source += "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "dashboard").rglob("*.py"))
    raised = set(re.findall(r"(?:Input|Model|Limit|Capability|Crux)Error\(\s*\"(\w+)\"", source))
    known = {key.removeprefix("errors.") for key in Texts(FOLDERS[0]).keys() if key.startswith("errors.")}  # noqa: SIM118
    assert raised
    assert raised <= known, f"no text for {sorted(raised - known)}"


def test_a_missing_text_or_value_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[b]\nen = "{x} is"\nzh = "{x}是"\n', encoding="utf-8")
    texts = Texts(tmp_path)
    assert texts.say("a.b", "zh", x=1) == "1是"
    with pytest.raises(KeyError):
        texts.say("a.c", "en")
    with pytest.raises(KeyError):
        texts.say("a.b", "en")


def test_every_check_of_a_model_has_a_text() -> None:
    source = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "probes" / "engine").glob("*.py"))
    tried = set(re.findall(r"Finding\(\s*\"(\w+)\"|_try\(\s*subject\.(\w+)", source))
    named = {name for pair in tried for name in pair if name}
    known = {key.removeprefix("checks.") for key in Texts(FOLDERS[0]).keys() if key.startswith("checks.")}  # noqa: SIM118
    assert named
    assert named <= known, f"no text for {sorted(named - known)}"
