"""The ways to run a job list, from fast to plain, and the one loop over them.

* `tree`: what texts share is run once (`by_tree`), or a run begins where something changes (`by_restart`);
* `batches`: whole texts side by side, padded;
* `reference`: the plain loop, one forward per prompt and continuation.

The first two are checked on each list against plain forwards. On a difference or an exception the next one
takes over, which the report says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeVar

from probes.engine.anatomy import Anatomy
from probes.engine.jobs import Reason, Report, Way

How = Literal["auto", "reference", "batches"]
"""What a caller may ask for: the fastest exact way, no tree, or the plain loop."""
Item = TypeVar("Item")
Found = TypeVar("Found")


def ways_of(anatomy: Anatomy, longest: int, how: str) -> tuple[list[Way], Reason | None]:
    """The ways to try for texts of up to `longest` tokens, fastest first, and why not all of them.

    Raises:
        ValueError: no such way.
    """
    if how == "reference":
        return ["reference"], None
    if how == "batches":
        return ["batches", "reference"], None
    if how != "auto":
        raise ValueError(f"no way called {how!r}: auto, reference or batches")
    reason, limit = anatomy.why_not("share_prefixes"), anatomy.length_limit
    if reason is None and limit is not None and longest > limit:
        reason = Reason("tree_length", {"tokens": longest, "limit": limit})
    return (["tree", "batches", "reference"], None) if reason is None else (["batches", "reference"], reason)


def by_ways(
    ways: Sequence[Way],
    report: Report,
    waiting: dict[int, Item],
    attempt: Callable[[Way, list[Item]], Iterator[tuple[int, Found]]],
    failed: Callable[[], None],
) -> Iterator[tuple[int, Found]]:
    """What comes of each item, by the first way that gives it.

    Args:
        report: told which way, and why it is not the first one.
        waiting: the items that are still to be run, by number; emptied as they are.
        attempt: runs items in one way.
        failed: called when a way has failed, before the next is tried.
    """
    for way in ways:
        report.how = way
        try:
            for number, found in attempt(way, list(waiting.values())):
                del waiting[number]
                yield number, found
            return
        except Exception as error:  # whatever broke, a plainer way may still give exact numbers
            failed()
            if way == ways[-1]:
                raise
            report.why = Reason("way_failed", {"way": way, "error": f"{type(error).__name__}: {error}"})
