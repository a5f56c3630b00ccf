"""The header of a .gguf file, read with every count held against the file's size before it is believed.

The library that unpacks such files makes room for whatever a header claims, and walks lists of any length;
here a claim that cannot be true ends the reading at once.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAGIC = b"GGUF"
FIELDS, TENSORS, ELEMENTS = 10_000, 100_000, 4_000_000
"""The most of each that is read: the largest published files stay far below."""
_NAME, _TEXT, _KEPT = 65_536, 4_000_000, 10_000
_SPARE = 65_536
"""Elements of lists that any file may have, however small its vocabulary."""
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


class Broken(ValueError):
    """No GGUF file, or one whose counts cannot be true; the text says which."""


@dataclass
class RawHeader:
    """`fields`: numbers, texts, and short lists of numbers; of long lists and lists of texts, the length."""

    fields: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Shapes by name, as the file has them: the fastest dimension first."""


def read(path: Path) -> RawHeader:
    """Read the header at the beginning of `path`.

    Raises:
        Broken: see there.
        OSError: the file cannot be opened.
    """
    if not path.is_file() or path.stat().st_size < 24:
        raise Broken("no GGUF")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _Reader(data).header()
        except (UnicodeDecodeError, struct.error) as error:
            raise Broken(type(error).__name__) from error


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0
        self._order = "<"
        self._elements = 0

    def header(self) -> RawHeader:
        if self._take(4) != MAGIC:
            raise Broken("no GGUF")
        if self._number("I") & 0xFFFF == 0:
            self._order = ">"
        self._at = 4
        version = self._number("I")
        if version not in (2, 3):
            raise Broken(f"version {version}")
        found = RawHeader()
        tensors = self._count("Q", TENSORS, "tensors")
        for _ in range(self._count("Q", FIELDS, "fields")):
            name = self._text(_NAME)
            if name in found.fields:
                raise Broken("a field twice")
            found.fields[name] = self._value(self._number("I"))
        self._tensors(found, tensors)
        longest = max((max(shape) for shape in found.tensors.values()), default=0)
        if self._elements > _SPARE + 16 * longest:
            raise Broken(f"lists of {self._elements:,}")
        return found

    def _tensors(self, found: RawHeader, count: int) -> None:
        extents = []
        for _ in range(count):
            name = self._text(_NAME)
            if name in found.tensors:
                raise Broken("a tensor twice")
            shape = tuple(self._number("Q") for _ in range(self._count("I", 8, "dimensions")))
            extents.append((self._number("I"), math.prod(shape), self._number("Q")))
            if not shape or min(shape) < 1:
                raise Broken("an empty tensor")
            found.tensors[name] = shape
        align = found.fields.get("general.alignment", 32)
        if not isinstance(align, int) or align < 1 or align & (align - 1):
            raise Broken("alignment")
        start = -(-self._at // align) * align
        for kind, numbers, offset in extents:
            if start + offset + _bytes(kind, numbers) > len(self._data):
                raise Broken("cut short")

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text(_TEXT)
        if kind in _SCALARS:
            return self._number(_SCALARS[kind])
        if kind != _ARRAY:
            raise Broken(f"type {kind}")
        kind = self._number("I")
        count = self._count("Q", ELEMENTS, "elements")
        self._elements += count
        if self._elements > ELEMENTS:
            raise Broken(f"lists of {self._elements:,}")
        if kind == _STRING:
            for _ in range(count):
                self._skip(self._count("Q", _TEXT, "characters"))
            return count
        if kind not in _SCALARS:
            raise Broken("a list of lists" if kind == _ARRAY else f"type {kind}")
        code = _SCALARS[kind]
        if count > _KEPT:
            self._skip(count * struct.calcsize(f"<{code}"))
            return count
        layout = f"{self._order}{count}{code}"
        return list(struct.unpack(layout, self._take(struct.calcsize(layout))))

    def _number(self, code: str) -> Any:
        layout = self._order + code
        return struct.unpack(layout, self._take(struct.calcsize(layout)))[0]

    def _count(self, code: str, most: int, what: str) -> int:
        """A number of things that follow, each of at least one byte."""
        count = int(self._number(code))
        if count > most or count > len(self._data) - self._at:
            raise Broken(f"{count:,} {what}")
        return count

    def _text(self, most: int) -> str:
        return self._take(self._count("Q", most, "characters")).decode("utf-8")

    def _take(self, count: int) -> bytes:
        start = self._at
        self._skip(count)
        return self._data[start : self._at]

    def _skip(self, count: int) -> None:
        if count > len(self._data) - self._at:
            raise Broken("cut short")
        self._at += count


def _bytes(kind: int, numbers: int) -> int:
    """Bytes of a tensor of `numbers` numbers in GGML's format number `kind`."""
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except (KeyError, ValueError) as error:
        raise Broken(f"number format {kind}") from error
    return -(-numbers // block) * size
