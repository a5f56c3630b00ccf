"""What is installed: ranges that hold the pins, and a part that runs without the page's libraries."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGE = PROJECT["optional-dependencies"]["page"]
PINS = dict(
    line.split("==")
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if "==" in line
)


def test_every_range_holds_its_pin_and_every_pin_has_a_range() -> None:
    ranges = {one.name: one for one in map(Requirement, [*PROJECT["dependencies"], *PAGE])}
    assert set(ranges) | {"setuptools"} == set(PINS)
    assert [name for name, one in ranges.items() if PINS[name] not in one.specifier] == []


WITHOUT = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        gone = name.partition(".")[0] in {missing}
        return None if gone else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from probes.cli import main
main({arguments})
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["words", "--preset", "coffee-en", "--no-cache", "--csv", "-"],
        ["heads", "--preset", "coffee-zh", "--no-cache", "--no-cumulative", "--lang", "zh"],
        ["models", "list"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_command_line_needs_nothing_of_the_page(arguments: list[str]) -> None:
    missing = {re.split(r"[><=]", one)[0].replace("-", "_") for one in PAGE} | {"vl_convert"}
    code = WITHOUT.format(missing=sorted(missing), arguments=arguments)
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert made.returncode == 0, made.stderr
    assert made.stdout


def test_a_folder_of_ones_own_called_dashboard_is_not_started(tmp_path: Path) -> None:
    """`crux page` serves the one that lies beside the package, whatever lies where it is called."""
    (tmp_path / "dashboard").mkdir()
    (tmp_path / "dashboard" / "__init__.py").write_text("raise RuntimeError('not this one')\n")
    (tmp_path / "dashboard" / "app.py").write_text("raise RuntimeError('not this one')\n")
    code = "from probes.commands.catalogue import app; print(app())"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    made = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(made.stdout.strip()) == ROOT / "dashboard" / "app.py"
