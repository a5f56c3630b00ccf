"""One passage of a file, as its values stand there, and how a fault in it is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from probes.errors import CruxError

PASSAGE = ("passage", "context", "text")
"""What the passage may be called; the first that is there counts."""
Kind = Literal["line", "entry"]


@dataclass(frozen=True)
class Entry:
    """One passage of a file: what stands there for it, unchecked, and where."""

    values: Mapping[str, Any]
    place: str
    """A number, or a path such as data[0].paragraphs[2]."""
    kind: Kind = "line"
    gold: tuple[str, ...] = ()
    """Texts of the right answer, of files whose `answers` are the right ones and not those compared."""

    def refused(self, fault: CruxError) -> CruxError:
        """`fault`, told with the entry's place."""
        if self.kind == "line":
            return type(fault)("over_line", line=self.place, reason=fault)
        return type(fault)("over_entry", entry=self.place, reason=fault)


def shown(value: Any) -> str:
    """A value for an error, cut short."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    return text if len(text) <= 60 else f"{text[:60]}…"
