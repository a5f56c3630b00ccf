"""The lecture's claims put to a model, one by one: each measured on several passages, and judged.

Every figure comes from a record of a study, run on the one runner: clean runs and trials are shared through
the store, so nothing is computed twice, and a run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from probes.asking.question import Question, preset, presets
from probes.errors import CapabilityError, InputError
from probes.models.base import AnswerModel, Progress
from probes.record.provenance import surroundings
from probes.record.results import SCHEMA, ProbeResult
from probes.record.store import Store
from probes.running.claim_places import Figure, Place, Record
from probes.running.claims import CLAIMS, Claim
from probes.running.commandline import question_words
from probes.running.lecture_telling import summary
from probes.running.runner import run
from probes.running.sets import generated
from probes.running.verdicts import Judged, judged
from probes.studies.base import inside_of

WORDS, INSIDE = 5, 3
"""Passages that a claim about words, or about the inside of a model, is measured on."""
SHARE = 20
"""Passages for a claim about a share: with five, a share's interval says next to nothing."""
POOL = 60
"""Generated passages that are looked through, at most, for those on which a claim makes sense."""
LECTURE = {"zh": "coffee-zh", "en": "coffee-en"}
SPEECH = {"zh": "crux-zh", "en": "crux-en"}


def claims_named(named: str | None) -> tuple[Claim, ...]:
    """The claims that a list such as "L2,L4" names; all without one.

    Raises:
        InputError: there is no such claim, with those there are.
    """
    known = {claim.id: claim for claim in CLAIMS}
    if not named or not named.strip():
        return CLAIMS
    chosen = [part.strip().upper() for part in named.replace("，", ",").split(",") if part.strip()]
    if strange := next((name for name in chosen if name not in known), None):
        raise InputError("claim_unknown", claim=strange, claims=", ".join(known))
    return tuple(claim for claim in CLAIMS if claim.id in chosen)


def runs_of(claims: str | None, variants: int | None = None) -> int:
    """How many runs of the model judging these claims will be, about and at most: they share many."""
    return sum(claim.runs * (variants or _passages(claim)) for claim in claims_named(claims))


def _passages(claim: Claim) -> int:
    return SHARE if claim.share else INSIDE if claim.inside else WORDS


@dataclass
class _Bench:
    """One model's records: each study on each passage once."""

    model: AnswerModel
    store: Store | None
    lang: str
    tell: Callable[[int, int], None] | None
    found: dict[str, Record] = field(default_factory=dict)
    done: int = 0

    def runs(self, question: Question) -> Callable[[str, dict[str, Any]], Record]:
        """What a `Place` runs studies with."""

        def record(study: str, options: dict[str, Any]) -> Record:
            key = json.dumps([study, options, question.passage.text, question.question, question.preset])
            if key not in self.found:
                asked = run(
                    study, self.model, question, options, store=self.store, lang=self.lang,
                    on_progress=self._progress,
                )  # fmt: skip
                self.found[key] = asked.data
                self.done += asked.data["provenance"]["trials"]
            return self.found[key]

        return record

    def _progress(self, done: int, total: int) -> None:
        if self.tell:
            self.tell(self.done + done, self.done + total)


def lecture(
    model: AnswerModel,
    *,
    language: str = "zh",
    question: Question | None = None,
    claims: str | None = None,
    variants: int | None = None,
    seed: int = 0,
    store: Store | None = None,
    lang: str = "en",
    on_progress: Progress | None = None,
    on_claim: Callable[[str, int, int], None] | None = None,
) -> ProbeResult:
    """Judge the lecture's claims for `model`.

    Args:
        language: of the passages, "zh" or "en".
        question: another passage and question before the lecture's: a preset, or one's own. A claim that has
            to know which of its words matter, where nobody has said so, is measured on the others alone.
        claims: such as "L2,L4"; all where it is None.
        variants: passages a claim is measured on; `WORDS` or `INSIDE` where it is None.
        store: where trials are kept; without one they are kept while this runs, so that claims share them.
        on_progress: called with runs done and runs known so far; what it raises cancels, and what was done
            until then is in the store.
        on_claim: called with a claim's id, how many are judged, and how many there are.

    Returns:
        A record of study "lecture": one row a claim, see docs/records.md.

    Raises:
        InputError: no such claim, too few passages, or a question that cannot be asked.
    """
    chosen = claims_named(claims)
    if variants is not None and not 1 <= variants <= POOL:
        raise InputError("option_value", value=variants, option="variants", expected=f"1 … {POOL}")
    started, cpu = time.perf_counter(), time.process_time()
    with TemporaryDirectory() as folder:
        bench = _Bench(model, store or Store(Path(folder) / "trials.sqlite"), lang, on_progress)
        places = _Places(bench, language, question, seed)
        rows = []
        for number, claim in enumerate(chosen):
            if on_claim:
                on_claim(claim.id, number, len(chosen))
            rows.append(_row(claim, model, places, variants))
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "study": "lecture",
        "language": language,
        "rows": rows,
        "headline": summary(rows, lang),
        "noise_floor": max((one["noise_floor"] or 0.0 for one in bench.found.values()), default=None),
        "notes": [],
        "provenance": {
            "model": model.describe(examined=True),
            **surroundings(),
            "options": {"passages": language, "claims": claims, "variants": variants, "seed": seed},
            "engine": [],
            "stored": [],
            "trials": bench.done,
            "from_store": sum(one["provenance"]["from_store"] for one in bench.found.values()),
            "readings": sum(one["provenance"]["readings"] for one in bench.found.values()),
            "command_line": _command(model, language, places.own, claims, variants, seed),
            "seconds": time.perf_counter() - started,
            "cpu_seconds": time.process_time() - cpu,
        },
    }
    return ProbeResult("lecture", data)


def _command(
    model: AnswerModel,
    language: str,
    own: Question | None,
    claims: str | None,
    variants: int | None,
    seed: int,
) -> str:
    words = ["crux", "lecture", *model.arguments, *(question_words(own) if own else ())]
    words += ["--passages", language]
    given = {"claims": claims, "variants": variants, "seed": seed or None}
    words += chain.from_iterable((f"--{name}", str(value)) for name, value in given.items() if value)
    return shlex.join(words)


class _Places:
    """The passages that claims are measured on, in their order: one that was chosen, the lecture's, other
    presets of its language, generated ones.
    """

    def __init__(self, bench: _Bench, language: str, chosen: Question | None, seed: int):
        self.bench, self.language, self.seed = bench, language, seed
        self.base = preset(LECTURE[language]).question()
        self.own = None if chosen == self.base else chosen
        speech = preset(SPEECH[language]).question()
        self._speech = Place(SPEECH[language], speech, bench.runs(speech))
        self._made: list[Place] = []
        self._source = self._all()

    def __iter__(self) -> Iterator[Place]:
        for number in range(POOL + len(presets())):
            if number == len(self._made):
                following = next(self._source, None)
                if following is None:
                    return
                self._made.append(following)
            yield self._made[number]

    def _place(self, name: str, question: Question) -> Place:
        return Place(name, question, self.bench.runs(question), self._speech)

    def _all(self) -> Iterator[Place]:
        if self.own:
            yield self._place(place_name(self.own), self.own)
        alike = [preset(name) for name in sorted(presets(), key=lambda name: name != LECTURE[self.language])]
        for one in alike:
            question = one.question()
            if (
                question != self.own
                and one.language == self.language
                and one.right is not None
                and one.answers == self.base.answers
            ):
                yield self._place(one.id, question)
        for number, question in enumerate(islice(generated(self.base, self.seed), POOL), 1):
            yield self._place(f"generated {number}", question)


def place_name(question: Question) -> str:
    """What a record calls a passage that was chosen: a preset's name, or "own" of any other."""
    named = question.preset in presets() and question == preset(str(question.preset)).question()
    return str(question.preset) if named else "own"


def _row(claim: Claim, model: AnswerModel, places: _Places, variants: int | None) -> dict[str, Any]:
    """One claim, judged."""
    closed = inside_of(model) is None
    if (claim.closed and not closed) or (claim.inside and closed):
        reason = "open" if claim.closed else "closed"
        return _told(claim, Judged("none", None, None, None, 0, 0, reason), [], "")
    wanted = variants or _passages(claim)
    try:
        found = list(islice(_figures(claim, places), wanted))
    except CapabilityError as fault:
        return _told(claim, Judged("none", None, None, None, 0, 0, "unable"), [], fault.say("en"))
    figures = [figure for _, figure, _ in found]
    still = sum(not figure.moves for figure in figures)
    doubt = "still" if claim.quiet and 2 * still > len(figures) else ""
    verdict = judged(
        [figure.value for figure in figures], claim.threshold, claim.side, doubt=doubt, share=claim.share
    )
    return _told(claim, verdict, found, "")


def _figures(claim: Claim, places: _Places) -> Iterator[tuple[Place, Figure, list[Record]]]:
    """The claim's figure on each passage that it makes sense on, with the records it comes from."""
    for place in places:
        place.used = []
        if (figure := claim.measure(place)) is not None:
            yield place, figure, list(place.used)


def _told(
    claim: Claim, verdict: Judged, found: Sequence[tuple[Place, Figure, list[Record]]], fault: str
) -> dict[str, Any]:
    variants: list[dict[str, Any]] = [
        {
            "passage": place.name,
            "value": figure.value,
            "moves": figure.moves,
            "figures": dict(figure.told),
            "commands": [record["provenance"]["command_line"] for record in records],
        }
        for place, figure, records in found
    ]
    return {
        "id": claim.id,
        **verdict.as_dict(),
        "threshold": claim.threshold,
        "side": claim.side,
        "figures": variants[0]["figures"] if variants else {},
        "value": variants[0]["value"] if variants else None,
        "variants": variants,
        "command": variants[0]["commands"][0] if variants and variants[0]["commands"] else "",
        "commands": list(chain.from_iterable(one["commands"] for one in variants)),
        "fault": fault,
    }
