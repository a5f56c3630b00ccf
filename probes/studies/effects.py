"""From two answer distributions to an effect: how far the answer moved, and whether that is anything."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from probes.asking.distribution import Distribution
from probes.asking.question import Question
from probes.asking.trials import Trial
from probes.errors import InputError
from probes.models.base import Outcome
from probes.models.fillers import common
from probes.record.leads import NATS, POINTS, leads
from probes.studies.doubt import intervals, settled


@dataclass(frozen=True)
class Target:
    """What effects are measured on: one answer, or one against another (their log-odds)."""

    name: str
    answer: int
    against: int | None = None

    @classmethod
    def of(cls, name: str, question: Question, clean: Distribution) -> Target:
        """`top` (the clean run's), `right`, an answer's label, or two with a colon: `1:3`, `right:tempting`.

        Raises:
            InputError: no such answer; no right answer where it was asked for.
        """
        one, colon, other = name.strip().replace("：", ":").partition(":")
        answer = cls._answer(name, one.strip(), question, clean)
        against = cls._answer(name, other.strip(), question, clean) if colon else None
        if answer == against:
            raise InputError("target_unknown", target=name)
        return cls(name, answer, against)

    @staticmethod
    def _answer(name: str, part: str, question: Question, clean: Distribution) -> int:
        named = {"right": question.right, "tempting": question.tempting}
        if part == "top":
            return clean.top
        if part in named and named[part] is None:
            raise InputError("target_no_right", target=name)
        try:
            return question.answers.index(named.get(part) or part)
        except InputError as fault:
            raise InputError("target_unknown", target=name) from fault

    def log(self, answers: Distribution) -> float:
        """Log-probability of the answer (nats), or the log-odds of one against the other."""
        logs = answers.steady
        if self.against is None:
            return logs[self.answer]
        return logs[self.answer] - logs[self.against] if math.isfinite(logs[self.answer]) else -math.inf

    def probability(self, answers: Distribution) -> float:
        """Probability of the answer, or its part of the two."""
        if self.against is None:
            return answers.probability[self.answer]
        logs = answers.log_prob
        one, other = logs[self.answer], logs[self.against]
        if not math.isfinite(one):
            return 0.0
        return 1 / (1 + math.exp(other - one)) if other - one < 700 else 0.0

    def lead(self, answers: Distribution) -> float | None:
        """By how many nats the answer leads the likeliest other one, or the one it is measured against;
        negative where it is behind, None where one of the two has no probability at all or there is no other.

        Near certainty a probability hardly moves while this does: an answer at 0.9999 has room for neither
        a point nor a twentieth of a nat, and may still have lost half of its lead.
        """
        logs = answers.steady
        others = [log for i, log in enumerate(logs) if i != self.answer]
        by = logs[self.answer] - (
            max(others, default=-math.inf) if self.against is None else logs[self.against]
        )
        return by if math.isfinite(by) else None

    def as_dict(self, question: Question) -> dict[str, Any]:
        labels = [answer.label for answer in question.answers.answers]
        names = [answer.name for answer in question.answers.answers]
        return {
            "name": self.name,
            "kind": "answer" if self.against is None else "contrast",
            "label": labels[self.answer],
            "text": names[self.answer],
            "against": None if self.against is None else labels[self.against],
            "against_text": None if self.against is None else names[self.against],
        }


def effect(
    clean: Distribution, ablated: Distribution, target: Target, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """How `ablated` differs from `clean`: effects are ablated minus clean, in nats and in probability.

    "No change" is a change of the target's probability under `points` percentage points and of its
    log-probability under `nats`, with the same top answer; it says nothing of `effect_lead`, the change of
    the target's lead over the likeliest other answer (nats), which has no ceiling. `flips_by`: by how many
    nats the new top answer leads the clean one; 0 where it is the same, None where that one is gone
    altogether.

    Where answers are not told exactly the effect has intervals (`doubt.intervals`), a flip is clear only
    beyond them, and "no change" is None where they leave it open.
    """
    before, after = target.log(clean), target.log(ablated)
    nats = after - before if math.isfinite(after) and math.isfinite(before) else None
    share = target.probability(ablated) - target.probability(clean)
    flips = ablated.top != clean.top
    by = ablated.steady[ablated.top] - ablated.steady[clean.top] if flips else 0.0
    clearly = ablated.ahead(ablated.top, clean.top) and leads(
        ablated.probability[ablated.top], ablated.probability[clean.top], **_margin(settings)
    )
    doubt = intervals(clean, ablated, target)
    none = _small(share, nats, settings) and not flips
    led, leads_now = target.lead(clean), target.lead(ablated)
    return {
        "effect_log_prob": nats,
        "effect_probability": share,
        "effect_lead": None if led is None or leads_now is None else leads_now - led,
        "kl": clean.kl_to(ablated),
        "top": ablated.answers.answers[ablated.top].label,
        "flips": flips,
        "flips_by": by if math.isfinite(by) else None,
        "flips_clearly": clearly,
        "no_change": settled(doubt, none, clearly, settings),
        **doubt,
    }


def _small(share: float, nats: float | None, settings: Mapping[str, Any]) -> bool:
    return abs(share) * 100 < settings["points"] and nats is not None and abs(nats) < settings["nats"]


def limits(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The `thresholds` of a record: what counts as no change, and from where on a lead counts."""
    return {"points": settings["points"], "nats": settings["nats"], "margin": _margin(settings)}


def _margin(settings: Mapping[str, Any]) -> Mapping[str, float]:
    """The runner raises it where the model's number type tells less."""
    margin: Mapping[str, float] = settings.get("margin", {"points": POINTS, "nats": NATS})
    return margin


def effect_of(clean: Outcome, now: Outcome, target: Target, settings: Mapping[str, Any]) -> dict[str, Any]:
    """`effect` of a trial; all None, beside the answer, where no token carries what it was to take away."""
    found = effect(clean.answers, now.answers, target, settings)
    return found if now.prepared.reaches else {**dict.fromkeys(found), "top": found["top"]}


def mixed(outcomes: Sequence[Outcome]) -> Outcome:
    """Runs of one trial as one, each as likely: its probabilities are the means of theirs."""
    if len(outcomes) == 1:
        return outcomes[0]
    of_string = np.array([outcome.answers.log_probs for outcome in outcomes])
    logs = np.logaddexp.reduce(of_string, axis=0) - math.log(len(outcomes))
    return replace(outcomes[0], answers=replace(outcomes[0].answers, log_probs=tuple(logs.tolist())))


def on_average(
    whole: Mapping[str, Any], each: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """The effect of a trial that was run several times: the mean of each measure.

    Args:
        whole: the effect of the runs mixed, whose answer is the answer.
    """
    means: dict[str, Any] = {}
    for name in ("effect_log_prob", "effect_probability", "kl"):
        values = [one[name] for one in each]
        means[name] = None if None in values else math.fsum(values) / len(values)
    if whole["flips"] is None:  # nothing was reached
        return {**whole, **means}
    small = _small(means["effect_probability"], means["effect_log_prob"], settings)
    return {**whole, **means, "no_change": small and not whole["flips"]}


def answer_fields(answers: Distribution) -> dict[str, Any]:
    """What every record says of one answer distribution."""
    known = {} if answers.how == "exact" else {"known": {"how": answers.how, "samples": answers.samples}}
    return {"answers": answers.as_records(), "coverage": answers.coverage, "other": answers.other, **known}


def run_fields(outcome: Outcome) -> dict[str, Any]:
    """What was sent, so that anybody can check the numbers with one plain forward."""
    prepared = outcome.prepared
    return {
        **_rewritten(prepared.trial),
        "spans": [list(span) for span in prepared.trial.spans],
        "removed": [list(span) for span in prepared.removed],
        "token_spans": [list(span) for span in prepared.token_spans],
        "tokens": prepared.tokens,
        "mode": str(prepared.trial.mode),
        "filler": common(prepared.fillers),
        "hidden_positions": list(prepared.hidden_positions),
        "prompt": prepared.prompt,
        "prompt_ids": list(prepared.prompt_ids),
        **answer_fields(outcome.answers),
        "retokenised": prepared.retokenised,
        "length_changed": prepared.length_changed,
    }


def _rewritten(trial: Trial) -> dict[str, Any]:
    """How a trial rewrites the passage, and asks about it, where it does."""
    found: dict[str, Any] = {}
    if trial.pieces is not None:
        found["pieces"] = [piece if isinstance(piece, str) else list(piece) for piece in trial.pieces]
    if trial.wording:
        found["wording"] = trial.wording.told
    return found


def ask_fields(question: Question, outcome: Outcome) -> dict[str, Any]:
    """The fields of `ask` for one run: the question as put, and the answers.

    `greedy` holds the prompt to go on from; the runner puts the model's own words there. A prompt whose
    words are hidden has none: the stock model cannot be asked to go on without reading them.
    """
    put = outcome.prepared.put
    return {
        "passage": question.passage.text,
        "question": question.question,
        "template": put.template,
        "instruction": put.instruction,
        "answer_prefix": put.answer_prefix,
        "system": put.system,
        "endings": list(question.answers.endings),
        "preset": question.preset,
        "prompt": outcome.prepared.prompt,
        "prompt_ids": list(outcome.prepared.prompt_ids),
        **answer_fields(outcome.answers),
        "top": outcome.answers.answers.answers[outcome.answers.top].label,
        "right": question.right,
        "tempting": question.tempting,
        "greedy": None if outcome.prepared.hidden_positions else outcome.prepared,
    }
