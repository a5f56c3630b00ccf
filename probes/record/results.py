"""One record for the screen, the command line, a link and a file.

A `ProbeResult` is a plain JSON-able dictionary with a schema version, tidy rows (one a trial) and provenance.
Field names of schema 1 are public: more may be added, none changes its meaning.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from probes.record.notebook import as_html

SCHEMA = 1

BOM = "\ufeff"
"""Tells Excel that a CSV file is UTF-8; without it, it takes Chinese for another encoding."""
_BEGINS = re.compile(r'[\t\r\n]|[\s;,|"]*[-+=@＝＋－＠]')
_FORMULA = re.compile(
    r"""(?P<before>
      [;,|\t\r\n][\s"]*                  # behind a sign that a sheet may split at
    | \s"*(?=\S\S)                       # or at a space
    )
    (?P<sign> [=@＝＠＋－] | [+-] (?! [\d.][\d.e+-]* (?: [\s;,|\]}"] | $ ) ) )  # but no negative number
    """,
    re.VERBOSE,
)
_NUMBERS = re.compile(r"\[\n\s+([-+.\deE,\s]+?)\s+\]")


@dataclass(frozen=True)
class ProbeResult:
    """What one study found for one model and one question."""

    study: str
    data: Mapping[str, Any]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The tidy rows, one a trial: of `ask`, one an answer."""
        return list(self.data.get("rows") or self.data.get("answers", []))

    @property
    def headline(self) -> str:
        return str(self.data["headline"])

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return as_html(self.headline, self.rows, self.data.get("units", ()))

    def to_json(self) -> str:
        """Indented, a list of numbers on one line; a line end never stands inside a JSON string."""
        text = json.dumps(self.data, ensure_ascii=False, indent=1, allow_nan=False)
        return _NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text)

    def to_csv(self, *, bom: bool = False) -> str:
        """The rows and, marked in the column `set`, the groups of equal words, with one column an answer.

        Args:
            bom: begin with the mark by which Excel knows UTF-8.
        """
        kind = "unit" if "rows" in self.data else "answer"
        table = [{"set": kind, **_flat(row)} for row in self.rows]
        table += [{"set": "group", **_flat(row)} for row in self.data.get("groups", [])]
        columns = list(dict.fromkeys(name for row in table for name in row))
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(map(_cell, columns))
        writer.writerows([_cell(row.get(name, "")) for name in columns] for row in table)
        return (BOM if bom else "") + out.getvalue()


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """One line of a table: answers become columns, nested values JSON, the prompt stays out."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if name == "answers":
            flat |= {f"p({a['answer']})": a["probability"] for a in value}
        elif name in ("prompt", "prompt_ids", "scored"):
            continue
        else:
            flat[name] = json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value
    return flat


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula is quoted, as OWASP advises for CSV.

    A sheet may guess another separator than the comma, so a formula is looked for behind each of them.
    """
    if not isinstance(value, str):
        return value
    return ("'" if _BEGINS.match(value) else "") + _FORMULA.sub(r"\g<before>'\g<sign>", value)
