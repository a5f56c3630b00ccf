"""What did methods from before language models make of it? They are put to the same passage and question, and
laid beside the model: what they answer, and how they rank the passage's words.

The answers: the place's mentions counted, and verbs of arriving before it (`probes.studies.arrivals`). The
rankings: `probes.studies.word_scores`, beside what deleting each word alone does to the model's answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from probes.asking.question import Question
from probes.asking.trials import Trial
from probes.errors import InputError
from probes.locale import say
from probes.numbers import percent, signed_if_known, strength
from probes.ranks import by_shift, chance_of, expected_precision
from probes.studies.arrivals import arrivals
from probes.studies.attention import units_of
from probes.studies.base import NATS, POINTS, SEED, TARGET, Asking, Record, Steps, Study
from probes.studies.columns import Table, columns, note
from probes.studies.effects import run_fields
from probes.studies.frequency import MENTION, mention_of
from probes.studies.over_telling import Over, within
from probes.studies.telling import joined, opening, quoted_text, top_of
from probes.studies.word_scores import RANKINGS, corpus_of, word_scores
from probes.text.characters import whole_number
from probes.text.phrases import occurrences

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

COUNTING = ("mentions", "verbs", "stated")
"""Methods that answer: mentions counted, verbs of arriving, those not denied, wished or planned."""


def steps(asking: Asking) -> Steps:
    """Yield the passage without each word in turn; return the record's body."""
    question, words = asking.question, asking.question.passage.words
    if not words:
        raise InputError("no_units", unit="word")
    mention, missing = _counted(question, asking.settings["mention"])
    names, corpus = corpus_of(question)
    scores = word_scores([word.text for word in words], corpus)
    outcomes = yield [Trial((word.span,)) for word in words]
    rows = [
        {
            **named,
            "role": question.role_of(word.span),
            **{name: scores[name][word.index] for name in RANKINGS},
            **run_fields(outcome),
            **asking.effect(outcome),
        }
        for word, named, outcome in zip(words, units_of(words), outcomes, strict=True)
    ]
    keys = [row["index"] for row in rows if row["role"] == "key"]
    return {
        "mention": mention,
        "missing": missing,
        "methods": [*answered(question, mention), _own(asking)],
        "rankings": _rankings(rows, keys),
        "key_words": len(keys),
        "precision_by_chance": expected_precision([0.0] * len(rows), keys) if keys else None,
        "corpus": {"kind": "presets", "language": question.passage.language, "passages": names},
        "rows": rows,
    }


def _counted(question: Question, named: str | None) -> tuple[str | None, str | None]:
    """What is counted; else None, and what is missing: answers that are numbers, or something to count."""
    if len(_places(question)) < 2:
        return None, "numbers"
    if question.suggested.mention and not (named and named.strip()):
        return question.suggested.mention, None  # also where the passage mentions it nowhere: that counts 0
    try:
        return mention_of(question, named), None
    except InputError as fault:
        if fault.key != "frequency.no_mention":
            raise
        return None, "mention"


def _places(question: Question) -> dict[int, int]:
    """Where the answer stands that is a number, by the number its label is."""
    labels = enumerate(one.label for one in question.answers.answers)
    return {number: n for n, label in labels if (number := whole_number(label)) is not None}


# ---- what the methods answer


def answered(question: Question, mention: str | None) -> list[dict[str, Any]]:
    """A row a method; all None where there is nothing to count."""
    if mention is None:
        return [_answer(question, method, None, ()) for method in COUNTING]
    places = occurrences(question.passage.text, mention)
    found = arrivals(question.passage, places)
    spans = {
        "mentions": places,
        "verbs": [one.span for one in found],
        "stated": [one.span for one in found if one.cue is None],
    }
    rows = [_answer(question, method, len(spans[method]), spans[method]) for method in COUNTING]
    cues = [{"span": list(one.span), "cue": one.cue} for one in found if one.cue is not None]
    return [row | ({"left_out": cues} if row["method"] == "stated" else {}) for row in rows]


def _answer(question: Question, method: str, number: int | None, spans: Sequence[Any]) -> dict[str, Any]:
    """What a method counted, the answer that is, and whether it is the right one (None: not to be told)."""
    place = None if number is None else _places(question).get(number)
    answer = None if place is None else question.answers.answers[place]
    told = number is not None and question.right is not None
    return {
        "method": method,
        "number": number,
        "top": answer.label if answer else None,
        "name": answer.name if answer else None,
        "correct": (answer is not None and answer.label == question.right) if told else None,
        "counted": [list(span) for span in spans],
    }


def _own(asking: Asking) -> dict[str, Any]:
    """The model's own answer as such a row."""
    question, clean = asking.question, asking.clean.answers
    answer = question.answers.answers[clean.top]
    return {
        "method": "model",
        "number": whole_number(answer.label),
        "top": answer.label,
        "name": answer.name,
        "correct": None if question.right is None else answer.label == question.right,
        "probability": clean.probability[clean.top],
    }


# ---- how they rank the words


def _rankings(rows: Sequence[Mapping[str, Any]], keys: Sequence[int]) -> list[dict[str, Any]]:
    """Of each ranking, and of the model's effects by their size: ρ with these, its p by circular shifts, and
    the average precision of the key words.
    """
    effects = [strength(row) for row in rows]
    reads = np.asarray([[row[name] for row in rows] for name in RANKINGS], float)
    rhos = by_shift(reads, np.asarray(effects, float))
    scored = [*zip(RANKINGS, reads, rhos.T, strict=True), ("model", effects, [])]
    return [
        {
            "ranking": name,
            "rho": None if not len(shifts) or np.isnan(shifts[0]) else float(shifts[0]),
            "p": chance_of(shifts) if len(shifts) else None,
            "precision": expected_precision(scores, keys) if keys else None,
        }
        for name, scores, shifts in scored
    ]


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """What each method answers, which of them are right, and whose ranking is like the model's."""
    parts = opening(data, lang)
    methods = {row["method"]: row for row in data["methods"]}
    if data["missing"]:
        parts.append(say(f"baselines.missing_{data['missing']}", lang))
    else:
        told = {name: _number(methods[name], lang) for name in COUNTING}
        parts.append(say("baselines.gives", lang, what=quoted_text(data["mention"], lang), **told))
        if data["clean"]["right"] is not None:
            parts.append(_right(data, lang))
    found = {one["ranking"]: one for one in data["rankings"]}
    rhos = {name: signed_if_known(found[name]["rho"]) for name in RANKINGS}
    parts.append(say("baselines.ranks", lang, **rhos))
    if data["key_words"]:
        early = {name: f"{one['precision']:.2f}" for name, one in found.items()}
        chance = f"{data['precision_by_chance']:.2f}"
        parts.append(say("baselines.early", lang, chance=chance, **early))
    return joined(parts, lang)


def _right(data: Record, lang: str) -> str:
    """Which of the methods and the model give the right answer."""
    names = [say(f"baselines.name_{row['method']}", lang) for row in data["methods"] if row["correct"]]
    label = data["clean"]["right"]
    answers = data["clean"]["answers"]
    name = next((one["name"] for one in answers if one["answer"] == label), label)
    if not names:
        return say("baselines.none_right", lang, right=name)
    listed = say("headline.comma", lang).join(names[:-1])
    whole = say("headline.and", lang, first=listed, last=names[-1]) if listed else names[-1]
    return say("baselines.right", lang, right=name, names=whole)


def _number(row: Record, lang: str) -> str:
    """What a method counted, and that this is none of the answers where it is not."""
    if row["top"] is not None:
        return str(row["number"])
    return say("baselines.no_such_answer", lang, number=row["number"])


def table(data: Record, lang: str) -> Table:
    """The methods that answer, the model, then the rankings and chance."""
    found = {one["ranking"]: one for one in data["rankings"]}
    cells = []
    for row in data["methods"]:
        name, own = say(f"baselines.method_{row['method']}", lang), row["method"] == "model"
        cells.append([name, *_told(row, data, lang), *_compared(found["model"] if own else None)])
    for ranking in RANKINGS:
        name = say(f"baselines.ranking_{ranking}", lang)
        cells.append([name, "", "", "", *_compared(found[ranking])])
    if data["key_words"]:
        chance = f"{data['precision_by_chance']:.2f}"
        cells.append([say("baselines.by_chance", lang), "", "", "", "", "", chance])
    notes = [] if data["missing"] else [say("baselines.rules_note", lang)]
    if data["key_words"]:
        notes.append(say("baselines.keys_note", lang, keys=data["key_words"]))
    notes.append(note("baselines.note", data, lang, passages=len(data["corpus"]["passages"])))
    names = ("method", "answers", "right", "counted", "rho", "p", "precision")
    full = [n for n in range(len(names)) if any(row[n] for row in cells)]
    told = [[row[n] for n in full] for row in cells]
    return Table(columns("baselines", lang, *(names[n] for n in full)), told, notes)


def _told(row: Record, data: Record, lang: str) -> list[str]:
    """A method's answer, whether it is right, and the words that it counted."""
    key = "baselines.yes" if row["correct"] else "baselines.no"
    right = "" if row["correct"] is None else say(key, lang)
    if row["method"] == "model":
        answer = top_of(data["clean"])
        return [f"{answer['name']} ({percent(answer['probability'])})", right, ""]
    if row["number"] is None:
        return [say("baselines.not_applicable", lang), "", ""]
    text = data["clean"]["passage"]
    counted = list(dict.fromkeys(text[start:end] for start, end in row["counted"]))
    named = row["name"] or _number(row, lang)
    return [named, right, say("headline.comma", lang).join(quoted_text(one, lang) for one in counted)]


def _compared(one: Record | None) -> list[str]:
    """ρ with the model's effects, its p, and how early key words come."""
    if one is None:
        return ["", "", ""]
    own = one["ranking"] == "model"
    rho = "" if own else signed_if_known(one["rho"])
    p = "" if one["p"] is None else f"{one['p']:.2f}"
    return [rho, p, "" if one["precision"] is None else f"{one['precision']:.2f}"]


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """The places of words in each ranking."""
    from probes import charts

    return charts.rankings(result, lang)


# ---- over a set of passages


def _placed(record: dict[str, Any], _question: Question) -> dict[str, Any]:
    """What is averaged are the methods: words have no mean over passages."""
    return {**record, "rows": record["methods"]}


def _named(row: Record, lang: str) -> str:
    return say(f"baselines.method_{row['method']}", lang)


def _shares(data: Record, lang: str) -> list[str]:
    """How often each method is right, with the interval of that share."""
    told = []
    for row in data["rows"]:
        share, low, high = (row.get(f"correct{end}") for end in ("", "_low", "_high"))
        if share is not None:
            name = say(f"baselines.name_{row['method']}", lang)
            numbers = {"share": percent(share), "within": within(low, high, percent, lang)}
            told.append(say("baselines.over_share", lang, name=name, **numbers))
    return [say("baselines.over_right", lang, shares=say("headline.comma", lang).join(told))]


OVER = Over(
    keys=("method",),
    name=_named,
    short=_named,
    cell=_named,
    column="method",
    measure="correct",
    first="correct",
    share=True,
    strongest=None,
    placed=_placed,
    usable=lambda record: record["clean"]["right"] is not None,
    more=_shares,
    note="baselines.over_note",
)
STUDY = Study(
    "baselines",
    (MENTION, TARGET, POINTS, NATS, SEED),
    steps,
    sentence=sentence,
    table=table,
    picture=picture,
    over=OVER,
    part=0.5,
)
