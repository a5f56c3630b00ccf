"""READMEs and docs: short enough, every link leads somewhere, every example runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

import probes
from probes.cli import build
from scripts import api

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
READMES = [ROOT / "README.md", ROOT / "README.zh.md"]


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) < 1200


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not link.startswith("http")]
    gone = [link for link in links if not (page.parent / link.partition("#")[0]).exists()]
    assert not gone


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.zh.md")), ids=lambda page: page.name)
def test_both_languages_have_the_same_pages(page: Path) -> None:
    assert page.with_name(page.name.replace(".zh", "")).exists()


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_what_the_readme_does_in_python_runs(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(
        r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    names: dict[str, Any] = {}
    exec(code, names)
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert names["result"].headline


def blocks(page: Path, language: str) -> list[str]:
    """What stands in a page between fences of a language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def lines(page: Path) -> list[str]:
    told = [line.partition("  # ")[0] for block in blocks(page, "sh") for line in block.splitlines()]
    return [line.strip() for line in told if line.startswith("crux ")]


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_every_command_of_the_readme_is_one(page: Path) -> None:
    """Parsed, not run: `a | b` stands for each of several."""
    group, found = build("en"), 0
    for line in lines(page):
        words = shlex.split(line)[1:]
        start = 1 if words[0] == "models" else 0
        ends = [i for i, word in enumerate(words) if word == "|"]
        names = [words[start], *(words[i + 1] for i in ends)]
        rest = words[(ends[-1] + 2 if ends else start + 1) :]
        for name in names:
            command: click.Command = group
            for part in (*words[:start], name):
                assert isinstance(command, click.Group)
                command = command.commands[part]
            needs_more = any(isinstance(p, click.Argument) and p.required for p in command.params)
            if not needs_more or rest:
                command.make_context(name, list(rest))
            found += 1
    assert found > 10


def test_the_reference_is_what_the_docstrings_say() -> None:
    assert (ROOT / "docs" / "api.md").read_text(encoding="utf-8") == api.written(), (
        "run python -m scripts.api"
    )
    told = {name for names in api.PARTS.values() for module, name in names if module == "probes"}
    assert told == set(probes.__all__) - {"__version__"}
