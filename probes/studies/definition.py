"""Does a definition help where a word is unknown? A word is replaced by an invented one, and then explained.

Several invented words are tried, for one may sound like something. Each is asked about as it stands, with its
definition before the passage, and, to tell what the definition's own words do, with the definition of another
invented word there instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.asking.question import Question
from probes.asking.trials import Mode, Trial, with_text
from probes.errors import InputError
from probes.intervals import mean_interval, surely_above
from probes.locale import say
from probes.models.base import Outcome
from probes.numbers import signed, signed_if_known
from probes.studies.base import NATS, POINTS, SEED, TARGET, Asking, Extent, Option, Record, Steps, Study
from probes.studies.columns import Table, columns, effect_cells, flip_cell, note
from probes.studies.effects import run_fields
from probes.studies.over_telling import Over, within
from probes.studies.places import CHANGE, listed, place_of, text_at
from probes.studies.telling import joined, opening, quoted_text

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

INVENT = Option("invent", "text", None)
MEANING = Option("meaning", "text", None)
WORDS = Option("words", "integer", 8, low=1, high=8)
KINDS = ("undefined", "defined", "other")
STEMS = ("florp", "zorb", "blick", "narg", "frimp", "glorn", "plim", "vost")
INVENTED_ZH = ("犇叽", "骉噜", "嗞啵", "噌唧", "哔吡", "叭唻", "喵噗", "咣啾")
ENDINGS = ("ing", "ed", "s")
DEFINES = {"en": "“{word}” means “{meaning}”. ", "zh": "“{word}”的意思是“{meaning}”。"}


def steps(asking: Asking) -> Steps:
    """Yield the passage with each invented word, with its definition, with that of another; then the
    definition before the passage as it stands.
    """
    question, settings = asking.question, asking.settings
    named, spans = place_of(question, settings["change"])
    own = text_at(question, spans)
    meaning = settings["meaning"] or own
    invented = listed(settings["invent"] or "") or invented_for(own, question.language)[: settings["words"]]
    _refuse_known(question, invented)
    text = question.passage.text

    def told(word: str) -> str:
        return DEFINES["zh" if question.language == "zh" else "en"].format(word=word, meaning=meaning)

    trials, about = [], []
    for number, word in enumerate(invented):
        other = invented[(number + 1) % len(invented)]
        for kind, before in (("undefined", ""), ("defined", told(word)), ("other", told(other))):
            if kind == "other" and len(invented) == 1:
                continue
            pieces = with_text(text, before=before) if before else None
            trials.append(Trial(spans, Mode.REPLACE, word, pieces=pieces))
            about.append((kind, word, before))
    beside = Trial(pieces=with_text(text, before=told(invented[0])))
    *outcomes, alone = yield [*trials, beside]
    lengths = {
        word: _tokens(outcome, asking.clean)
        for (kind, word, _), outcome in zip(about, outcomes, strict=True)
        if kind == "undefined"
    }
    rows = [
        {
            "kind": kind,
            "invented": word,
            "text": word,
            "definition": before,
            "word_tokens": lengths[word],
            **run_fields(outcome),
            **asking.effect(outcome),
        }
        for (kind, word, before), outcome in zip(about, outcomes, strict=True)
    ]
    return {
        "change": named,
        "own": own,
        "meaning": meaning,
        "rows": rows,
        "kinds": [_kind(kind, rows, settings) for kind in KINDS if any(r["kind"] == kind for r in rows)],
        "gain": _gain(rows, "undefined", settings),
        "gain_over_other": _gain(rows, "other", settings),
        "beside": {"definition": told(invented[0]), **run_fields(alone), **asking.effect(alone)},
        "notes": _notes(rows),
    }


def invented_for(own: str, language: str) -> tuple[str, ...]:
    """Words that nobody knows, with the ending of the one whose place they take."""
    if language == "zh":
        return INVENTED_ZH
    first = own.split()[0]
    ending = next((end for end in ENDINGS if first.endswith(end)), "")
    words = (stem + ending for stem in STEMS)
    return tuple(word.title() if first[:1].isupper() else word for word in words)


def _refuse_known(question: Question, invented: Sequence[str]) -> None:
    """Refuse a word that the passage or the question has already.

    Raises:
        InputError: with the word.
    """
    known = f"{question.passage.text}\n{question.question}".casefold()
    for word in invented:
        if word.casefold() in known:
            raise InputError("definition.known", word=word)


def _tokens(undefined: Outcome, clean: Outcome) -> int | None:
    """How many tokens the invented word has in its place; None where nobody knows them."""
    if not clean.prepared.prompt_ids:
        return None
    grown = len(undefined.prepared.prompt_ids) - len(clean.prepared.prompt_ids)
    places = max(1, len(undefined.prepared.trial.spans))
    return (grown + undefined.prepared.tokens) // places


def _notes(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Which words may be known: those that are one token, and all where tokens are not known."""
    if any(row["word_tokens"] is None for row in rows):
        return [{"key": "invented_unchecked"}]
    whole = dict.fromkeys(row["invented"] for row in rows if row["word_tokens"] <= 1)
    return [{"key": "invented_known", "words": ", ".join(whole)}] if whole else []


def _kind(kind: str, rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> dict[str, Any]:
    mine = [row for row in rows if row["kind"] == kind]
    mean = mean_interval(
        [row["effect_log_prob"] for row in mine], seed=settings["seed"], nothing=settings["nats"]
    )
    return {
        "kind": kind,
        "n": len(mine),
        "kept": sum(not row["flips"] for row in mine),
        **{
            f"effect_log_prob{end}": mean[name]
            for end, name in (("", "mean"), ("_low", "low"), ("_high", "high"))
        },
    }


def _gain(
    rows: Sequence[Mapping[str, Any]], without: str, settings: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What the definition adds, word by word, beside no definition or that of another word."""
    by_word = {(row["kind"], row["invented"]): row["effect_log_prob"] for row in rows}
    pairs = [
        (by_word[kind, word], by_word.get((without, word))) for kind, word in by_word if kind == "defined"
    ]
    gains = [after - before for after, before in pairs if after is not None and before is not None]
    if not gains:
        return None
    told: dict[str, Any] = {"seed": settings["seed"], "nothing": settings["nats"]}
    mean = mean_interval(gains, **told)
    return {**mean, "above": surely_above(mean["low"], gains, nothing=settings["nats"])}


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """In how many of the invented words the answer is lost, and in how many a definition brings it back."""
    kinds = {kind["kind"]: kind for kind in data["kinds"]}
    lost, back = kinds["undefined"], kinds["defined"]
    what = quoted_text(data["own"], lang)
    told = {
        "kept": lost["kept"],
        "n": lost["n"],
        "what": what,
        "example": quoted_text(data["rows"][0]["text"], lang),
    }
    parts = [*opening(data, lang), say("definition.undefined", lang, **told)]
    parts.append(say("definition.defined", lang, kept=back["kept"], n=back["n"]))
    if gain := data["gain"]:
        within_ = within(gain["low"], gain["high"], signed, lang)
        parts.append(say("definition.gain", lang, nats=signed_if_known(gain["mean"]), within=within_))
    if (other := data["gain_over_other"]) and not other["above"]:
        parts.append(say("definition.no_more_than_other", lang, nats=signed_if_known(other["mean"])))
    return joined(parts, lang)


def table(data: Record, lang: str) -> Table:
    """Every invented word, without a definition, with its own, with that of another."""
    cells = [
        [
            row["invented"],
            say(f"definition.kind_{row['kind']}", lang),
            "" if row["word_tokens"] is None else str(row["word_tokens"]),
            *effect_cells(row),
            flip_cell(row, data),
        ]
        for row in data["rows"]
    ]
    beside = data["beside"]
    notes = [note("definition.note", data, lang, beside=signed_if_known(beside["effect_log_prob"]))]
    names = ("word", "kind", "tokens", "nats", "points", "kl", "flips")
    return Table(columns("definition", lang, *names), cells, notes)


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Each invented word a dot, by what stands before the passage."""
    from probes import charts

    runs_ = [
        (say(f"definition.kind_{row['kind']}", lang), row["invented"], row) for row in result.data["rows"]
    ]
    return charts.dots(result, runs_, lang)


def runs(_extent: Extent, settings: Mapping[str, Any]) -> int:
    """Three for each invented word, and the definition before the passage as it stands."""
    return 3 * (len(listed(settings["invent"] or "")) or int(settings["words"])) + 1


def _named(row: Record, lang: str) -> str:
    return say(f"definition.kind_{row['kind']}", lang)


OVER = Over(
    keys=("kind",),
    name=_named,
    short=_named,
    cell=_named,
    column="kind",
    strongest=None,
    left_out=("change_none",),
)
STUDY = Study(
    "definition",
    (CHANGE, INVENT, MEANING, WORDS, TARGET, POINTS, NATS, SEED),
    steps,
    sentence=sentence,
    table=table,
    picture=picture,
    over=OVER,
    runs=runs,
)
