"""What a visitor looks at: one frozen record, one table of parameters, and the link that holds it.

The link is the state: whatever a visitor chose is written into the page's address, and an address restores
it. Values come from whoever wrote the link, so each is checked as it is read; a bad one falls back to its
default and is named in a note.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from probes.locale import LANGUAGES, Language
from probes.question import TEMPLATES, presets
from probes.trials import Mode, Span

OF_THE_PASSAGE: Final = ("question", "answers", "prefix", "instruction", "joins", "splits", "target")
"""Fields of the state that mean nothing with another passage."""
UNITS: Final = ("word", "sentence", "paragraph", "token")
DEVICES: Final = ("auto", "cpu", "cuda", "mps")
DTYPES: Final = ("auto", "float32", "float16", "bfloat16")
LONGEST_TEXT_IN_LINK: Final = 1500
"""Characters of a compressed passage that a link still carries; links over some 2,000 break in places."""
LONGEST_FIELD: Final = 2000
LONGEST_LINKED_PASSAGE: Final = 20_000
"""Characters; a few bytes can unpack to gigabytes, so unpacking stops here."""


@dataclass(frozen=True)
class State:
    """All that decides what the page shows. `None` in a field of the question: as the preset has it."""

    lang: Language = "en"
    model: str = "builtin"
    revision: str = ""
    device: str = "auto"
    dtype: str = "auto"
    preset: str = "coffee-en"
    text: str = ""
    """A passage of the visitor's own; the preset is not looked at where there is one."""
    question: str | None = None
    answers: str | None = None
    prefix: str | None = None
    instruction: str | None = None
    template: str = "auto"
    joins: tuple[Span, ...] = ()
    splits: tuple[int, ...] = ()
    mode: str = "delete"
    unit: str = "word"
    target: str = "top"
    groups: bool = False
    """Whether equal words are also ranked together."""
    out: frozenset[int] = frozenset()
    """Numbers of the units that are taken away together."""
    pin: frozenset[int] | None = None
    """A set kept to compare with."""

    @property
    def cut(self) -> tuple[object, ...]:
        """What decides which units there are: numbers of units mean nothing under another cut."""
        passage = self.text or self.preset
        model = (self.model, self.revision, self.template) if self.unit == "token" else ()
        return (passage, self.joins, self.splits, self.unit, model)

    def but(self, **changes: Any) -> State:
        """This state with `changes`; what they make meaningless goes back to its default."""
        new = dataclasses.replace(self, **changes)
        if (new.text or new.preset) != (self.text or self.preset):
            plain: dict[str, Any] = {
                name: getattr(State(), name) for name in OF_THE_PASSAGE if name not in changes
            }
            new = dataclasses.replace(new, **plain)
        if new.cut != self.cut:
            new = dataclasses.replace(new, out=changes.get("out", frozenset()), pin=changes.get("pin"))
        return new


# ---- one value in a link


def _choice(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(text)
        return text

    return read


def _field(text: str) -> str:
    if len(text) > LONGEST_FIELD or "\0" in text:
        raise ValueError(text)
    return text


def _numbers(text: str) -> frozenset[int]:
    """`3-5.9` -> {3, 4, 5, 9}; `-` is the empty set."""
    found: set[int] = set()
    for part in text.split(".") if text != "-" else ():
        first, dash, last = part.partition("-")
        low, high = _number(first), _number(last if dash else first)
        if not low <= high < low + 10_000:
            raise ValueError(text)
        found.update(range(low, high + 1))
    return frozenset(found)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 7):
        raise ValueError(text)
    return int(text)


def _write_numbers(numbers: frozenset[int] | None) -> str:
    if numbers is None:
        return ""
    runs: list[list[int]] = []
    for n in sorted(numbers):
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ".".join(f"{a}-{b}" if b > a else f"{a}" for a, b in runs) or "-"


def _spans(text: str) -> tuple[Span, ...]:
    pairs = [part.split("-") for part in text.split(".")]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(text)
    return tuple((_number(a), _number(b)) for a, b in pairs)


def _packed(text: str) -> str:
    data = zlib.compress(text.encode(), 9)
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unpacked(code: str) -> str:
    try:
        data = base64.b64decode(code + "=" * (-len(code) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(data, LONGEST_LINKED_PASSAGE * 4)
        if not unpacker.eof:
            raise ValueError("cut short or too long")
        return raw.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError) as fault:
        raise ValueError(code) from fault


def fits_link(state: State) -> bool:
    """Whether a link can carry the visitor's own passage (presets travel by name)."""
    return len(_packed(state.text)) <= LONGEST_TEXT_IN_LINK if state.text else True


def _packed_if_short(text: str) -> str:
    packed = _packed(text)
    return packed if len(packed) <= LONGEST_TEXT_IN_LINK else ""


# ---- the table


@dataclass(frozen=True)
class Parameter:
    """One field of `State` in a link: its name there, how it is read (ValueError: bad) and written."""

    field: str
    name: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str
    always: bool = False
    """Written even where it has its default, because the default is the visitor's language's."""


PARAMETERS: Final = (
    Parameter("lang", "lang", _choice(*LANGUAGES), always=True),
    Parameter("model", "model", _field),
    Parameter("revision", "revision", _field),
    Parameter("device", "device", _choice(*DEVICES)),
    Parameter("dtype", "dtype", _choice(*DTYPES)),
    Parameter("preset", "passage", lambda name: _choice(*presets())(name), always=True),
    Parameter("text", "text", _unpacked, _packed_if_short),
    Parameter("question", "q", _field),
    Parameter("answers", "answers", _field),
    Parameter("prefix", "prefix", _field),
    Parameter("instruction", "instruction", _field),
    Parameter("template", "template", _choice(*TEMPLATES)),
    Parameter("joins", "joins", _spans, lambda spans: ".".join(f"{a}-{b}" for a, b in spans)),
    Parameter(
        "splits", "splits", lambda t: tuple(sorted(_numbers(t))), lambda s: _write_numbers(frozenset(s))
    ),
    Parameter("mode", "mode", _choice(*(str(m) for m in Mode))),
    Parameter("unit", "unit", _choice(*UNITS)),
    Parameter("target", "target", _field),
    Parameter("groups", "groups", lambda t: bool(int(_choice("0", "1")(t))), lambda on: str(int(on))),
    Parameter("out", "out", _numbers, _write_numbers),
    Parameter("pin", "pin", _numbers, _write_numbers),
)


def from_link(query: Mapping[str, str], default: State) -> tuple[State, list[tuple[str, str]]]:
    """The state that a link asks for, and (name, value) of everything in it that could not be used."""
    known: dict[str, Any] = {}
    bad: list[tuple[str, str]] = []
    for parameter in PARAMETERS:
        if (value := query.get(parameter.name)) is None:
            continue
        try:
            known[parameter.field] = parameter.read(value)
        except ValueError:
            bad.append((parameter.name, value[:60]))
    return dataclasses.replace(default, **known), bad


def to_link(state: State) -> dict[str, str]:
    """The query parameters that restore `state`: only what differs from the defaults."""
    plain = State()
    query = {}
    for parameter in PARAMETERS:
        value = getattr(state, parameter.field)
        if value == getattr(plain, parameter.field) and not parameter.always:
            continue
        if parameter.name == "passage" and state.text:
            continue
        if (written := parameter.write(value)) or parameter.field in ("prefix", "instruction"):
            query[parameter.name] = written
    return query


def default_state(locale: str | None) -> State:
    """Where a visitor starts: their browser's language, and the coffee shop in it."""
    lang: Language = "zh" if (locale or "").lower().startswith("zh") else "en"
    return State(lang=lang, preset=f"coffee-{lang}")


def within(numbers: frozenset[int] | None, units: Sequence[object]) -> frozenset[int]:
    """Those of `numbers` that are numbers of `units`."""
    return frozenset(n for n in numbers or () if n < len(units))
