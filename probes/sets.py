"""Sets of passages that a study is run over: generated, the presets of a language, or a file."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from probes.answers import AnswerSet
from probes.characters import check_unicode, whole_number
from probes.errors import InputError
from probes.passage import Passage, Span
from probes.question import ROLES, Question, Swap, preset, presets, standard_answers

_PREFIX = {"en": "I went to the {}", "zh": "我去了{}"}
"""What a generated passage's answer begins with, where its preset's answer has a beginning too."""
MOST_SWAPS = 24
"""Counterfactuals of one generated passage, tried in turn until one has as many tokens as the passage."""


def questions_of(source: str, base: Question, seed: int = 0) -> list[Question]:
    """The set that `source` names: a number of generated passages, "presets", or a file.

    A file is JSON Lines with `passage` and, where they differ from `base`, `question`, `answers` and `right`,
    for patching `change` and `to`; or plain text, its passages parted by blank lines, all asked what `base`
    asks.

    Raises:
        InputError: no such file, or nothing in it that could be asked.
    """
    check_unicode([("over", source)])
    if (count := whole_number(source)) is not None:
        return _generated(count, base, seed)
    if source == "presets":
        chosen = [preset(name).question() for name in presets()]
        return [q for q in chosen if q.language == base.language and q.answers == base.answers]
    return _from_file(Path(source), base)


def _generated(count: int, base: Question, seed: int) -> list[Question]:
    from probes.generator import Composer, answer, queries
    from probes.generator.lexicon import Tables

    language = base.language if base.language in ("zh", "en") else "en"
    composer, rng = Composer(language, seed + 2_000_003), random.Random(seed)
    tables, answers = Tables(language), standard_answers("count", language)
    found: list[Question] = []
    while len(found) < count:
        story = composer.story()
        asked = next((q for q in queries(story, tables, rng) if q.is_count), None)
        right = answer(story, asked) if asked else None
        if asked and right is not None:
            found.append(
                replace(
                    base,
                    passage=Passage(story.text),
                    question=asked.text,
                    answers=answers,
                    right=right,
                    tempting=None,
                    preset=None,
                    roles=_roles(story, asked),
                    swaps=tuple(_swaps(story, asked, tables)),
                    answer_prefix=_PREFIX[language].format(asked.place) if base.answer_prefix else "",
                )
            )
    if not found:
        raise InputError("over_empty", source=count)
    return found


def _roles(story: Any, asked: Any) -> dict[str, tuple[Span, ...]]:
    """The generator's roles as spans, neighbours of one role joined: its words may be parts of ours."""
    from probes.generator import roles

    found: dict[str, list[Span]] = {}
    for (start, end), role in sorted(roles(story, asked).items()):
        spans = found.setdefault(str(role), [])
        if spans and not story.text[spans[-1][1] : start].strip():
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return {role: tuple(spans) for role, spans in found.items() if role in ROLES}


def _swaps(story: Any, asked: Any, tables: Any) -> Iterator[Swap]:
    """The asked place of one arrival that counts for one, and other places to put there: one visit less,
    whatever else stays as it is.
    """
    from itertools import islice, product

    from probes.generator.reading import Reader

    added, _ = Reader(story).contributions(asked.person, asked.place)
    carried = {event.pair for event in story.events}
    single = [n for n in added if story.events[n].times == 1 and n not in carried]
    starts = [words[0].start for event in single if (words := story.parts[event].get("P", ()))]
    if not starts:
        return
    name, passage = story.places[asked.place], Passage(story.text)
    mine = [n for n, (start, _) in enumerate(passage.find(name), 1) if start in starts]
    others = [other for other in (*story.places, *tables.options("place")) if other != name]
    for other, n in islice(product(dict.fromkeys(others), mine), MOST_SWAPS):
        yield f"{name}#{n}", other


def _from_file(path: Path, base: Question) -> list[Question]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError("over_unreadable", path=path.name, reason=str(fault)[:120]) from fault
    plain = replace(base, right=None, tempting=None, preset=None, roles={}, swaps=())
    if path.suffix != ".jsonl":
        parts = [part.strip() for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
        found = [replace(plain, passage=Passage(part)) for part in parts]
    else:
        found = [
            _from_line(number, line, plain) for number, line in enumerate(text.split("\n"), 1) if line.strip()
        ]
    if not found:
        raise InputError("over_empty", source=path.name)
    return found


def _from_line(number: int, line: str, base: Question) -> Question:
    try:
        entry = json.loads(line)
        changes: dict[str, Any] = {
            "passage": Passage(entry["passage"]),
            "question": entry.get("question", base.question),
        }
        if entry.get("answers"):
            changes["answers"] = AnswerSet.parse(entry["answers"])
        if entry.get("change") and entry.get("to"):
            changes["swaps"] = ((str(entry["change"]), str(entry["to"])),)
        right = entry.get("right")
        return replace(base, right=None if right is None else str(right), **changes)
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as fault:
        raise InputError("over_line", line=number, reason=f"{type(fault).__name__}: {fault}"[:120]) from fault
