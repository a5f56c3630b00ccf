"""How much of what is known to be needed is in the core: `minimal` on generated passages, whose key words are
known.

    python -m scripts.cores --passages 14 --seed 11 --lead 0.2 --lead 1 --share 0.5

One line a language and a choice of what "keeps" means (a lead in nats, or a share of the lead on the whole
passage), over the passages that lose their answer when everything is deleted:

* words: of the generator's key words (deleting one alone changes the right answer), how many have a part in
  the core. A key word may be several of Crux's: of 大步走到 what is left by 到 alone is an arrival still.
* parts: of all of Crux's words inside key words, how many are in the core.
* denying: of key words whose deletion adds a visit (not, almost, 没有), which are counted apart: they are
  needed as long as what they deny is there, and where both are struck neither is missed.
* whole: passages in whose core every key word has a part, those that deny left out.
* core: words of a core, on average, and how many of them are no part of a key word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import click

from probes import load_model, preset, run
from probes.asking.question import Question
from probes.asking.trials import Trial
from probes.errors import InputError
from probes.generator import Role, answer, roles
from probes.models.base import AnswerModel
from probes.record.store import Store
from probes.running.sets import questions_of, stories
from probes.studies.keeping import LEAD

LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Known:
    """A key word of the generator's, and whether its deletion adds to the count."""

    text: str
    start: int
    end: int
    denies: bool


@dataclass
class Counts:
    """What was found on the passages of one language, "keeps" understood in one way."""

    language: str
    lead: float
    share: float
    passages: int = 0
    survive: int = 0
    refused: int = 0
    words: list[int] = field(default_factory=lambda: [0, 0])
    parts: list[int] = field(default_factory=lambda: [0, 0])
    denying: list[int] = field(default_factory=lambda: [0, 0])
    whole: list[int] = field(default_factory=lambda: [0, 0])
    core: int = 0
    filler: int = 0
    missed: list[dict[str, Any]] = field(default_factory=list)

    def told(self) -> str:
        """A line of it."""
        names = ("words", "parts", "denying", "whole")
        counts = ", ".join(f"{name} {n} of {of}" for name in names for n, of in [getattr(self, name)])
        keeps = f"share {self.share:g}" if self.share else f"lead {self.lead:g}"
        core = self.core / max(1, self.whole[1])
        return (
            f"{self.language}, {keeps}: {counts}; core {core:.1f}, {self.filler} others in all; of "
            f"{self.passages} passages {self.survive} keep it with nothing left, {self.refused} have "
            "none to keep"
        )


def passages(language: str, count: int, seed: int) -> Iterator[tuple[Question, list[Known]]]:
    """Generated questions, each with its key words."""
    asked_ = questions_of(str(count), preset(f"coffee-{language}").question(), seed)
    for question, (story, asked, right) in zip(asked_, islice(stories(language, seed), count), strict=True):
        found = []
        for (start, end), role in sorted(roles(story, asked).items()):
            if role == Role.KEY:
                without = answer(story, asked, Trial(((start, end),)))
                denies = without is not None and int(without) > int(right)
                found.append(Known(story.text[start:end], start, end, denies))
        yield question, found


def add(found: Counts, data: Mapping[str, Any], known: Sequence[Known]) -> None:
    """Count one passage's words."""
    units, missed = data["units"], []
    inside: set[int] = set()
    for word in known:
        parts = [unit for unit in units if unit["start"] < word.end and word.start < unit["end"]]
        inside.update(unit["index"] for unit in parts)
        has = any(unit["core"] for unit in parts)
        _tally(found.denying if word.denies else found.words, has)
        for unit in parts if not word.denies else []:
            _tally(found.parts, unit["core"])
        if not has and not word.denies:
            missed.append(word.text)
    _tally(found.whole, not missed)
    core = [unit for unit in units if unit["core"]]
    found.core += len(core)
    found.filler += sum(unit["index"] not in inside for unit in core)
    if missed:
        sets = [row["text"] for row in data["rows"] if row["kind"] == "keeps"]
        text, words = data["clean"]["passage"], " ".join(unit["text"] for unit in core)
        found.missed.append({"passage": text, "missed": missed, "core": words, "sets": sets})


def _tally(counts: list[int], there: bool) -> None:
    counts[0] += there
    counts[1] += 1


def measure(
    model: AnswerModel, asked: Sequence[tuple[Question, list[Known]]], found: Counts, store: Store | None
) -> Counts:
    """Run `minimal` on each passage."""
    for question, known in asked:
        found.passages += 1
        lead = max(found.lead, found.share * clean_lead(model, question, store))
        try:
            data = run("minimal", model, question, {"lead": lead}, store=store).data
        except InputError:
            found.refused += 1
            continue
        if data["survives"]:
            found.survive += 1
        elif data["core"] is not None:
            add(found, data, known)
    return found


def clean_lead(model: AnswerModel, question: Question, store: Store | None) -> float:
    """By how many nats the answer on top leads the next on the whole passage."""
    answers: list[float] = sorted(
        (a["log_prob"] for a in run("ask", model, question, store=store).data["answers"]), reverse=True
    )
    return answers[0] - answers[1]


@click.command()
@click.option("--model", "name", default="builtin", show_default=True)
@click.option("--passages", "count", default=14, show_default=True, help="In each language.")
@click.option("--seed", default=11, show_default=True)
@click.option("--lang", "languages", type=click.Choice(LANGUAGES), multiple=True, default=LANGUAGES)
@click.option("--lead", "leads", multiple=True, type=float, help="Nats; the study's own without any.")
@click.option(
    "--share", "shares", multiple=True, type=float, help="Share of the clean lead that must be left."
)
@click.option("--store", "kept", type=click.Path(path_type=Path), help="Keeps runs for the next choice.")
@click.option("--out", type=click.Path(path_type=Path), help="JSON of it all, what was missed included.")
def main(
    name: str,
    count: int,
    seed: int,
    languages: Sequence[str],
    leads: Sequence[float],
    shares: Sequence[float],
    kept: Path | None,
    out: Path | None,
) -> None:
    """Measure, print, and write down what was missed."""
    model, store, everything = load_model(name), Store(kept) if kept else None, []
    if not leads and not shares:
        leads = [float(LEAD.default)]
    for language in languages:
        asked = list(passages(language, count, seed))
        for lead, share in [*((lead, 0.0) for lead in leads), *((0.0, share) for share in shares)]:
            found = measure(model, asked, Counts(language, lead, share), store)
            click.echo(found.told())
            everything.append(asdict(found))
            if out:
                out.write_text(json.dumps(everything, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
