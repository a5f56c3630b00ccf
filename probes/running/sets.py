"""Sets of passages that a study is run over: generated, the presets of a language, or a file."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from typing import Any

import regex

from probes.asking import passage_files
from probes.asking.answers import Answer, AnswerSet
from probes.asking.entries import PASSAGE, Entry, shown
from probes.asking.passage_files import MOST
from probes.asking.question import (
    ROLES,
    Question,
    Suggested,
    Swap,
    answer_set,
    preset,
    presets,
    standard_answers,
)
from probes.errors import CruxError, InputError, LimitError
from probes.text.characters import check_unicode, whole_number
from probes.text.passage import Passage, Span

_PREFIX = {"en": "I went to the {}", "zh": "我去了{}"}
"""What a generated passage's answer begins with, where its preset's answer has a beginning too."""
THINGS = ("drink", "food", "thing")
"""Tables of what is ordered, eaten and bought."""
MOST_SWAPS = 24
"""Counterfactuals of one generated passage, tried in turn until one has as many tokens as the passage."""


def questions_of(source: str, base: Question, seed: int = 0) -> list[Question]:
    """The set that `source` names: a number of generated passages, "presets", or a file.

    A file (see `probes.asking.passage_files`) has for each passage `passage`, `context` or `text` and, where
    they differ from `base`, `question`, `answers`, `right`, `tempting`, `language` and `prefix`, for patching
    `change` and `to`; or it is plain text, its passages parted by blank lines, all asked what `base` asks.

    Raises:
        InputError: no such file, or something in it that cannot be asked, with its place.
        LimitError: too many passages, too large a file.
    """
    check_unicode([("over", source)])
    if source.strip().isdecimal():
        count = whole_number(source)
        if count is None or count > MOST:
            raise LimitError("over_many", source=source[:20], most=MOST)
        if not count:
            raise InputError("over_empty", source=count)
        return list(islice(generated(base, seed), count))
    if source == "presets":
        chosen = [preset(name).question() for name in presets()]
        return [q for q in chosen if q.language == base.language and q.answers == base.answers]
    return _from_file(Path(source), base)


def stories(language: str, seed: int) -> Iterator[tuple[Any, Any, str]]:
    """Generated stories without an end, each with a question how often, and the right answer's label."""
    from probes.generator import Composer, answer, queries
    from probes.generator.lexicon import Tables

    composer, rng = Composer(language, seed + 2_000_003), random.Random(seed)
    tables = Tables(language)
    while True:
        story = composer.story()
        asked = next((q for q in queries(story, tables, rng) if q.is_count), None)
        right = answer(story, asked) if asked else None
        if asked and right is not None:
            yield story, asked, right


def generated(base: Question, seed: int) -> Iterator[Question]:
    """Questions about generated passages without an end, in `base`'s language and put as `base` is."""
    from probes.generator.lexicon import Tables

    language = base.language if base.language in ("zh", "en") else "en"
    tables, answers = Tables(language), standard_answers("count", language)
    for number, (story, asked, right) in enumerate(stories(language, seed)):
        yield replace(
            base,
            passage=Passage(story.text),
            question=asked.text,
            answers=answers,
            right=right,
            tempting=None,
            preset=None,
            roles=_roles(story, asked),
            swaps=tuple(_swaps(story, asked, tables)),
            suggested=Suggested(
                mention=story.places[asked.place] if asked.place else None,
                other=_other(story, tables, seed + number),
            ),
            answer_prefix=_PREFIX[language].format(asked.place) if base.answer_prefix else "",
        )


def _other(story: Any, tables: Any, seed: int) -> tuple[str, AnswerSet, str | None] | None:
    """Another question about the same passage: what I ordered, bought, ate or drank, where it can be told;
    the answers are the passage's things and two more.
    """
    from probes.generator import answer, queries
    from probes.generator.clauses import ACTS

    rng = random.Random(seed)
    for query in queries(story, tables, rng, 12, names=8):
        if query.kind not in ACTS or (right := answer(story, query)) is None:
            continue
        things = [thing.rpartition("*")[2] for name in THINGS for thing in tables.options(name)]
        more = rng.sample([one for one in dict.fromkeys(things) if one not in query.candidates], 2)
        answers = tuple(Answer(name, (query.continuation(name),)) for name in (*query.candidates, *more))
        return query.text, AnswerSet(answers), right
    return None


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
    from probes.generator.careful_reader import Reader

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


# ---- files


def _from_file(path: Path, base: Question) -> list[Question]:
    plain = replace(base, right=None, tempting=None, preset=None, roles={}, swaps=(), suggested=Suggested())
    found = []
    for entry in passage_files.read(path):
        try:
            found.append(_asked(entry, plain, base))
        except CruxError as fault:
            raise entry.refused(fault) from fault
    return found


def _asked(entry: Entry, plain: Question, base: Question) -> Question:
    """The question of one entry; what it does not say is as in `plain`.

    Raises:
        InputError: something in it cannot be used.
    """
    name = next((name for name in PASSAGE if name in entry.values), None)
    if name is None:
        raise InputError("entry_no_passage", names=", ".join(map(str, entry.values)) or "–")
    passage = Passage(_text(entry, name) or "")
    asked = _in_language(_language(entry) or passage.language, plain, base)
    changes: dict[str, Any] = {}
    for field, key in {"question": "question", "answer_prefix": "prefix"}.items():
        if (given := _text(entry, key)) is not None:
            changes[field] = given
    if answers := entry.values.get("answers"):
        if not isinstance(answers, str):
            raise InputError("entry_answers", value=shown(answers))
        changes["answers"] = answer_set(answers, asked.language)
    asked = replace(asked, passage=passage, **changes)
    swap = _label(entry, "change"), _label(entry, "to")
    if (swap[0] is None) != (swap[1] is None):
        raise InputError("entry_swap")
    right, tempting = (_named(_label(entry, name), asked.answers) for name in ("right", "tempting"))
    return replace(
        asked,
        right=_gold(entry.gold, asked.answers) if right is None else right,
        tempting=tempting,
        swaps=((swap[0], swap[1]),) if swap[0] is not None and swap[1] is not None else (),
    )


def _in_language(language: str, plain: Question, base: Question) -> Question:
    """`plain`, put in `language`: a standard set of answers changes with it, and words that only a preset put
    around the question are left out where they are in another one.
    """
    if (language == "zh") == (plain.language == "zh"):
        return plain
    changes: dict[str, Any] = {"language": language}
    same = (
        standard_answers("count", "zh" if plain.language == "zh" else "en").answers == plain.answers.answers
    )
    if same:
        standard = standard_answers("count", language)
        changes["answers"] = replace(plain.answers, answers=standard.answers)
    if base.preset:
        own = preset(base.preset)
        changes |= {
            name: ""
            for name in ("answer_prefix", "instruction")
            if getattr(plain, name) == getattr(own, name)
        }
    return replace(plain, **changes)


def _text(entry: Entry, name: str) -> str | None:
    value = entry.values.get(name)
    if isinstance(value, str) or (value is None and name not in PASSAGE):
        return value
    raise InputError("entry_not_text", name=name, value=shown(value))


def _label(entry: Entry, name: str) -> str | None:
    """A text or a whole number, as text; nothing where it is empty."""
    value = entry.values.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # as tables with gaps are written: 1.0
    if value is None or value == "":
        return None
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value).strip()
    raise InputError("entry_label", name=name, value=shown(value))


def _named(name: str | None, answers: AnswerSet) -> str | None:
    """The label of the answer that is called so."""
    return None if name is None else answers.label_of(name)


def _gold(texts: Sequence[str], answers: AnswerSet) -> str | None:
    """The label of the first answer that one of `texts` says."""
    said = {text.strip().casefold() for text in texts}
    for answer in answers.answers:
        if said & {part.casefold() for part in (answer.label, answer.name, *answer.strings)}:
            return answer.label
    return _named(texts[0], answers) if texts else None


def _language(entry: Entry) -> str | None:
    """`language` of an entry: zh or en, with or without a region."""
    value = entry.values.get("language")
    found = regex.split("[-_]", value.strip().casefold())[0] if isinstance(value, str) else value
    if found in (None, "", "zh", "en"):
        return found or None
    raise InputError("entry_language", value=shown(value))
