"""Does the answer hang on the order things are told in? Sentences change places, or words within a sentence.

Each order is one run; the words stay the same. What stands between two units stays where it is.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from math import factorial
from typing import TYPE_CHECKING, Any

from probes.asking.trials import Trial, in_order
from probes.errors import InputError
from probes.intervals import mean_interval, wilson
from probes.locale import say
from probes.numbers import percent, shortened, signed_if_known
from probes.studies.base import NATS, POINTS, SEED, TARGET, Asking, Extent, Option, Record, Steps, Study
from probes.studies.columns import Table, columns, effect_cells, flip_cell, note
from probes.studies.effects import run_fields
from probes.studies.over_telling import Over
from probes.studies.stretches import by_sentence
from probes.studies.telling import joined, opening, top_of
from probes.text.passage import Unit

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

SHUFFLES = Option("shuffles", "integer", 20, low=0, high=1000)
MOVED = Option("moved", "choice", "sentence", ("sentence", "paragraph", "word"))
ORDER = Option("order", "text", None)
HOW = ("own", "reversed", "rotated", "swapped", "shuffled", "words")
Order = tuple[int, ...]


def steps(asking: Asking) -> Steps:
    """Yield the passage in every order at once; return the record's body."""
    settings, passage = asking.settings, asking.question.passage
    of = settings["moved"]
    units = passage.units(of)
    if len(units) < 2:
        raise InputError("order.few", count=len(units), unit=of)
    rng = random.Random(settings["seed"])
    orders = (
        list(_within_sentences(asking, units, rng)) if of == "word" else list(_orders(units, settings, rng))
    )
    spans = [unit.span for unit in units]
    outcomes = yield [Trial(pieces=in_order(passage.text, spans, order)) for _, order in orders]
    rows = [
        {
            "how": how,
            "order": list(order),
            "text": _text(units, order, how),
            **run_fields(outcome),
            **asking.effect(outcome),
        }
        for (how, order), outcome in zip(orders, outcomes, strict=True)
    ]
    return {
        "moved": of,
        "units": [{"index": u.index, "text": u.text, "start": u.start, "end": u.end} for u in units],
        "rows": rows,
        "every": of != "word" and len(orders) == factorial(min(len(units), 12)) - 1,
        "kinds": [_kind(how, rows, settings) for how in HOW if any(row["how"] == how for row in rows)],
    }


def _orders(
    units: Sequence[Unit], settings: Mapping[str, Any], rng: random.Random
) -> Iterator[tuple[str, Order]]:
    """Each order once, named by the first way it comes about; none is the passage's own."""
    count = len(units)
    own = tuple(range(count))
    seen = {own}
    given = [("own", order_of(settings["order"], count))] if settings["order"] else []
    turned = [("rotated", own[n:] + own[:n]) for n in range(1, count)]
    swapped = [("swapped", (*own[:n], n + 1, n, *own[n + 2 :])) for n in range(count - 1)]
    for how, order in [*given, ("reversed", own[::-1]), *swapped, *turned]:
        if order not in seen:
            seen.add(order)
            yield how, order
    for order in _shuffled(count, settings["shuffles"], seen, rng):
        yield "shuffled", order


def _shuffled(count: int, wanted: int, seen: set[Order], rng: random.Random) -> Iterator[Order]:
    """Orders drawn at random, all different; all there are where there are few."""
    if factorial(min(count, 12)) <= 4 * wanted + len(seen):
        left = [order for order in permutations(range(count)) if order not in seen]
        yield from rng.sample(left, min(wanted, len(left)))
        return
    found = 0
    while found < wanted:
        order = tuple(rng.sample(range(count), count))
        if order not in seen:
            seen.add(order)
            found += 1
            yield order


def _within_sentences(
    asking: Asking, words: Sequence[Unit], rng: random.Random
) -> Iterator[tuple[str, Order]]:
    """The words of each sentence shuffled within it."""
    sentences = by_sentence(asking.question.passage, words)
    if all(len(inside) < 2 for inside in sentences):
        raise InputError("order.few", count=1, unit="word")
    own, seen = tuple(range(len(words))), set()
    for _ in range(20 * asking.settings["shuffles"]):
        order = tuple(index for inside in sentences for index in rng.sample(inside, len(inside)))
        if order != own and order not in seen:
            seen.add(order)
            yield "words", order
        if len(seen) == asking.settings["shuffles"]:
            return


def order_of(text: str, count: int) -> Order:
    """ "3,1,2" as places from 0.

    Raises:
        InputError: it does not name each unit once.
    """
    found = tuple(
        int(part) - 1 if part.strip().isdecimal() else -1 for part in text.replace("，", ",").split(",")
    )
    if sorted(found) != list(range(count)):
        raise InputError("order.no_order", order=shortened(text), count=count)
    return found


def _text(units: Sequence[Unit], order: Order, how: str) -> str:
    """The order by the units' own numbers, or how its words begin."""
    if how == "words":
        return shortened(" ".join(units[index].text for index in order), 60)
    return " ".join(str(index + 1) for index in order)


def _kind(how: str, rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Of one way to change the order: in how many of them the answer stays, and the mean effect."""
    mine = [row for row in rows if row["how"] == how]
    kept = sum(not row["flips"] for row in mine)
    low, high = wilson(kept, len(mine))
    effects = mean_interval(
        [row["effect_log_prob"] for row in mine], seed=settings["seed"], nothing=settings["nats"]
    )
    return {
        "how": how,
        "n": len(mine),
        "kept": kept,
        "kept_interval": [low, high],
        "flips_clearly": sum(bool(row["flips_clearly"]) for row in mine),
        "effect_log_prob": effects["mean"],
        "effect_log_prob_low": effects["low"],
        "effect_log_prob_high": effects["high"],
    }


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """In how many orders the answer stays, and the least change that moves it clearly."""
    parts = opening(data, lang)
    rows = data["rows"]
    kept, unit = sum(not row["flips"] for row in rows), data["moved"]
    parts.append(say(f"order.kept_{unit}", lang, kept=kept, all=len(rows)))
    if data["every"]:
        parts.append(say("order.every", lang))
    for kind in () if data["every"] else data["kinds"]:
        if kind["how"] in ("shuffled", "words") and kind["n"]:
            low, high = (percent(end) for end in kind["kept_interval"])
            share = percent(kind["kept"] / kind["n"])
            parts.append(say("order.share", lang, share=share, low=low, high=high, n=kind["n"]))
    near = next((row for row in rows if row["how"] in ("swapped", "own") and row["flips_clearly"]), None)
    if near is not None:
        then = top_of(near)
        told = {"order": near["text"], "answer": then["name"], "probability": percent(then["probability"])}
        parts.append(say(f"order.flips_{near['how']}", lang, **told))
    return joined(parts, lang)


def table(data: Record, lang: str) -> Table:
    """The ways to change the order, then each order, those that move the answer most first."""
    cells = []
    for row in sorted(data["rows"], key=lambda r: (HOW.index(r["how"]), r["effect_log_prob"] or 0.0)):
        how = say(f"order.how_{row['how']}", lang)
        cells.append([how, row["text"], *effect_cells(row), flip_cell(row, data)])
    notes = [note("order.note", data, lang)]
    for kind in data["kinds"]:
        low, high = kind["effect_log_prob_low"], kind["effect_log_prob_high"]
        interval = (
            "" if low is None or high is None else f" ({signed_if_known(low)} … {signed_if_known(high)})"
        )
        mean = signed_if_known(kind["effect_log_prob"]) + interval
        numbers = {"how": say(f"order.how_{kind['how']}", lang), "kept": kind["kept"], "n": kind["n"]}
        notes.append(say("order.kind_note", lang, mean=mean, **numbers))
    names = ("how", "order", "nats", "points", "kl", "flips")
    return Table(columns("order", lang, *names), cells, notes)


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Each order a dot, by how it came about."""
    from probes import charts

    groups = [(say(f"order.how_{row['how']}", lang), row["text"], row) for row in result.data["rows"]]
    return charts.dots(result, groups, lang)


def runs(extent: Extent, settings: Mapping[str, Any]) -> int:
    """Shuffles, and what is turned, swapped and reversed: of sentences, at most as many as there are
    words.
    """
    turned = 0 if settings["moved"] == "word" else 2 * extent.words
    return int(settings["shuffles"]) + turned


def _how(row: Record, lang: str) -> str:
    return say(f"order.how_{row['how']}", lang)


OVER = Over(
    keys=("how",),
    name=_how,
    short=_how,
    cell=_how,
    column="how",
    strongest=lambda _record: "order.over_strongest",
    left_out=("order.few",),
)
STUDY = Study(
    "order",
    (MOVED, SHUFFLES, ORDER, TARGET, POINTS, NATS, SEED),
    steps,
    sentence=sentence,
    table=table,
    picture=picture,
    over=OVER,
    runs=runs,
)
