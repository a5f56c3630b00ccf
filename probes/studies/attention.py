"""What does each head look at, and is that what the answer hangs on?

Attention from the answer position, or from any word, told by words; beside it the rank correlation of that
attention with how far deleting the same words moves the answer: the number behind "attention finds the key
words". It counts the words that the reader can read, none of those behind it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from probes.asking.question import Question
from probes.asking.readings import Attention
from probes.asking.trials import Mode, Trial
from probes.errors import InputError
from probes.locale import say
from probes.models.base import lengths
from probes.numbers import found_among, head_label, signed
from probes.ranks import LEVEL, among_first, best_by_chance, by_shift, chance_of
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
from probes.studies.columns import Table, columns, word_of
from probes.studies.over_telling import Over
from probes.studies.shared_tokens import shared_tokens, sharing
from probes.studies.telling import head_name, joined, opening, quoted_units
from probes.text.characters import whole_number
from probes.text.passage import Unit

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

READER = Option("reader", "text", "answer")
FEWEST = 4
"""Words under which a rank correlation says nothing."""


def steps(asking: Asking) -> Steps:
    """Yield every word's run; attention itself is one more forward."""
    model, question, settings = asking.model, asking.question, asking.settings
    words = question.passage.words
    if not words:
        raise InputError("no_units", unit="word")
    reader = reader_of(question, words, settings["reader"])
    (found,) = yield [Attention(words)]
    mode, filler = Mode(settings["mode"]), settings["filler"]
    outcomes = yield [Trial((word.span,), mode, filler) for word in words]
    effects = [asking.effect(outcome) for outcome in outcomes]
    at = len(words) if reader == "answer" else reader
    carried = [tokens > 0 for tokens in lengths(model.token_spans(question, words))]
    shares, notes = shared_tokens(model, question, words)
    if at < len(words) and not carried[at]:
        carried = [False] * len(words)

    def told(values: Sequence[float | None]) -> list[float | None]:
        """By words; None for one that no token carries: it is not read, nor does it read."""
        return [value if there else None for value, there in zip(values, carried, strict=True)]

    rows = []
    for layer, weights in enumerate(found.weights):
        for head in range(0 if weights is None else len(weights)):
            share = weights[head, at]
            sink = float(found.sink[layer][head, at])
            rows.append(
                {
                    "layer": layer,
                    "head": head,
                    "reader": reader,
                    "weights": told(share.tolist()),
                    "sink": sink,
                    "rest": max(0.0, 1 - float(found.covered[layer][head, at]) - sink),
                    "entropy": float(found.entropy[layer][head, at]),
                    "distance": float(found.distance[layer][head, at]),
                }
            )
    overall = {"mean": found.mean[at], "rollout": found.rollout[at]}
    changes = [effect["no_change"] is False for effect in effects]
    return {
        "mode": settings["mode"],
        "reader": reader,
        "units": sharing(units_of(words), shares),
        "notes": notes,
        "effects": [effect["effect_log_prob"] for effect in effects],
        "geometry": asking.geometry,
        "rows": rows,
        **{name: told(read.tolist()) for name, read in overall.items()},
        "agreement": _agreement(rows, overall, _sizes(effects, carried, at), changes),
    }


def reader_of(question: Question, words: Sequence[Unit], name: str) -> Any:
    """ "answer", or the index of the word that reads."""
    if name == "answer":
        return "answer"
    number = whole_number(name)
    if number is not None and number < len(words):
        return number
    spans = question.passage.find(name)
    for word in words:
        if word.start < spans[0][1] and spans[0][0] < word.end:
            return word.index
    raise InputError("word_not_found", text=name, nearest="")


def units_of(words: Sequence[Unit]) -> list[dict[str, Any]]:
    """Words as a record names them."""
    names = ("index", "text", "occurrence", "occurrences", "start", "end")
    return [{name: getattr(word, name) for name in names} for word in words]


def _sizes(effects: Sequence[Mapping[str, Any]], carried: Sequence[bool], upto: int) -> dict[int, float]:
    """How far each word that can be read moves the answer (nats), by its index; an answer gone altogether is
    moved farthest. Words behind the reader are not read, nor are those that no token carries.
    """
    upto = min(upto + 1, len(effects))
    known = [i for i in range(upto) if carried[i] and effects[i]["effect_probability"] is not None]
    nats = {i: effects[i]["effect_log_prob"] for i in known}
    return {i: math.inf if value is None else abs(value) for i, value in nats.items()}


def _agreement(
    rows: Sequence[Mapping[str, Any]],
    others: Mapping[str, np.ndarray],
    sizes: Mapping[int, float],
    changes: Sequence[bool],
) -> dict[str, Any] | None:
    """Spearman's rho of what is read with the size of the same words' effects; None for too few words.

    `found` is how many of the `changing` words, whose removal changes something, are among as many that are
    read most; `p` and `best_by_chance` (of the heads) are by shifts along the passage, see `probes.ranks`.
    """
    known = list(sizes)
    if len(known) < FEWEST:
        return None
    reads = [[row["weights"][i] for i in known] for row in rows] + [each[known] for each in others.values()]
    rhos = by_shift(np.array(reads, float), np.array([sizes[i] for i in known]))
    changing = [changes[i] for i in known]
    each = [
        {"rho": None if np.isnan(rho) else float(rho), "found": among_first(read, changing)}
        for rho, read in zip(rhos[0], reads, strict=True)
    ]
    return {
        "words": len(known),
        "changing": sum(changing),
        "rows": [
            {"layer": row["layer"], "head": row["head"], **one}
            for row, one in zip(rows, each[: len(rows)], strict=True)
        ],
        "best_by_chance": best_by_chance(rhos[:, : len(rows)]),
        **{name: {**each[n], "p": chance_of(rhos[:, n])} for n, name in enumerate(others, len(rows))},
    }


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """Whether what is read is what the answer hangs on."""
    return joined([*opening(data, lang), attention_found(data, lang)], lang)


def attention_found(data: Record, lang: str) -> str:
    """How strongly what is read goes with what the answer hangs on, against chance, which of the words, and
    the best head. Records of earlier releases do not say how often chance does as well.
    """
    agreement = data["agreement"]
    if agreement is None or agreement["mean"]["rho"] is None:
        return say("attention.attention_untold", lang)
    reader, mean = data["reader"], agreement["mean"]
    who = say("attention.reads_answer", lang) if reader == "answer" else quoted_units(data, lang)[reader]
    values = {"reader": who, "how": _how_strongly(mean["rho"], lang), "rho": signed(mean["rho"])}
    parts = [say("attention.attention_rho", lang, **values, words=agreement["words"])]
    if "p" in mean:
        parts.append(_by_chance(mean["p"], agreement["words"], lang))
    if count := agreement.get("changing"):
        chance = f"{count * count / agreement['words']:.2g}"
        found = {"count": count, "found": f"{mean['found']:.2g}", "chance": chance}
        parts.append(say("attention.attention_found", lang, **found))
    return joined([*parts, *_best_head(agreement, lang)], lang)


_STRENGTHS = ((0.2, "hardly"), (0.4, "weakly"), (0.6, "moderately"), (0.8, "strongly"))


def _how_strongly(rho: float, lang: str) -> str:
    """A correlation's size in words (Evans 1996), and where it is the other way round."""
    size = next((name for limit, name in _STRENGTHS if abs(rho) < limit), "very_strongly")
    how = say(f"attention.correlates_{size}", lang)
    return say("attention.other_way", lang, how=how) if rho < 0 and size != "hardly" else how


def _by_chance(p: float, words: int, lang: str) -> str:
    """Whether a correlation is more than the words' neighbours make it."""
    if LEVEL * words < 1:
        return say("attention.chance_untold", lang)
    key = "chance_beyond" if p <= LEVEL else "chance_within"
    return say(f"attention.{key}", lang, p=f"{p:.2g}")


def _best_head(agreement: Record, lang: str) -> list[str]:
    """The head that comes closest, against the best of as many that have nothing to do with it."""
    known = [row for row in agreement["rows"] if row["rho"] is not None]
    best = max(known, key=lambda row: row["rho"], default=None)
    if best is None:
        return []
    limit = agreement.get("best_by_chance")
    values = {"head": head_label(best["layer"], best["head"]), "rho": signed(best["rho"]), "all": len(known)}
    if limit is None:
        return [say("attention.attention_best", lang, **values)]
    key = "attention_best_beyond" if best["rho"] > limit else "attention_best_within"
    return [say(f"attention.{key}", lang, **values, limit=signed(limit))]


def table(data: Record, lang: str) -> Table:
    """Every head with the words it reads most, those that agree best with the effects first."""
    agreement = data["agreement"] or {"rows": []}
    own = {(row["layer"], row["head"]): row for row in agreement["rows"]}

    def rho(row: Record) -> float | None:
        found: float | None = own.get((row["layer"], row["head"]), {}).get("rho")
        return found

    cells = []
    for row in sorted(data["rows"], key=lambda row: -(rho(row) or -2)):
        known = [i for i, share in enumerate(row["weights"]) if share is not None]
        best = sorted(known, key=lambda i: -row["weights"][i])[:3]
        agrees, among = rho(row), own.get((row["layer"], row["head"]))
        cells.append(
            [
                head_label(row["layer"], row["head"]),
                "  ".join(f"{word_of(i, data)} {row['weights'][i] * 100:.0f} %" for i in best),
                f"{row['sink'] * 100:.0f} %",
                f"{row['entropy']:.2f}",
                "" if agrees is None else signed(agrees),
                found_among(among, agreement) if among else "",
            ]
        )
    reader = data["reader"]
    name = say("cli.answer_position", lang) if reader == "answer" else word_of(reader, data)
    heads = columns("attention", lang, "head", "reads", "sink", "entropy", "rho", "among")
    return Table(heads, cells, [say("attention.attention_note", lang, reader=name)])


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """How well each head's reading agrees with the effects; the answers where that cannot be told."""
    from probes import charts

    return charts.agreement_map(result, lang) if result.data["agreement"] else charts.answers(result, lang)


def runs(extent: Extent, settings: Mapping[str, Any]) -> int:
    """Every word, and the one forward that is read."""
    return extent.words + 1


OVER = Over(
    keys=("layer", "head"),
    name=head_name,
    short=head_name,
    cell=lambda row, _lang: head_label(row["layer"], row["head"]),
    column="head",
    measure="rho",
    first="rho",
    strongest=None,
)
STUDY = Study(
    "attention",
    (READER, MODE, FILLER, TARGET, POINTS, NATS, SEED),
    steps,
    needs=("inside",),
    sentence=sentence,
    table=table,
    picture=picture,
    over=OVER,
    runs=runs,
    part=0.5,
)
