"""What a model gives each answer: told exactly, bounded by its first tokens, or drawn in samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from probes.asking.answers import AnswerSet, Term
from probes.intervals import wilson

Known = Literal["exact", "first_token", "samples"]

RESOLUTION = 2.0**-24
"""fp32 cannot tell a smaller "everything else" (1 - coverage) from nothing: its floor in a KL."""
LOWEST = -100.0
"""An answer's floor in a KL, nats: what lies below is equally impossible."""


@dataclass(frozen=True)
class Distribution:
    """What a model gives each answer, and how that is known.

    Attributes:
        terms: what is added up to the answers.
        log_probs: of each term (nats, summed over its string's tokens); of one that was never seen, -inf.
        samples: how many answers were drawn, where probabilities are shares of these; None where the model
            told them.
        bounds: of each answer the least and the greatest its probability can be, where the model told only
            its likeliest first tokens; None otherwise.
    """

    answers: AnswerSet
    terms: tuple[Term, ...]
    log_probs: tuple[float, ...]
    samples: int | None = None
    bounds: tuple[tuple[float, float], ...] | None = None

    @classmethod
    def told(cls, answers: AnswerSet, probability: Sequence[float]) -> Distribution:
        """Exactly: a probability an answer."""
        return cls(answers, _one_each(answers), tuple(map(_log, probability)))

    @classmethod
    def drawn(cls, answers: AnswerSet, counts: Sequence[int], samples: int) -> Distribution:
        """From samples: how many of them began with each answer; the rest said something else."""
        if sum(counts) > samples or min(counts, default=0) < 0:
            raise ValueError(f"{list(counts)} of {samples} samples")
        logs = tuple(_log(count / samples) for count in counts)
        return cls(answers, _one_each(answers), logs, samples=samples)

    @classmethod
    def bounded(cls, answers: AnswerSet, bounds: Sequence[tuple[float, float]]) -> Distribution:
        """From first tokens' log-probabilities, where not all were told: the least each answer has, and the
        most, if all that was not told were its own.
        """
        logs = tuple(_log(low) for low, _ in bounds)
        return cls(answers, _one_each(answers), logs, bounds=tuple(bounds))

    @property
    def how(self) -> Known:
        """How the probabilities are known."""
        return "samples" if self.samples else "first_token" if self.bounds else "exact"

    @property
    def counts(self) -> tuple[int, ...]:
        """Samples of each answer."""
        return tuple(round((self.samples or 0) * share) for share in self.probability)

    def interval(self, answer: int, against: int | None = None) -> tuple[float, float] | None:
        """Where an answer's probability lies, or its part of two answers': Wilson's 95 % interval of samples,
        the bounds of first tokens; None where it is told exactly.
        """
        if self.samples:
            mine = self.counts[answer]
            return wilson(mine, self.samples if against is None else mine + self.counts[against])
        if self.bounds:
            low, high = self.bounds[answer]
            if against is None:
                return low, high
            other = self.bounds[against]
            return _part(low, other[1]), _part(high, other[0])
        return None

    def ahead(self, one: int, other: int) -> bool:
        """Whether an answer has more than another beyond what is not known."""
        found = self.interval(one, other)
        return self.probability[one] > self.probability[other] if found is None else found[0] > 0.5

    @cached_property
    def steady(self) -> tuple[float, ...]:
        """The answers' log-probabilities, those of samples with half a sample added to each answer and to
        everything else (Jeffreys), so that none is infinite for want of a few samples more.
        """
        if not self.samples:
            return self.log_prob
        whole = self.samples + (len(self.counts) + 1) / 2
        return tuple(math.log((count + 0.5) / whole) for count in self.counts)

    @cached_property
    def log_prob(self) -> tuple[float, ...]:
        """One number an answer: the log of its probability, -inf where it is nothing."""
        return tuple(map(self._sum, self._by_answer))

    @property
    def _by_answer(self) -> list[list[tuple[Term, float]]]:
        """The terms of each answer with their log-probabilities."""
        found: list[list[tuple[Term, float]]] = [[] for _ in self.answers.answers]
        for term, log_prob in zip(self.terms, self.log_probs, strict=True):
            found[term.answer].append((term, log_prob))
        return found

    @staticmethod
    def _sum(terms: Sequence[tuple[Term, float]]) -> float:
        """log of the signed sum of the terms' probabilities, scaled by the largest: nothing underflows."""
        mine = [(term.sign, log_prob) for term, log_prob in terms]
        top = max((lp for _, lp in mine), default=-math.inf)
        if top == -math.inf:
            return -math.inf
        total = math.fsum(sign * math.exp(lp - top) for sign, lp in mine)
        return top + math.log(total) if total > 0 else -math.inf

    @property
    def probability(self) -> tuple[float, ...]:
        return tuple(math.exp(lp) for lp in self.log_prob)

    @property
    def coverage(self) -> float:
        """The probability that the answer is one of the listed ones."""
        return math.fsum(self.probability)

    @property
    def other(self) -> float:
        """The probability of everything else."""
        return max(0.0, 1.0 - self.coverage)

    @property
    def share(self) -> tuple[float, ...]:
        """Each answer's part of the coverage; sums to 1."""
        logs = self.log_prob
        top = max(logs)
        weights = [math.exp(lp - top) if top > -math.inf else 1.0 for lp in logs]
        total = math.fsum(weights)
        return tuple(w / total for w in weights)

    @property
    def top(self) -> int:
        """The listed answer with the greatest probability."""
        logs = self.log_prob
        return logs.index(max(logs))

    def kl_to(self, ablated: Distribution) -> float:
        """KL(self || ablated) in nats, over the answers and everything else."""
        mine, theirs = self._categories(), ablated._categories()
        return max(0.0, math.fsum(math.exp(a) * (a - b) for a, b in zip(mine, theirs, strict=True)))

    def _categories(self) -> list[float]:
        """log-probabilities of the answers and of everything else, none lower than fp32, or the samples, can
        tell apart.
        """
        if self.samples:
            return [*self.steady, math.log(1 - math.fsum(map(math.exp, self.steady)))]
        other = math.log(max(self.other, RESOLUTION))
        return [*(max(log_prob, LOWEST) for log_prob in self.log_prob), other]

    def as_records(self) -> list[dict[str, Any]]:
        """The `answers` of a record: one dictionary an answer."""
        rows: Iterable[Any] = zip(
            self.answers.answers, self.probability, self.log_prob, self.share, self._by_answer, strict=True
        )
        return [
            {
                "answer": answer.label,
                "name": answer.name,
                "strings": list(answer.strings),
                "scored": [
                    {"string": t.string, "ids": list(t.ids), "log_prob": lp, "sign": t.sign}
                    for t, lp in terms
                    if math.isfinite(lp)
                ],
                "probability": probability,
                "log_prob": log_prob if math.isfinite(log_prob) else None,
                "share": share,
                **self._doubt(place),
            }
            for place, (answer, probability, log_prob, share, terms) in enumerate(rows)
        ]

    def _doubt(self, place: int) -> dict[str, Any]:
        """Of an answer that is not known exactly, its interval, and how often it was drawn."""
        found = self.interval(place)
        counted = {"count": self.counts[place]} if self.samples else {}
        return {} if found is None else {"interval": list(found), **counted}


def _one_each(answers: AnswerSet) -> tuple[Term, ...]:
    """A term an answer, of strings whose tokens nobody knows."""
    return tuple(Term(place, answer.name, (), 1) for place, answer in enumerate(answers.answers))


def _log(probability: float) -> float:
    return math.log(probability) if probability > 0 else -math.inf


def _part(one: float, other: float) -> float:
    return one / (one + other) if one + other > 0 else 0.5
