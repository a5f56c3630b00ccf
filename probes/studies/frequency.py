"""Does the model count mentions? Sentences that mention something without a visit are added, and such
mentions taken away.

Beside each added sentence stands a control that mentions something else in the same words: what adding text
does by itself is told apart from what the mention does.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.asking.answers import AnswerSet
from probes.asking.distribution import Distribution
from probes.asking.question import Question
from probes.asking.trials import Trial
from probes.errors import InputError
from probes.intervals import mean_interval, surely_above
from probes.locale import say
from probes.models.base import Outcome
from probes.numbers import percent, signed
from probes.studies.base import NATS, POINTS, SEED, TARGET, Asking, Extent, Option, Record, Steps, Study
from probes.studies.columns import Table, columns, note
from probes.studies.effects import run_fields
from probes.studies.over_telling import Over, within
from probes.studies.telling import joined, opening, quoted_text
from probes.text.passage import Passage
from probes.text.phrases import occurrences
from probes.text.segment import Span

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

MENTION = Option("mention", "text", None)
ADDED = Option("added", "integer", 3, low=1, high=20)
DRAWS = Option("draws", "integer", 8, low=1, high=200)
FRAMES = {
    "en": (
        "People often talk about the {mention}.",
        "There is a picture of the {mention} in the newspaper.",
        "A neighbour wrote a poem about the {mention}.",
        "The {mention} has been there for years.",
        "Somebody dreamt of the {mention}.",
        "A map on the wall shows the {mention}.",
    ),
    "zh": (
        "大家常常说起{mention}。",
        "报纸上登着{mention}的照片。",
        "邻居写过一首关于{mention}的诗。",
        "{mention}在那里已经很多年了。",
        "有人梦见过{mention}。",
        "墙上的地图标着{mention}。",
    ),
}
"""Sentences that mention a place and in which nobody goes there."""
ELSEWHERE = {"en": "lighthouse", "zh": "灯塔"}
"""What the control mentions."""
KINDS = ("mention", "control", "taken")


def steps(asking: Asking) -> Steps:
    """Yield the passage with sentences added, each kind so many times; then with mentions taken away."""
    question, settings = asking.question, asking.settings
    mention = mention_of(question, settings["mention"])
    places = occurrences(question.passage.text, mention)
    numbers = _numbers(question.answers)
    rng, lang = random.Random(settings["seed"]), "zh" if question.language == "zh" else "en"
    about: list[tuple[str, int]] = []
    trials: list[Trial] = []
    for added in range(1, settings["added"] + 1):
        for _ in range(settings["draws"]):
            chosen = [(rng.choice(FRAMES[lang]), _gap(question, rng)) for _ in range(added)]
            for kind, word in (("mention", mention), ("control", ELSEWHERE[lang])):
                trials.append(Trial(pieces=_with(question.passage.text, chosen, word, lang)))
                about.append((kind, added))
    for taken in _idle(question, places):
        trials.append(Trial(taken))
        about.append(("taken", -len(taken)))
    outcomes = yield trials
    rows = [
        _row(asking, kind, added, len(places), outcome, numbers)
        for (kind, added), outcome in zip(about, outcomes, strict=True)
    ]
    return {
        "mention": mention,
        "mentions": len(places),
        "rows": rows,
        "expected": _expected(asking.clean.answers, numbers),
        "means": _means(rows, settings),
        "slope": _slope(rows, settings),
    }


def mention_of(question: Question, named: str | None) -> str:
    """The words whose mentions are counted: as named, as suggested, else the longest words in a row that the
    question and the passage share.

    Raises:
        InputError: they are not in the passage, or nothing is shared.
    """
    text = question.passage.text
    if named and named.strip():
        if not occurrences(text, named.strip()):
            question.passage.find(named)  # says which words are near
        return named.strip()
    if (mention := question.suggested.mention) and occurrences(text, mention):
        return mention
    if not (found := _shared(question)):
        raise InputError("frequency.no_mention", question=question.question)
    return found


_PHRASE = 8
"""Words that what is asked about may have where nobody names it."""
_IDLE = """a an the to of in at on i you he she it we they did do does how many often times time was is were
and go went 我 你 他 她 它 我们 他们 去 了 过 几 次 几次 去了 去过 多少 多少次 一共 有 在 的 是"""
"""Words that a question about a count has whatever it asks about."""


def _shared(question: Question) -> str:
    """The longest words in a row that the question and the passage share, beginning and ending with a word
    that says something; "" where there are none.
    """
    asked = Passage(question.question, dictionary=question.passage.dictionary)
    idle = frozenset(_IDLE.split())
    telling = [word for word in asked.words if word.text.casefold() not in idle]
    starts, ends = ({word.span[side] for word in question.passage.words} for side in (0, 1))
    phrases = {
        asked.text[first.start : last.end]
        for first in telling
        for last in telling
        if 0 <= last.index - first.index < _PHRASE
    }
    whole = (
        phrase
        for phrase in sorted(phrases, key=lambda one: (-len(one), asked.text.index(one)))
        if any(a in starts and b in ends for a, b in occurrences(question.passage.text, phrase))
    )
    return next(whole, "")


def _numbers(answers: AnswerSet) -> dict[int, int]:
    """The number that each answer's label is.

    Raises:
        InputError: under two of them are numbers.
    """
    found = {n: int(one.label) for n, one in enumerate(answers.answers) if one.label.isdecimal()}
    if len(found) < 2:
        raise InputError("frequency.no_numbers", labels=", ".join(one.label for one in answers.answers))
    return found


def _gap(question: Question, rng: random.Random) -> int:
    """A place between two sentences, before the first or behind the last."""
    ends = [0, *(sentence.end for sentence in question.passage.sentences)]
    return rng.choice(ends)


def _with(text: str, chosen: Sequence[tuple[str, int]], word: str, lang: str) -> tuple[str | Span, ...]:
    """The passage's pieces with sentences put at their places."""
    space = " " if lang == "en" else ""
    pieces: list[str | Span] = []
    at = 0
    for frame, place in sorted(chosen, key=lambda one: one[1]):
        if at < place:
            pieces.append((at, place))
            at = place
        told = frame.format(mention=word)
        pieces.append(told + space if place == 0 else space + told)
    if at < len(text):
        pieces.append((at, len(text)))
    return tuple(pieces)


def _idle(question: Question, places: Sequence[Span]) -> list[tuple[Span, ...]]:
    """Mentions that belong to no visit, where the words' roles tell: the first, the first two, and so on."""
    keys = question.roles.get("key", ())
    idle = [span for span in places if keys and not any(a < span[1] and span[0] < b for a, b in keys)]
    return [tuple(idle[: n + 1]) for n in range(len(idle))]


def _row(
    asking: Asking, kind: str, added: int, mentions: int, outcome: Outcome, numbers: Mapping[int, int]
) -> dict[str, Any]:
    count = mentions + (0 if kind == "control" else added)
    named = next((place for place, number in numbers.items() if number == count), None)
    answers = outcome.answers
    return {
        "kind": kind,
        "added": added,
        "mentions": count,
        "text": f"{kind} {added:+d}",
        "probability_of_mentions": None if named is None else answers.probability[named],
        "expected": _expected(answers, numbers),
        **run_fields(outcome),
        **asking.effect(outcome),
    }


def _expected(answers: Distribution, numbers: Mapping[int, int]) -> float:
    """The mean number that the model answers, over the answers that are numbers."""
    shares = [answers.share[place] for place in numbers]
    whole = sum(shares)
    return sum(s * n for s, n in zip(shares, numbers.values(), strict=True)) / whole if whole else 0.0


def _means(rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """By kind and number of sentences: the mean number answered, and how often the answer stays."""
    found = []
    for kind, added in dict.fromkeys((row["kind"], row["added"]) for row in rows):
        mine = [row for row in rows if (row["kind"], row["added"]) == (kind, added)]
        mean = mean_interval([row["expected"] for row in mine], seed=settings["seed"])
        told = [r["probability_of_mentions"] for r in mine if r["probability_of_mentions"] is not None]
        found.append(
            {
                "kind": kind,
                "added": added,
                "mentions": mine[0]["mentions"],
                "n": len(mine),
                "kept": sum(not row["flips"] for row in mine),
                "expected": mean["mean"],
                "expected_low": mean["low"],
                "expected_high": mean["high"],
                "probability_of_mentions": sum(told) / len(told) if told else None,
            }
        )
    return found


def _slope(rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> dict[str, Any]:
    """How much a mention more adds to the number answered, beyond what the control's sentence adds."""
    pairs = zip(
        (row for row in rows if row["kind"] == "mention"),
        (row for row in rows if row["kind"] == "control"),
        strict=True,
    )
    steps_ = [(one["expected"] - other["expected"]) / one["added"] for one, other in pairs]
    mean = mean_interval(steps_, seed=settings["seed"])
    return {**mean, "above": surely_above(mean["low"], steps_)}


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """How the number answered follows the number of mentions."""
    parts = opening(data, lang)
    slope, what = data["slope"], quoted_text(data["mention"], lang)
    parts.append(say("frequency.mentions", lang, what=what, count=data["mentions"]))
    told = {"slope": signed(slope["mean"]), "within": within(slope["low"], slope["high"], signed, lang)}
    parts.append(say(f"frequency.{_verdict(slope)}", lang, **told))
    added = [mean for mean in data["means"] if mean["kind"] == "mention"]
    last = added[-1]
    numbers = {"added": last["added"], "kept": last["kept"], "n": last["n"]}
    parts.append(say("frequency.kept", lang, **numbers))
    if last["probability_of_mentions"] is not None:
        told = {"mentions": last["mentions"], "probability": percent(last["probability_of_mentions"])}
        parts.append(say("frequency.as_many", lang, **told))
    return joined(parts, lang)


FOLLOWS, LEANS = 0.5, 0.05
"""From these slopes on the number answered goes with the number of mentions, or leans towards it."""


def _verdict(slope: Mapping[str, Any]) -> str:
    if slope["above"] and slope["mean"] >= LEANS:
        return "follows" if slope["mean"] >= FOLLOWS else "leans"
    return "stays"


def table(data: Record, lang: str) -> Table:
    """By what was added: the number answered, and how often the answer stays."""
    cells = []
    for mean in data["means"]:
        low, high = mean["expected_low"], mean["expected_high"]
        cells.append(
            [
                say(f"frequency.kind_{mean['kind']}", lang),
                signed(mean["added"], 0),
                str(mean["mentions"]),
                f"{mean['expected']:.3f}",
                "" if low is None or high is None else f"{low:.3f} … {high:.3f}",
                "" if mean["probability_of_mentions"] is None else percent(mean["probability_of_mentions"]),
                f"{mean['kept']} / {mean['n']}",
            ]
        )
    names = ("kind", "added", "mentions", "expected", "interval", "as_many", "kept")
    clean = f"{data['expected']:.3f}"
    return Table(columns("frequency", lang, *names), cells, [note("frequency.note", data, lang, clean=clean)])


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """The number answered by the number of sentences added."""
    from probes import charts

    return charts.mentions(result, lang)


def runs(extent: Extent, settings: Mapping[str, Any]) -> int:
    """Two kinds of sentences, so many at a time, so often; and mentions taken away, at most every word."""
    return 2 * int(settings["added"]) * int(settings["draws"]) + extent.words


def _named(row: Record, lang: str) -> str:
    kind = say(f"frequency.kind_{row['kind']}", lang)
    return f"{kind} {signed(row['added'], 0)}"


OVER = Over(
    keys=("kind", "added"),
    name=_named,
    short=_named,
    cell=_named,
    column="kind",
    measure="expected",
    first="expected",
    strongest=None,
    left_out=("frequency.no_mention",),
)
STUDY = Study(
    "frequency",
    (MENTION, ADDED, DRAWS, TARGET, POINTS, NATS, SEED),
    steps,
    sentence=sentence,
    table=table,
    picture=picture,
    over=OVER,
    runs=runs,
)
