"""How a study's rows are averaged over a set of passages, and what is said of the means.

Rows that stand for the same in every passage have one mean. A study whose rows are words says how they are
named in every passage alike: by their roles, by where they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probes.asking.question import Question
from probes.intervals import CARRIERS, FEWEST
from probes.locale import say
from probes.numbers import percent, shared, signed
from probes.studies.columns import Side, Table, columns
from probes.studies.telling import joined

Record = Mapping[str, Any]
Row = Mapping[str, Any]


def _as_it_is(record: dict[str, Any], _question: Question) -> dict[str, Any]:
    return record


def _removal(_record: Record) -> str:
    return "headline.over_strongest_removal"


@dataclass(frozen=True)
class Over:
    """What a study declares so that it can be run over a set of passages.

    Attributes:
        keys: fields of a row that together say what it stands for in every passage.
        name: a row as a sentence names it; `short`: as a picture does, in few words; `cell`: as a table does.
        column: the name of the table's first column.
        measure: the field that is shown first; `first`, the name of its column.
        share: the measure is a share, told in percent.
        strongest: the text that tells the strongest row of a record; None for a study whose rows change
            nothing, of which none is the strongest.
        placed: a passage's record with its rows' words named as in every passage.
        left_out: errors for which a passage is left out instead of ending the run.
        usable: whether a passage's record tells anything.
        whole: whether a row carries all there is, and is no finding.
        more: sentences of its own about the means.
        note: the text under the table; None for none.
    """

    keys: tuple[str, ...]
    name: Callable[[Row, str], str]
    short: Callable[[Row, str], str]
    cell: Callable[[Row, str], str]
    column: str
    measure: str = "effect_log_prob"
    first: str = "nats"
    share: bool = False
    strongest: Callable[[Record], str] | None = _removal
    placed: Callable[[dict[str, Any], Question], dict[str, Any]] = _as_it_is
    left_out: tuple[str, ...] = ()
    usable: Callable[[Record], bool] = lambda _record: True
    whole: Callable[[Row, Record], bool] = lambda _row, _record: False
    more: Callable[[Record, str], list[str]] = lambda _record, _lang: []
    note: str | None = "cli.over_note"

    def text(self, value: float, digits: int = 2) -> str:
        """A value of the measure."""
        return shared(value) if self.share else signed(value, digits)


# ---- the sentence


def over_sentence(over: Over, data: Record, lang: str) -> str:
    """How many passages, how many of them answered right, and what matters most on average."""
    size = data["over"]["size"]
    told = [p for p in data["over"]["passages"] if p["right"] is not None]
    right = sum(p["top"] == p["right"] for p in told)
    key = "headline.over_right" if told else "headline.over"
    parts = [say(key, lang, size=size, right=right, told=len(told)), *_measured_on(data, lang)]
    if left_out := data["over"]["left_out"]:
        parts.append(say("headline.over_left_out", lang, count=left_out))
    if over.strongest and (strongest := data.get("strongest")):
        parts += _strongest(over, over.strongest(data), strongest, lang)
    if data["agreement"]:
        mean = data["agreement"]
        told_within = within(mean["low"], mean["high"], signed, lang)
        parts.append(say("headline.over_agreement", lang, rho=signed(mean["mean"]), within=told_within))
    return joined([*parts, *over.more(data, lang)], lang)


def _measured_on(data: Record, lang: str) -> list[str]:
    """What effects are measured on, where it is not each passage's own answer on top."""
    target = data.get("target") or {"name": "top"}
    name = target["name"]
    if name == "top":
        return []
    if name in ("right", "right:tempting"):
        of = say(f"headline.of_{name.replace(':', '_')}", lang)
    elif target["text"] is None or target["kind"] is None:
        of = say("headline.of_answer", lang, text=name)
    else:
        pair = {"text": target["text"], "against": target["against_text"]}
        of = say(f"headline.of_{target['kind']}", lang, **pair)
    return [say("headline.measured_on", lang, of=of)]


def within(low: float | None, high: float | None, text: Callable[[float], str], lang: str) -> str:
    """An interval in brackets, nothing where there is none."""
    if low is None or high is None:
        return ""
    return say("headline.within", lang, low=text(low), high=text(high))


def flip_share(row: Row) -> float | None:
    """The share of passages in which a row changes the answer clearly; None where it is no removal."""
    share: float | None = row.get("flips_clearly", row.get("flips"))
    return share


SKEWED = 1.0
"""From this skewness on a mean is not where most values lie, and the sentence says so."""


def _strongest(over: Over, key: str, row: Row, lang: str) -> list[str]:
    """The row that does most on one half of the passages, told on the other half; that a few passages make
    its mean, where they do.
    """
    numbers = {
        "chosen": row["chosen_on"],
        "what": over.name(row, lang),
        "told": row["passages"],
        "mean": over.text(row[over.measure]),
        "within": within(row[f"{over.measure}_low"], row[f"{over.measure}_high"], over.text, lang),
        "flips": percent(flip_share(row) or 0.0),
    }
    said = [say(key, lang, **numbers)]
    if row["passages"] >= 3 and abs(row["skew"] or 0.0) >= SKEWED:
        few = {"carried": row["carried_by"], "of": row["passages"], "median": over.text(row["median"])}
        said.append(say("headline.over_skewed", lang, **few))
    return said


# ---- the table


def over_table(study: str, over: Over, data: Record, lang: str) -> Table:
    """The means, largest first where they are of changes."""
    name = over.measure

    def shown(value: float | None) -> str:
        return "" if value is None else over.text(value, 3)

    ranked: Sequence[Row] = data["rows"]
    if over.strongest or name == "rho":
        ranked = sorted(ranked, key=lambda row: -abs(row.get(name) or 0))
    rows = []
    for row in ranked:
        low, high = shown(row.get(f"{name}_low")), shown(row.get(f"{name}_high"))
        median, carried, flips = shown(row.get("median")), row.get("carried_by"), flip_share(row)
        rows.append(
            [
                over.cell(row, lang),
                shown(row.get(name)),
                f"{low} … {high}" if low and high else "",
                median,
                "" if carried is None else f"{carried} / {row['passages']}",
                "" if flips is None else f"{flips * 100:.0f} %",
            ]
        )
    heads: list[tuple[str, Side]] = columns(
        study, lang, over.column, over.first, "interval", "median", "carried", "flip_share"
    )
    notes = [say(over.note, lang, fewest=FEWEST, carriers=CARRIERS)] if over.note else []
    return Table(heads, rows, notes)
