"""The jobs every tiny model is put through, and what the oracle says of them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from probes.engine.jobs import Job
from tests.arch.configs import CONFIGURATIONS, Tiny, built
from tests.oracle import log_prob, log_prob_hidden

# Nats, absolute. Rounding in fp32 moves these sums by at most 3e-5; the smallest difference between two jobs
# is many times larger (see test_truths_differ in test_scores.py).
TOLERANCE = 1e-4

# Smaller than one edited prompt; large enough for a few rows a batch.
CHUNKS = {"auto": 24, "batches": 100, "reference": 24}

CLEAN = tuple(3 + (7 * i * i + 5 * i) % 120 for i in range(22))  # longer than every window; repeats tokens
ANSWERS = ((11,), (11, 40), (40,), (99, 5, 11))  # the first begins the second


def without(*positions: int) -> tuple[int, ...]:
    return tuple(token for i, token in enumerate(CLEAN) if i not in positions)


def replaced(position: int, *tokens: int) -> tuple[int, ...]:
    return CLEAN[:position] + tokens + CLEAN[position + 1 :]


EDITS = {
    "clean": Job(CLEAN, ANSWERS),
    "clean again": Job(CLEAN, ANSWERS),
    "start deleted": Job(without(0, 1), ANSWERS),
    "middle deleted": Job(without(9), ANSWERS),
    "two spans deleted": Job(without(4, 5, 15, 16, 17), ANSWERS),
    "end deleted": Job(without(20, 21), ANSWERS),  # a prefix of the clean prompt
    "end deleted again": Job(without(20, 21), ANSWERS),
    "replaced": Job(replaced(12, 77), ANSWERS),
    "replaced by more": Job(replaced(12, 77, 78, 79, 80), ANSWERS),  # longer than the clean prompt
    "answer in the prompt": Job((*CLEAN, 11, 40), ANSWERS),  # the clean prompt and an answer as one
    "nothing in common": Job(tuple(reversed(CLEAN)), ANSWERS),
    "one token": Job((50,), ANSWERS),
    "other answers": Job(without(9), ((64, 65), (11,), (11,))),
}
HIDES = {
    "one hidden": Job(CLEAN, ANSWERS, frozenset({9})),
    "its neighbours hidden too": Job(CLEAN, ANSWERS, frozenset({8, 9, 10})),
    "two spans hidden": Job(CLEAN, ANSWERS, frozenset({5, 6, 16, 17})),
    "first hidden": Job(CLEAN, ANSWERS, frozenset({0})),
    "last hidden": Job(CLEAN, ANSWERS, frozenset({21})),
    "all hidden": Job(CLEAN, ANSWERS, frozenset(range(22))),
    "hidden and deleted": Job(without(9), ANSWERS, frozenset({9, 15})),
    "hidden in a longer prompt": Job((*CLEAN, 11, 40), ANSWERS, frozenset({9, 22})),
}
SAME = ({"clean", "clean again"}, {"end deleted", "end deleted again"})  # jobs whose numbers are equal


def jobs_for(tiny: Tiny) -> dict[str, Job]:
    return {**EDITS, **HIDES} if tiny.attends else EDITS


@functools.cache
def expected(name: str) -> dict[str, tuple[float, ...]]:
    """The oracle's log-probabilities of every job, in the order of its continuations."""
    tiny = CONFIGURATIONS[name]
    return {case: truth(tiny, job) for case, job in jobs_for(tiny).items()}


def truth(tiny: Tiny, job: Job) -> tuple[float, ...]:
    return tuple(_one_truth(tiny, job, continuation) for continuation in job.continuations)


def _one_truth(tiny: Tiny, job: Job, continuation: tuple[int, ...]) -> float:
    # what an earlier forward left behind must not matter: such a model is asked fresh each time
    model = tiny.build() if tiny.stateful else built(tiny.name)
    if job.hidden:
        return log_prob_hidden(model, job.ids, continuation, job.hidden, layers=tiny.attends)
    return log_prob(model, job.ids, continuation)


def differences(
    names: Iterable[str],
    found: dict[int, Sequence[float]],
    truths: dict[str, tuple[float, ...]],
    tolerance: float,
) -> list[str]:
    """One line a number that is missing or further than `tolerance` from the truth."""
    lines = []
    for index, name in enumerate(names):
        got, wanted = found.get(index, ()), truths[name]
        if len(got) != len(wanted):
            lines.append(f"{name}: {len(got)} numbers for {len(wanted)} continuations")
        for k, (a, b) in enumerate(zip(got, wanted, strict=False)):
            if not abs(a - b) <= tolerance:  # NaN is no agreement
                lines.append(f"{name}, continuation {k}: engine {a:.6f}, oracle {b:.6f}, off by {a - b:.2e}")
    return lines
