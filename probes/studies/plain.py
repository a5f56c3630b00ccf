"""What is said of a record whose study says nothing of its own: drawn from its rows, never an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probes.locale import TEXTS, say
from probes.numbers import nats, shortened
from probes.record.leads import flips_clearly
from probes.studies.columns import Side, Table, strongest_first, word_label
from probes.studies.telling import aimed, joined, opening, quoted_text, says, strongest_of

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

Record = Mapping[str, Any]
MOST = 8
"""Columns of a plain table."""
_NAMES = ("text", "name", "layer", "head", "part", "index", "k")


def name_of(row: Mapping[str, Any]) -> str:
    """A row as a list names it: its text, its place in the model, or whatever it begins with."""
    if "text" in row:
        return word_label({"occurrence": 1, "occurrences": 1, **row})
    places = [str(row[name]) for name in _NAMES if isinstance(row.get(name), (str, int))]
    if places:
        return ".".join(places)
    return next((shortened(str(value)) for value in row.values() if isinstance(value, (str, int))), "–")


def sentence(data: Record, lang: str) -> str:
    """What the model says and, where rows have effects, the one that moves the answer most."""
    if "clean" not in data:
        return says(data, data, lang, "headline.says") if "answers" in data else ""
    rows = [row for row in data.get("rows", ()) if row.get("flips") is not None]
    if not rows or any("effect_log_prob" not in row for row in rows):
        return joined(opening(data, lang), lang)
    strongest = strongest_of(rows)
    what = quoted_text(name_of(strongest), lang)
    flips = sum(flips_clearly(row, data) for row in rows)
    said = [
        say("headline.plain_strongest", lang, what=what, of=aimed(data, lang), nats=nats(strongest)),
        say("headline.plain_flips", lang, flips=flips, all=len(rows)),
    ]
    return joined([*opening(data, lang), *said], lang)


def table(study: str, data: Record, lang: str) -> Table:
    """The first fields of the rows that hold one value each, strongest first where rows have effects."""
    rows = list(data.get("rows") or data.get("answers") or ())
    simple = (str, int, float, bool, type(None))
    names = dict.fromkeys(n for row in rows for n, value in row.items() if isinstance(value, simple))
    chosen = [name for name in names if name != "prompt"][:MOST]
    if rows and all("effect_log_prob" in row for row in rows):
        rows = strongest_first(rows)
    numeric = {n for n in chosen if all(isinstance(row.get(n), (int, float, type(None))) for row in rows)}
    heads: list[tuple[str, Side]] = [
        (_title(study, name, lang), "right" if name in numeric else "left") for name in chosen
    ]
    return Table(heads, [[_cell(row.get(name)) for name in chosen] for row in rows])


def _title(study: str, name: str, lang: str) -> str:
    key = next((k for k in (f"{study}.col_{name}", f"cli.col_{name}") if TEXTS.has(k)), None)
    return say(key, lang) if key else name


def _cell(value: Any) -> str:
    if value is None:
        return "n/a"
    return f"{value:.4g}" if isinstance(value, float) else shortened(str(value))


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Bars of the effects; where rows have none, the answers."""
    from probes import charts

    rows = result.data.get("rows") or []
    if rows and all("effect_log_prob" in row for row in rows):
        return charts.unfinished([(name_of(row), row["effect_log_prob"]) for row in rows], lang)
    return charts.answers(result, lang)
