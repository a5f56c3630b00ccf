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
FOLDERS = [ROOT / "probes" / "locale", ROOT / "probes" / "studies", ROOT / "dashboard" / "texts"]


def placeholders(text: str) -> set[str]:
    """Those that are shown; a number that only chooses between `|word|words` is no text."""
    found = [(name, spec or "") for _, name, spec, _ in string.Formatter().parse(text) if name]
    shown = {name for name, spec in found if not spec.startswith("|")}
    return shown.union(*(placeholders(spec) for _, spec in found))


def bare(text: str) -> str:
    return re.sub(r"\{[^}]*\}", "", text)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
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


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_text_agrees_with_its_number(lang: str, tmp_path: Path) -> None:
    text = "{n} of {all} heads {n:|flips|flip} it{n:|| {all} ways}"
    (tmp_path / "a.toml").write_text(f'[b]\nen = "{text}"\nzh = "{text}"\n', encoding="utf-8")
    said = [Texts(tmp_path).say("a.b", lang, n=n, all=9) for n in (0, 1, 2, "1")]
    assert said[0] == "0 of 9 heads flip it 9 ways"
    assert said[1] == said[3] == "1 of 9 heads flips it"
    assert said[2] == "2 of 9 heads flip it 9 ways"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_no_counted_noun_is_said_of_one(folder: Path) -> None:
    """ "1 of 24 heads flip", "answer(s)": where one is counted, both forms are written down."""
    faults = []
    for path in folder.glob("*.toml"):
        for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if re.search(r"\w\(s\)|\{\w+\} of \{\w+\} \w+ [a-z]+ (the|nothing)\b", entry["en"]):
                faults.append(f"{path.stem}.{name}")
    assert not faults


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_words_that_say_something_else_are_not_used(folder: Path) -> None:
    """联系 is what a page says over its address and telephone; 单位 is left to units of measurement; and what
    is darker on a light page is lighter on a dark one.
    """
    faults = []
    for path in folder.glob("*.toml"):
        for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
            wrong = (("联系|单位(?! nat)|越深", entry["zh"]), ("(?i)darker", entry["en"]))
            if any(re.search(words, text) for words, text in wrong):
                faults.append(f"{path.stem}.{name}")
    assert not faults


def test_every_check_of_a_model_has_a_text() -> None:
    source = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "probes" / "engine").glob("*.py"))
    tried = set(re.findall(r"Finding\(\s*\"(\w+)\"|_try\(\s*subject\.(\w+)", source))
    named = {name for pair in tried for name in pair if name}
    known = {key.removeprefix("checks.") for key in Texts(FOLDERS[0]).keys() if key.startswith("checks.")}  # noqa: SIM118
    assert named
    assert named <= known, f"no text for {sorted(named - known)}"
