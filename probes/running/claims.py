"""What is measured for each claim of the lecture: from the records of studies to one figure a passage.

What the claims L1 to L16 say, and what their figures mean, is in `probes/locale/lecture.toml`. No rule knows
which model it judges.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from probes.ranks import spearman
from probes.running.claim_places import (
    FLOOR,
    MOVES,
    Figure,
    Place,
    lost,
    margin,
    meet,
    number,
    rows_of,
)
from probes.studies.baselines import answered

WISH = {"en": "decided to go to", "zh": "决定去"}
"""Words of a wish, put in the place of a visit's."""


Measure = Callable[[Place], Figure | None]
"""None where the claim makes no sense on that passage."""


@dataclass(frozen=True)
class Claim:
    """A claim and its rule: it holds where the figure is beyond `threshold` on `side`.

    `inside`: it needs a model that can be opened; `closed`: it is about models that cannot. `quiet`: it may
    hold only where, in the same run, something moves the answer: a model that ignores the passage confirms
    nothing. `share`: each figure is 1 or 0, and what is judged is their share. `runs`: of the model on a
    passage, at most.
    """

    id: str
    measure: Measure
    threshold: float = 0.0
    side: Literal["above", "below"] = "above"
    inside: bool = False
    closed: bool = False
    share: bool = False
    quiet: bool = False
    runs: int = 1


# ---- the claims


def right_answer(place: Place) -> Figure | None:
    """L1: the right answer's margin."""
    ahead = margin(place.record("ask"), place.question.right)
    return None if ahead is None else Figure(ahead)


def counts_mentions(place: Place) -> Figure | None:
    """L2: what a sentence more that only mentions the place adds to the number answered."""
    if not place.mentions:
        return None
    data = place.record("frequency", draws=4)
    probability = [mean["probability_of_mentions"] for mean in data["means"] if mean["kind"] == "mention"]
    told = {"mentions": float(data["mentions"])}
    if probability and probability[-1] is not None:
        told["as_many"] = probability[-1]
    return Figure(data["slope"]["mean"], told, place.moves)


def wish_is_no_visit(place: Place) -> Figure | None:
    """L3: how much the number answered falls when a visit's words become those of a wish."""
    if not place.visited:
        return None
    wish = WISH["zh" if place.question.language == "zh" else "en"]
    data = place.record("counterfactual", change=place.called(place.deeds()[0]), to=wish)
    before, after = number(data["clean"]), number(data["rows"][0])
    if before is None or after is None:
        return None
    return Figure(before - after, {"before": before, "after": after})


def key_verb(place: Place) -> Figure | None:
    """L4: which share of the other words does less than the word that says what was done."""
    verbs = place.visit_words()
    if not verbs:
        return None
    key = rows_of(place.words, place.spans("key"))
    others = [lost(row) for row in place.words["rows"] if row not in key]
    mine = [max(lost(row) for row in rows) for span in verbs if (rows := rows_of(place.words, [span]))]
    if not others or not mine:
        return None
    weakest = min(mine)
    below = sum(other < weakest for other in others) / len(others)
    return Figure(below, {"effect": weakest, "others": max(others)}, place.moves)


def redundant(place: Place) -> Figure | None:
    """L5: the loss without the redundant words, beside the loss without the key verb, as a share of it."""
    verbs, spare = place.visit_words(), rows_of(place.words, place.spans("redundant"))
    if not verbs or not spare:
        return None
    key = max(lost(row) for row in rows_of(place.words, verbs))
    rest = max(lost(row) for row in spare)
    if key <= 0:
        return None
    return Figure(min(rest / key, 9.0), {"key": key, "redundant": rest}, place.moves and key > 1)


def other_question(place: Place) -> Figure | None:
    """L6: how far the loss of another deed's words moves the answer here, up or down, as a share of its cost
    under the question that asks for them.
    """
    if place.question.suggested.other is None or not place.visited:
        return None
    data = place.record("questions")
    label = data["second"]["right"] or data["second"]["top"]
    asked = [row for row in data["rows"] if row["second"]["effect_log_prob"] is not None]
    name = next((a["name"] for a in data["second"]["answers"] if a["answer"] == label), str(label))
    thing = [row for row in asked if row["text"].casefold() in str(name).casefold() and len(row["text"]) > 1]
    if not thing:
        return None
    chosen = max(thing, key=lambda row: lost(row["second"]))
    there, here = lost(chosen["second"]), abs(max(float(chosen["effect_log_prob"]), FLOOR))
    if there < MOVES:  # they do not matter there either: nothing to compare with
        return None
    return Figure(min(here / there, 9.0), {"here": here, "there": there}, place.moves)


def noise_goes(place: Place) -> Figure | None:
    """L7: the right answer's margin with all idle words gone."""
    noise = place.spans("noise")
    if not noise:
        return None
    gone = place.record("ask", drop=",".join(dict.fromkeys(map(place.called, noise))), control=0)
    left = margin(gone, place.question.right)
    if left is None:
        return None
    words = rows_of(place.words, noise)
    return Figure(left, {"words": float(len(words)), "of": float(len(place.words["rows"]))}, place.moves)


def near_mentions(place: Place) -> Figure | None:
    """L8: Spearman's ρ between a word's effect and its nearness to a mention of the place."""
    mentions = place.mentions
    rows = place.words["rows"]
    at = [n for n, row in enumerate(rows) if any(meet((row["start"], row["end"]), m) for m in mentions)]
    others = [n for n in range(len(rows)) if n not in at]
    if not at or len(others) < 5:
        return None
    near = [-min(abs(n - m) for m in at) for n in others]
    rho = spearman([lost(rows[n]) for n in others], near)
    return None if rho is None else Figure(rho, {"words": float(len(others))}, place.moves)


def attention_finds(place: Place) -> Figure | None:
    """L9: ρ between what the answer's position reads and what removing the same words does."""
    data = place.record("attention")
    rho = data["agreement"]["mean"]["rho"]
    if rho is None:
        return None
    best = max((row["rho"] or 0.0 for row in data["agreement"]["rows"]), default=0.0)
    return Figure(rho, {"best_head": best}, place.moves)


def links_matter(place: Place) -> Figure | None:
    """L10: the strongest link among key words, beyond the strongest among all others, nats."""
    if not place.visited:
        return None
    key = place.spans("key") + place.mentions
    data = place.record("links", budget=100, target=place.target)
    inner, outer = [0.0], [0.0]
    for row in data["rows"]:
        ends = [one for one in (row["from"], row["to"]) if one != "answer"]
        both = all(any(meet((one["start"], one["end"]), span) for span in key) for one in ends)
        (inner if both else outer).append(lost(row))
    return Figure(max(inner) - max(outer), {"inner": max(inner), "outer": max(outer)})


def definition_helps(place: Place) -> Figure | None:
    """L11: what a definition of an invented word adds beyond the definition of another word, nats."""
    verbs = place.deeds()
    if not verbs:
        return None
    data = place.record("definition", change=place.called(verbs[0]), target=place.target)
    gain = data["gain_over_other"]["mean"]
    return None if gain is None else Figure(gain, {"gain": data["gain"]["mean"] or 0.0})


def old_methods(place: Place) -> Figure | None:
    """L12: whether the best method from before language models, verbs counted by a rule, gives the right
    answer; on the lecture's passage and on generated ones: the rule's makers knew the other presets.
    """
    question = place.question
    if question.right is None or (question.preset and not question.preset.startswith("coffee")):
        return None
    if question.preset:
        place.record("baselines")
    right = {row["method"]: row["correct"] for row in answered(question, question.suggested.mention)}
    told = {name: float(correct) for name, correct in right.items() if correct is not None}
    return Figure(told["stated"], told) if "stated" in told else None


def focus_spread(place: Place) -> Figure | None:
    """L16: how much more evenly what is written about the speech hangs on its words than the answer here."""
    if place.speech is None:
        return None
    speech, here = (one.record("focus")["concentration"]["entropy"] for one in (place.speech, place))
    place.used += [one for one in place.speech.used if one not in place.used]
    if speech is None or here is None:
        return None
    return Figure(speech - here, {"speech": speech, "here": here}, place.moves)


def order_matters(place: Place) -> Figure | None:
    """L14: what the right answer's log-probability loses when the sentences stand otherwise, nats."""
    data = place.record("order", target=place.target)
    rows = data["rows"]
    if not rows:
        return None
    drop = -math.fsum(max(row["effect_log_prob"], FLOOR) for row in rows) / len(rows)
    return Figure(
        drop, {"kept": sum(not row["flips"] for row in rows) / len(rows), "orders": float(len(rows))}
    )


def two_jobs(place: Place) -> Figure | None:
    """L15: the loss without the strongest attention block, or the strongest MLP block: the smaller."""
    if not place.visited:  # "never" is also what is said where nothing is found
        return None
    data = place.record("layers", target=place.target)
    strongest = {
        part: max((lost(row) for row in data["rows"] if row["part"] == part), default=0.0)
        for part in ("attention", "mlp")
    }
    ahead = margin(data["clean"], place.question.right)
    return Figure(min(strongest.values()), strongest, ahead is not None and ahead > 0)


CLAIMS = (
    Claim("L1", right_answer),
    Claim("L2", counts_mentions, 0.25, "below", quiet=True, runs=90),
    Claim("L3", wish_is_no_visit, 0.5, runs=2),
    Claim("L4", key_verb, 0.9, quiet=True, runs=60),
    Claim("L5", redundant, 0.25, "below", quiet=True, runs=60),
    Claim("L6", other_question, 0.25, "below", quiet=True, runs=110),
    Claim("L7", noise_goes, quiet=True, runs=62),
    Claim("L8", near_mentions, quiet=True, runs=60),
    Claim("L9", attention_finds, 0.2, inside=True, quiet=True, runs=60),
    Claim("L10", links_matter, 0.2, inside=True, runs=180),
    Claim("L11", definition_helps, 0.1, runs=26),
    Claim("L12", old_methods, 0.5, "below", share=True, runs=4),
    Claim("L13", right_answer, closed=True),
    Claim("L14", order_matters, 0.1, runs=26),
    Claim("L15", two_jobs, 0.5, inside=True, quiet=True, runs=32),
    Claim("L16", focus_spread, 0.05, inside=True, quiet=True, runs=170),
)
"""The claims of the lecture, in its order."""
