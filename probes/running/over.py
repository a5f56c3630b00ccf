"""A study over a set of passages: means with intervals, since on one passage no single head may decide.

Rows that stand for the same part of the model in every passage are averaged, within a passage first where it
has several, then over passages, which are what the intervals are drawn from. Words differ from passage to
passage: links are averaged by the roles of their words, patched states by where their words stand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from probes.asking.question import Question
from probes.errors import CruxError, InputError, LimitError
from probes.models.base import AnswerModel
from probes.record.results import SCHEMA, ProbeResult
from probes.record.store import Store
from probes.running.commandline import command_line
from probes.running.headline import headline
from probes.running.runner import run
from probes.studies import STUDIES, study_named
from probes.studies.over_means import agreements, averaged


def run_over(
    study: str,
    model: AnswerModel,
    questions: Sequence[Question],
    options: Mapping[str, Any] | None = None,
    *,
    source: str = "",
    base: Question | None = None,
    store: Store | None = None,
    lang: str = "en",
    on_progress: Callable[[int, int], None] | None = None,
) -> ProbeResult:
    """One study on every question, and the means of its rows with 95 % intervals.

    A passage for which patching has no counterfactual of the same length that moves the answer is left out,
    and counted.

    Args:
        source: what names the set; `base`: the question it was made for. The record's command line has both.
        on_progress: called with (runs done, runs in all), the latter from the passages run so far.

    Raises:
        InputError: this study's rows are words, which have no mean over passages; or no passage can be used.
    """
    chosen = study_named(study)
    over = chosen.over
    if over is None:
        offered = ", ".join(name for name, one in STUDIES.items() if one.over)
        raise InputError("over_words", study=study, studies=offered)
    settings = chosen.settings(dict(options or {}))
    started, cpu, records = time.perf_counter(), time.process_time(), []
    left_out: CruxError | None = None
    progress = _Progress(len(questions), on_progress)
    for number, question in enumerate(questions, 1):
        try:
            record = dict(
                run(study, model, question, options, store=store, lang=lang, on_progress=progress.told).data
            )
        except (InputError, LimitError) as fault:
            if fault.key not in over.left_out:
                told = {"number": number, "size": len(questions), "begins": question.passage.text[:40]}
                raise type(fault)("over_passage", **told, reason=fault) from fault
            left_out = fault
        else:
            if over.usable(record):
                records.append(over.placed(record, question))
        progress.next()
    if not records:
        raise left_out or InputError("over_empty", source=source)
    named = {**settings, "over": source}
    first, seed = records[0], int((options or {}).get("seed") or 0)
    rows, strongest = averaged(over, records, seed)
    shared = ("geometry", "mode", "positions", "direction", "site")
    made = ("crux", "model", "versions", "processor", "options")
    data = {
        "schema": SCHEMA,
        "study": study,
        "over": {
            "size": len(records),
            "left_out": len(questions) - len(records),
            "source": source,
            "passages": [_told(r) for r in records],
        },
        **{name: first[name] for name in shared if name in first},
        "target": _target(records),
        "thresholds": first["thresholds"],
        "noise_floor": max((r["noise_floor"] or 0.0 for r in records), default=None),
        "agreement": agreements(records, seed),
        "strongest": strongest,
        "notes": [note for note in model.notes(base or questions[0]) if note["key"].startswith("unused_")],
        "rows": rows,
        "provenance": {
            **{name: first["provenance"][name] for name in made},
            "command_line": command_line(study, model.arguments, base or questions[0], named),
            "seconds": time.perf_counter() - started,
            "cpu_seconds": time.process_time() - cpu,
            **{name: sum(r["provenance"][name] for r in records) for name in ("trials", "from_store")},
            **{
                name: [report for r in records for report in r["provenance"][name]]
                for name in ("engine", "stored")
            },
        },
    }
    data["headline"] = headline(data, lang)
    return ProbeResult(study, data)


class _Progress:
    """Runs done over all passages; the total takes the passages to come to cost what those before did."""

    def __init__(self, passages: int, tell: Callable[[int, int], None] | None) -> None:
        self._left, self._tell = passages, tell
        self._done = self._runs = self._finished = 0
        self._most = 1

    def told(self, done: int, total: int) -> None:
        """Of the passage that is running."""
        self._done, self._runs = done, total
        self._most = max(self._most, total)
        if self._tell:
            self._tell(self._finished + done, self._finished + total + self._most * (self._left - 1))

    def next(self) -> None:
        """That passage is finished."""
        self._finished += self._done
        self._left -= 1
        self._done = self._runs = 0


def _target(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What effects are measured on: its name, and its answers' where they are the same in every passage."""
    first = records[0]["target"]
    names = ("kind", "text", "against_text")
    same = {n: first[n] if all(r["target"][n] == first[n] for r in records) else None for n in names}
    return {"name": first["name"], **same}


def _told(record: Mapping[str, Any]) -> dict[str, Any]:
    clean, reference = record["clean"], record.get("reference")
    told = {name: clean[name] for name in ("passage", "question", "right", "top")}
    if reference:
        told["reference"] = {name: reference[name] for name in ("size", "place", "right", "answers")}
    return told
