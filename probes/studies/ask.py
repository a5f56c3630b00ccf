"""What does the model answer, as the passage stands and with some of its words taken away together?"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probes.asking.question import Question
from probes.asking.trials import Mode, Trial
from probes.errors import InputError
from probes.locale import say
from probes.models.base import Outcome, lengths
from probes.numbers import head_label, percent, shortened, signed
from probes.record.leads import margin_of, tied
from probes.studies.base import (
    FILLER,
    MODE,
    NATS,
    POINTS,
    SEED,
    TARGET,
    Asking,
    Extent,
    Option,
    Record,
    Steps,
    Study,
)
from probes.studies.columns import Table, effects_note
from probes.studies.control import band, random_sets
from probes.studies.effects import ask_fields, mixed, run_fields
from probes.studies.parts import (
    ABLATE_MODE,
    POSITIONS,
    REFERENCES,
    Ablated,
    ablations,
    head_places,
    reference_fields,
    repeats,
    size_of,
)
from probes.studies.shared_tokens import hidden_with
from probes.studies.telling import NAMED, joined, quoted, says
from probes.text.characters import whole_number
from probes.text.passage import Span

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

DROP = Option("drop", "text", None)
AT = Option("at", "text", None)
CONTROL = Option("control", "integer", 20, low=0, high=1000)
ABLATE_HEADS = Option("ablate_heads", "text", None)


def steps(asking: Asking) -> Steps:
    """Where words are dropped, yield the passage without them, then random sets of equal length."""
    model, question, settings = asking.model, asking.question, asking.settings
    spans = taken(question, settings)
    if settings["ablate_heads"]:
        return (yield from _without_heads(asking, spans))
    if not spans:  # there is no other run than the clean one, and nothing to measure
        left_out = dict.fromkeys(("clean", "target", "thresholds"))
        return {**ask_fields(question, asking.clean), **left_out}
    mode, filler = Mode(settings["mode"]), settings["filler"]
    (now,) = yield [Trial(spans, mode, filler)]
    moved = asking.effect(now)
    control = yield from _control(asking, spans, now, moved)
    return {
        **ask_fields(question, now),
        "taken": {**run_fields(now), **_named(question, spans)},
        "notes": hidden_with(model, question, spans) if settings["mode"] == Mode.HIDE else [],
        **moved,
        "control": control.get("control"),
    }


def _without_heads(asking: Asking, spans: tuple[Span, ...]) -> Steps:
    """The run with heads (and words) taken away together."""
    model, question, settings = asking.model, asking.question, asking.settings
    geometry = asking.geometry
    heads = heads_of(settings["ablate_heads"], geometry)
    parts = ablations(question, [("head", layer, head) for layer, head in heads], settings)
    reference = yield from reference_fields(asking)
    runs = Ablated(asking)
    trial = Trial(spans, Mode(settings["mode"]), settings["filler"], tuple(parts))
    (outcomes,) = yield from runs.outcomes([trial])
    now = mixed(outcomes)
    return {
        **ask_fields(question, now),
        "greedy": None,
        "taken": {**run_fields(now), **_named(question, spans)},
        "notes": hidden_with(model, question, spans) if settings["mode"] == Mode.HIDE else [],
        "ablated": {
            "heads": [list(place) for place in heads],
            "mode": settings["ablate_mode"],
            "positions": settings["positions"],
            "reference": reference,
        },
        **runs.effect(outcomes),
        "control": None,
    }


def _named(question: Question, spans: tuple[Span, ...]) -> dict[str, Any]:
    """What was taken away, and of each part which of how many equal ones it is."""
    passage = question.passage
    return {
        "texts": [passage.text[slice(*span)] for span in spans],
        "occurrences": [list(passage.occurrence(span)) for span in spans],
    }


def heads_of(text: str, geometry: Mapping[str, Any]) -> list[tuple[int, int]]:
    """`5.3,7.1` as (layer, head) pairs, each once.

    Raises:
        InputError: not of that form, or no such head.
    """
    there = set(head_places(geometry))
    found: dict[tuple[int, int], None] = {}
    for part in text.replace("，", ",").split(","):
        layer, dot, head = part.strip().partition(".")
        place = (whole_number(layer), whole_number(head)) if dot else None
        if place not in there:
            expected = f"0.0 … {geometry['layers'] - 1}.x"
            raise InputError("option_value", value=shortened(part), option="ablate_heads", expected=expected)
        found[place] = None
    return list(found)


def taken(question: Question, settings: Mapping[str, Any]) -> tuple[Span, ...]:
    """What is to be taken away: by its words (`drop`), by its place in the text (`at`), or both.

    Raises:
        InputError: a word that is not there, offsets that are no part of the text.
    """
    found = list(question.passage.find(settings["drop"])) if settings["drop"] else []
    for part in (settings["at"] or "").replace("，", ",").split(","):
        if part.strip():
            found.append(_offsets(part.strip(), len(question.passage.text)))
    if not found and (settings["drop"] or settings["at"]):
        raise InputError("nothing_dropped")
    result: list[Span] = []
    for start, end in sorted(found):
        if result and start < result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return tuple(result)


def _offsets(part: str, length: int) -> Span:
    start, end = (whole_number(side) for side in part.partition("-")[::2])
    if start is not None and end is not None and start < end <= length:
        return start, end
    expected = f"0 <= a < b <= {length}: a-b"
    raise InputError("option_value", value=shortened(part), option="at", expected=expected)


def _control(asking: Asking, spans: tuple[Span, ...], now: Outcome, moved: Mapping[str, Any]) -> Steps:
    """Random sets of other words of equal total length, where two words or more are taken away."""
    question, settings = asking.question, asking.settings
    words = question.passage.units("word")
    inside = [word.index for word in words if any(a < word.end and word.start < b for a, b in spans)]
    if not settings["control"] or len(inside) < 2 or not now.prepared.reaches:
        return {}
    rng, tokens = random.Random(settings["seed"]), now.prepared.tokens
    each = lengths(asking.model.token_spans(question, words))
    drawn = random_sets(each, inside, tokens, settings["control"], rng)
    if not drawn:
        return {}
    mode, filler = Mode(settings["mode"]), settings["filler"]
    outcomes = yield [Trial(tuple(words[i].span for i in chosen), mode, filler) for chosen in drawn]
    return {"control": band(moved, [asking.effect(outcome) for outcome in outcomes], tokens)}


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """What the model says, and what without the words or heads that are taken away."""
    first = says(data, data.get("clean", data), lang, "headline.says")
    if "taken" not in data:
        return joined([first, *_right(data, lang)], lang)
    if "ablated" in data:
        then = _said_without_heads(data, lang)
    else:
        words = quoted(_words_taken(data), lang)
        if data.get("flips", False) is None:
            return joined([first, say("ask.not_carried", lang, what=words)], lang)
        then = says(data, data, lang, f"headline.then_{data['taken']['mode']}", what=words)
    return joined([first, then, *_against_chance(data, lang)], lang)


def _words_taken(data: Record) -> list[dict[str, Any]]:
    """What a set took away; records of earlier releases do not say which of several equal words it was."""
    texts = data["taken"]["texts"]
    numbers = data["taken"].get("occurrences", [(1, 1)] * len(texts))
    return [
        {"text": text, "occurrence": one, "occurrences": of}
        for text, (one, of) in zip(texts, numbers, strict=True)
    ]


def _right(data: Record, lang: str) -> list[str]:
    """What the right answer gets, where it is another one."""
    right = next((a for a in data["answers"] if a["answer"] == data["right"]), None)
    if right is None or right["answer"] == data["top"] or right in tied(data, *margin_of(data)):
        return []
    return [say("ask.right_is", lang, answer=right["name"], probability=percent(right["probability"]))]


def _against_chance(data: Record, lang: str) -> list[str]:
    control = data.get("control")
    if not control:
        return []
    flips = control.get("flips_clearly", control["flips"])
    return [say("ask.chance", lang, flips=flips, n=control["n"])]


def _said_without_heads(data: Record, lang: str) -> str:
    """Which heads, and which words with them, were taken away together."""
    heads = [head_label(layer, head) for layer, head in data["ablated"]["heads"]]
    what = say("headline.comma", lang).join(heads[:NAMED])
    if len(heads) > NAMED:
        what = say("headline.and_more", lang, named=what, count=len(heads) - NAMED)
    if data["taken"]["texts"]:
        out, mode = _words_taken(data), data["taken"]["mode"]
        numbers = {"heads": len(heads), "out": len(out), "words": quoted(out, lang)}
        return says(data, data, lang, f"ask.then_heads_and_{mode}", what=what, **numbers)
    if len(heads) == 1:
        return says(data, data, lang, "headline.then_head", what=say("headline.head_name", lang, head=what))
    return says(data, data, lang, "ask.then_heads", what=what)


def table(data: Record, lang: str) -> Table:
    """No rows beside the answers, which every record shows; what is to be known of the effect."""
    if "taken" not in data:
        return Table([], [])
    notes = [effects_note(data, lang)]
    if control := data["control"]:
        bounds = {name: signed(control[name], 3) for name in ("low", "high")}
        notes.append(say("ask.control_note", lang, **{**control, "all": control["n"] + 1, **bounds}))
    return Table([], [], notes)


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """The answers as bars, before and after."""
    from probes import charts

    return charts.answers(result, lang)


def runs(extent: Extent, settings: Mapping[str, Any]) -> int:
    """The one without words or heads, its reference passages, and the random sets."""
    return size_of(settings) + repeats(settings) + int(settings["control"])


INSIDE = (ABLATE_HEADS, ABLATE_MODE, POSITIONS, *REFERENCES)
STUDY = Study(
    "ask",
    (DROP, AT, MODE, TARGET, FILLER, CONTROL, *INSIDE, POINTS, NATS, SEED),
    steps,
    sentence=sentence,
    table=table,
    picture=picture,
    runs=runs,
)
