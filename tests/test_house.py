"""The house as docs/house.md draws it: every room is on the sheet, none imports a higher one, no circles."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHEET = (ROOT / "docs" / "house.md").read_text(encoding="utf-8").split("```")[1]
FLOORS = [
    name.rstrip("/")
    for line in SHEET.splitlines()
    if (found := re.match(r"  (\w[\w/]*(?: \w[\w/]*)*)  ", line + "  "))
    for name in found[1].split()
]
"""Rooms and modules of `probes` from the ground up, as the sheet names them."""
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "probes").rglob("*.py")
}
APART = {"__init__", "__main__"}


def imported(module: str) -> Iterator[str]:
    """The house's modules that a module imports when it runs, at its top or later; not for types alone."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    types = [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    hidden = {id(inner) for outer in types for inner in ast.walk(outer)}
    for node in ast.walk(tree):
        if id(node) in hidden or not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        for name in node.names:
            whole = f"{node.module}.{name.name}"
            found = whole if whole in MODULES else node.module
            if found in MODULES and found not in (module, "probes"):
                yield found


def floor(module: str) -> int:
    """The highest of its places: a room's own `__init__` stands at the room."""
    first = module.split(".")[1]
    return FLOORS.index(first)


def test_every_room_is_on_the_sheet() -> None:
    here = {path.stem for path in (ROOT / "probes").iterdir() if path.suffix == ".py"} - APART
    here |= {path.name for path in (ROOT / "probes").iterdir() if (path / "__init__.py").exists()}
    assert here | {"presets"} == set(FLOORS)


def test_every_module_of_a_room_that_the_sheet_names_is_there() -> None:
    told = set(re.findall(r"\w+", SHEET))
    for room in ("text", "asking", "record", "running", "report"):
        modules = {path.stem for path in (ROOT / "probes" / room).glob("*.py")} - APART
        missing = {name for name in modules if name not in told and name.split("_")[0] not in told}
        assert not missing, f"docs/house.md does not name {missing}"


@pytest.mark.parametrize("module", [name for name in MODULES if "." in name and "__main__" not in name])
def test_no_module_imports_a_higher_room(module: str) -> None:
    for other in imported(module):
        assert floor(other) <= floor(module), f"{module} imports {other}"


def test_there_are_no_circles() -> None:
    left = {module: set(imported(module)) for module in MODULES}
    while free := [module for module, wanted in left.items() if not wanted & left.keys()]:
        for module in free:
            del left[module]
    assert not left, f"these import each other: {sorted(left)}"
