"""Which links between words does the answer rest on? The attention from one word to another is cut.

Attention knockout (Geva et al. 2023, arXiv 2304.14767): the later word's tokens may no longer read the
earlier one's, nor may the answer position read a word, in all layers or in a window of them. A long
passage has more pairs than anybody waits for: the words whose hiding moves the answer most come first, and
what was left out is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.asking.interventions import Cut
from probes.asking.question import Question
from probes.asking.readings import Attention
from probes.asking.trials import Mode, Trial
from probes.errors import CruxError, InputError
from probes.locale import say
from probes.numbers import nats, shortened, strength
from probes.record.leads import faint, flips_clearly, margin_of
from probes.studies.attention import units_of
from probes.studies.base import NATS, POINTS, TARGET, Asking, Extent, Option, Record, Steps, Study
from probes.studies.columns import Table, columns, effect_cells, flip_cell, note, strongest_first, word_of
from probes.studies.over_telling import Over
from probes.studies.parts import moved
from probes.studies.shared_tokens import shared_tokens, sharing
from probes.studies.telling import (
    aimed,
    joined,
    lead_moved,
    margin_text,
    opening,
    quoted_units,
    says,
    strongest_of,
    swaps,
)
from probes.text.characters import whole_number
from probes.text.passage import Unit

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

BUDGET = Option("budget", "integer", 400, low=1, high=100_000)
LAYERS = Option("layers", "text", None)


def steps(asking: Asking) -> Steps:
    """Yield each word hidden, then the answer's links and the pairs of the strongest words."""
    model, question, settings = asking.model, asking.question, asking.settings
    words = question.passage.words
    if not words:
        raise InputError("no_units", unit="word")
    window = window_of(settings["layers"], asking.geometry["layers"])
    layers = None if window is None else tuple(range(window[0], window[1] + 1))
    hidden = yield [Trial((word.span,), Mode.HIDE) for word in words]
    hiding = [asking.effect(outcome) for outcome in hidden]
    pairs = _pairs(words, sorted(range(len(words)), key=lambda i: -strength(hiding[i])), settings["budget"])
    cuts: list[tuple[Unit | None, Unit]] = [(None, word) for word in words]
    cuts += [(words[a], words[b]) for a, b in pairs]
    outcomes = yield [_cut(reader, read, layers) for reader, read in cuts]
    looked = yield from _attention(words)
    shares, notes = shared_tokens(model, question, words)
    rows = [
        {
            "from": "answer" if reader is None else _named(reader),
            "to": _named(read),
            "layers": None if window is None else list(window),
            "attention": None
            if looked is None or not outcome.prepared.reaches
            else float(looked[len(words) if reader is None else reader.index, read.index]),
            **moved(asking, outcome),
        }
        for (reader, read), outcome in zip(cuts, outcomes, strict=True)
    ]
    return {
        "units": [
            unit | {"hidden_effect": e["effect_log_prob"]}
            for unit, e in zip(sharing(units_of(words), shares), hiding, strict=True)
        ],
        "notes": notes,
        "layers": None if window is None else list(window),
        "geometry": asking.geometry,
        "attention": None if looked is None else looked.tolist(),
        "rows": rows,
        "budget": settings["budget"],
        "left_out": len(words) * (len(words) - 1) // 2 - len(pairs),
    }


def _pairs(words: Sequence[Unit], order: Sequence[int], budget: int) -> list[tuple[int, int]]:
    """(later word, earlier word): pairs among the first words of `order`, as many as the budget allows."""
    pairs: list[tuple[int, int]] = []
    for place, word in enumerate(order):
        for other in order[:place]:
            if len(pairs) == budget:
                return sorted(pairs)
            pairs.append((max(word, other), min(word, other)))
    return sorted(pairs)


def _cut(reader: Unit | None, read: Unit, layers: tuple[int, ...] | None) -> Trial:
    return Trial(inside=(Cut(None if reader is None else (reader.span,), (read.span,), layers),))


def _named(word: Unit) -> dict[str, Any]:
    return {"index": word.index, "text": word.text, "start": word.start, "end": word.end}


def _attention(words: tuple[Unit, ...]) -> Any:
    """Yield for the mean attention [readers, words] beside the map; None where the model does not hand it
    out.
    """
    try:
        (found,) = yield [Attention(words)]
    except CruxError:
        return None
    return found.mean


def window_of(text: str | None, layers: int) -> tuple[int, int] | None:
    """ "3-7" or "5" as the first and the last layer; None for all.

    Raises:
        InputError: no such layers.
    """
    if not text:
        return None
    one, _, other = text.partition("-")
    first, last = whole_number(one), whole_number(other or one)
    if first is not None and last is not None and first <= last < layers:
        return first, last
    expected = f"a-b, 0 … {layers - 1}"
    raise InputError("option_value", value=shortened(text), option="layers", expected=expected)


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """The link the answer rests on most, how many flip it, and how many were not tried."""
    rows, of, parts = data["rows"], aimed(data, lang), opening(data, lang)
    units = quoted_units(data, lang)
    flipping = [row for row in rows if flips_clearly(row, data)]
    strongest = strongest_of(flipping or rows)
    where = _link_name(strongest, units, lang)
    if flipping:
        parts.append(says(data, strongest, lang, "links.then_link", what=where))
        parts.append(say("links.links_flip", lang, flips=len(flipping), all=len(rows)))
    elif all(faint(row, *margin_of(data)) for row in rows):
        margin = margin_text(data, lang)
        parts.append(say("links.no_link_moves", lang, all=len(rows), of=of, margin=margin))
        parts += lead_moved(rows, data, lang, lambda row: _link_name(row, units, lang))
    else:
        moved = nats(strongest)
        parts.append(say("links.no_link_flips", lang, all=len(rows), what=where, of=of, nats=moved))
    parts += swaps(rows, data, lang)
    if data["left_out"]:
        parts.append(say("links.links_left_out", lang, left=data["left_out"]))
    return joined(parts, lang)


def _link_name(row: Record, units: Mapping[int, str], lang: str) -> str:
    to = units[row["to"]["index"]]
    if row["from"] == "answer":
        return say("links.link_answer", lang, to=to)
    return say("links.link_words", lang, reader=units[row["from"]["index"]], to=to)


def table(data: Record, lang: str) -> Table:
    """Every link that was cut, strongest first."""
    cells = []
    for row in strongest_first(data["rows"]):
        reader = row["from"]
        start = say("cli.answer_position", lang) if reader == "answer" else word_of(reader["index"], data)
        looked = "" if row["attention"] is None else f"{row['attention'] * 100:.1f} %"
        to = word_of(row["to"]["index"], data)
        cells.append([start, to, *effect_cells(row), looked, flip_cell(row, data)])
    names = ("from", "to", "nats", "points", "kl", "attention", "flips")
    return Table(columns("links", lang, *names), cells, [note("cli.inside_note", data, lang)])


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """The links as maps of reader and read."""
    from probes import charts

    return charts.links_maps(result, lang)


def runs(extent: Extent, settings: Mapping[str, Any]) -> int:
    """Every word hidden, every link of the answer's, and pairs of words up to the budget."""
    words = extent.words
    return 2 * words + min(words * (words - 1) // 2, int(settings["budget"]))


OTHER = "other"
"""The role of a word that nobody gave one."""


def by_roles(record: dict[str, Any], question: Question) -> dict[str, Any]:
    """Rows with their words' roles in the place of the words, which no other passage has."""

    def role(word: Any) -> str:
        if word == "answer":
            return "answer"
        return question.role_of((word["start"], word["end"])) or OTHER

    rows = [{**row, "from": role(row["from"]), "to": role(row["to"])} for row in record["rows"]]
    return record | {"rows": rows}


def _roles(prefix: str, row: Record, lang: str) -> tuple[str, str]:
    reader, read = (say(f"links.{prefix}role_{row[name]}", lang) for name in ("from", "to"))
    return reader, read


def _by_roles(prefix: str) -> Callable[[Record, str], str]:
    def name(row: Record, lang: str) -> str:
        reader, read = _roles(prefix, row, lang)
        return say(f"links.{prefix}link_roles", lang, reader=reader, to=read)

    return name


OVER = Over(
    keys=("from", "to"),
    name=_by_roles(""),
    short=_by_roles("short_"),
    cell=lambda row, lang: " ← ".join(_roles("", row, lang)),
    column="link",
    strongest=lambda _record: "links.over_strongest_link",
    placed=by_roles,
)
STUDY = Study(
    "links",
    (LAYERS, BUDGET, TARGET, POINTS, NATS),
    steps,
    needs=("inside",),
    sentence=sentence,
    table=table,
    picture=picture,
    over=OVER,
    runs=runs,
    part=0.8,
)
