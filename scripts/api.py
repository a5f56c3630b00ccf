"""Write docs/api.md from the docstrings of what scripts use: `python -m scripts.api`."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parents[1] / "docs" / "api.md"
HEAD = """# Python

[README](../README.md)

Made from the docstrings by `python -m scripts.api`. What stands in the first part is imported from `probes`
itself; the rest from the modules named.
"""
PARTS: dict[str, tuple[tuple[str, str], ...]] = {
    "From `probes`": tuple(
        ("probes", name)
        for name in (
            *("load_model", "preset", "presets", "run", "Question", "Passage", "AnswerSet", "Answer"),
            *("Trial", "Mode", "Distribution", "ProbeResult", "CruxError"),
        )
    ),
    "For sets of passages": (("probes.running.over", "run_over"), ("probes.running.sets", "questions_of")),
    "For studies": (
        *(("probes.studies", name) for name in ("Study", "Asking", "Option", "Extent")),
        *(("probes.asking.trials", name) for name in ("Wording", "with_text", "in_order")),
        *(("probes.asking.interventions", name) for name in ("Ablation", "Cut", "Patch", "Reference")),
        *(
            ("probes.asking.readings", name)
            for name in ("Attention", "Lens", "Direct", "Estimates", "Gradients")
        ),
    ),
    "For models": (
        *(("probes.models.base", name) for name in ("AnswerModel", "Scoring", "Prepared", "Outcome")),
        ("probes.models.elsewhere", "Elsewhere"),
    ),
    "For the store": (("probes.record.store", "Store"),),
}
"""What is told, by headings: modules and names in them."""
LONGEST = 100
SECTION = re.compile(r"^(Args|Returns|Raises|Attributes|Yields):$")


def written() -> str:
    """The whole page."""
    lines = [HEAD]
    for title, names in PARTS.items():
        lines.append(f"\n## {title}\n")
        for module, name in names:
            lines += _told(module, name)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def _told(module: str, name: str) -> Iterator[str]:
    found = getattr(importlib.import_module(module), name)
    place = f"`{name}`" if module == "probes" else f"`{name}` <sub>{module}</sub>"
    yield f"### {place}\n"
    yield _code(found, name)
    yield _text(found)
    if inspect.isclass(found):
        for own, member in vars(found).items():
            if not own.startswith("_"):
                yield from _member(own, member)


def _member(name: str, member: Any) -> Iterator[str]:
    plain = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
    if inspect.isfunction(plain) and plain.__doc__:
        yield f"**`.{name}{' '.join(_signature(plain).split())}`**\n"
        yield _text(plain)
    elif (getter := getattr(member, "fget", None) or getattr(member, "func", None)) and getter.__doc__:
        yield f"**`.{name}`**\n"
        yield _text(getter)


def _code(found: Any, name: str) -> str:
    """How it is called: the signature as it stands in the source."""
    if not callable(found) or (
        inspect.isclass(found) and not dataclasses.is_dataclass(found) and _bare(found)
    ):
        return ""
    return f"```text\n{name}{_signature(found)}\n```\n"


def _bare(found: type) -> bool:
    return found.__init__ is object.__init__ or getattr(found, "_is_protocol", False)


def _signature(found: Any) -> str:
    """The parameters and what comes back, over several lines where one is too long."""
    signature = inspect.signature(found)
    parts: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        parts.append(_parameter(parameter))
    back = "" if inspect.isclass(found) else f" -> {signature.return_annotation}"
    line = f"({', '.join(parts)}){back}"
    if len(line) <= LONGEST:
        return line
    return "(\n" + "".join(f"    {part},\n" for part in parts) + f"){back}"


def _parameter(parameter: inspect.Parameter) -> str:
    told = parameter.name
    if parameter.annotation is not parameter.empty:
        told += f": {parameter.annotation}"
    if parameter.default is not parameter.empty:
        value = repr(parameter.default).replace("'", '"')
        told += " = " + (value if len(value) < 40 and "<" not in value else "...")
    return told


def _text(found: Any) -> str:
    """The docstring; its sections as lists."""
    lines: list[str] = []
    inside = False
    for line in (inspect.getdoc(found) or "").splitlines():
        if section := SECTION.match(line):
            lines += ["", f"*{section[1]}*", ""]
            inside = True
        elif inside and re.match(r"    \S", line):
            head, colon, rest = line.strip().partition(": ")
            lines.append(f"- {f'`{head}`: {rest}' if colon else line.strip()}")
        elif inside and line.startswith("        "):
            lines.append(f"  {line.strip()}")
        else:
            inside = inside and not line.strip()
            lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(written(), encoding="utf-8")
