"""Where a question to the built-in model leaves what that model was trained for.

It was trained on the generator's passages and questions and on nothing else, so a question is held against
the generator's own tables: whether it has one of their forms, asks about whom they ask, compares answers that
they have, in words that the tokenizer knows. What they teach seldom, more than one visit of somebody else's,
is told as well: it is mostly missed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from probes.asking.question import Question
from probes.generator.lexicon import Tables, table

KINDS = ("count", "count_other", "where", "who", "order", "buy", "eat", "drink")
LONGEST_QUESTION = 200
"""Characters; no question of the generator's is nearly as long."""
WHOLE_WORDS = 0.55
"""Least share of a text's words that are one piece for the tokenizer; other languages have far fewer."""
MOST_UNKNOWN = 0.04
"""Greatest share of characters that the tokenizer has no piece for, and spells in bytes."""
FEW_WORDS = 8
"""Under so many words no language is told."""
_PART = re.compile(r"\\\{(\w+)\\\}")
_GIVEN = {"P": r"(?P<place>.{1,60}?)", "who": r"(?P<who>.{1,40}?)"}
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s*")
_AGAIN = re.compile(r"\bagain\b|\band\b.*\b(?:then|later)\b|[又再]", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(?:he|she|they)\b|[他她]", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True)
class Form:
    """What a question of the generator's asks for: its kind, and about whom where it names somebody."""

    kind: str
    who: str | None = None


def departures(question: Question, tokenizer: Any, template: str) -> list[dict[str, Any]]:
    """What is beyond the built-in model's training, each as the key of a note with its values; [] mostly."""
    language = "zh" if question.language == "zh" else "en"
    form = form_of(question.question, language)
    found: list[dict[str, Any]] = []
    if template != "builtin":
        found.append({"key": "untrained_template", "template": template})
    if form is None:
        found.append({"key": "untrained_question"})
    elif form.who is not None and not _taught(form.who, question.passage.text, language):
        found.append({"key": "untrained_person", "who": form.who})
    if form is not None and form.kind.startswith("count") and (names := _strange_answers(question, language)):
        found.append({"key": "untrained_answers", "answers": ", ".join(names)})
    text = question.passage.text
    if characters := _unknown(text + question.question, tokenizer):
        found.append({"key": "untrained_characters", "characters": " ".join(characters[:5])})
    elif _foreign(text, language, tokenizer.get_vocab()):
        found.append({"key": "untrained_language"})
    return found


def form_of(text: str, language: str) -> Form | None:
    """The form of a question; None where the generator has none like it."""
    text = " ".join(text.split())
    if len(text) > LONGEST_QUESTION:
        return None
    for kind in KINDS:
        for pattern in _patterns(kind, language):
            if match := pattern.fullmatch(text):
                return Form(kind, match.groupdict().get("who"))
    return None


@cache
def _patterns(kind: str, language: str) -> tuple[re.Pattern[str], ...]:
    """The generator's frames of one kind, training's and those held out, as patterns."""
    frames = table("frames", language)[f"question_{kind}"]
    every = dict.fromkeys([*frames["train"], *frames.get("heldout", ())])
    return tuple(re.compile(_pattern(frame, language), re.IGNORECASE) for frame in every)


def _pattern(frame: str, language: str) -> str:
    """A frame as a pattern: its parts are any of their words, the signs at its end may be left out."""
    body = _PART.sub(lambda part: _part(part[1], language), re.escape(frame.rstrip("?.？。")))
    return rf"{body}[?.？。!！]*"


@cache
def _part(name: str, language: str) -> str:
    if name in _GIVEN:
        return _GIVEN[name]
    entry = table("lexicon", language).get(name) or table("frames", language)[name]
    options = dict.fromkeys([*entry["train"], *entry.get("heldout", ())])
    parts = [_PART.sub(lambda part: _part(part[1], language), re.escape(option)) for option in options]
    return f"(?:{'|'.join(sorted(parts, key=len, reverse=True))})"


# ---- about whom


def _taught(who: str, text: str, language: str) -> bool:
    """Whether this person's visits are told as training mostly tells them: somebody whom it knows, once."""
    if who.casefold() not in _people(language):
        return False
    sentences = [sentence for sentence in _SENTENCE_END.split(text) if sentence]
    named = who.casefold().removeprefix("the ")
    places = [i for i, sentence in enumerate(sentences) if named in sentence.casefold()]
    if sum(sentence.casefold().count(named) for sentence in sentences) > 1:
        return False
    if not places:
        return True
    following = sentences[places[0] + 1 : places[0] + 2]
    return not (_AGAIN.search(sentences[places[0]]) or any(map(_PRONOUN.search, following)))


@cache
def _people(language: str) -> frozenset[str]:
    """Everybody in the generator's tables, as a question names them."""
    entry = Tables(language).words["person"]
    names = [name.replace("*", "") for half in ("train", "heldout") for name in entry.get(half, ())]
    named = [re.sub(r"^an? ", "the ", name) if language == "en" else name for name in names]
    return frozenset(name.casefold() for name in (*names, *named))


# ---- answers and words


def _strange_answers(question: Question, language: str) -> list[str]:
    """Answers of which no string is one that the model was taught to say."""
    taught = {answer.strip() for answer in Tables(language).count_answers}
    return [a.name for a in question.answers.answers if not taught & {s.strip() for s in a.strings}]


def _unknown(text: str, tokenizer: Any) -> list[str]:
    """Characters that the tokenizer spells in bytes, but for rare Chinese ones; [] where they are few."""
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    pieces = tokenizer.convert_ids_to_tokens(encoded.input_ids)
    spelled = {
        start: text[start:end]
        for piece, (start, end) in zip(pieces, encoded.offset_mapping, strict=True)
        if piece.startswith("<0x") and not _chinese(text[start:end])
    }
    return list(dict.fromkeys(spelled.values())) if len(spelled) > MOST_UNKNOWN * len(text) else []


def _chinese(text: str) -> int:
    return sum("\u4e00" <= c <= "\u9fff" for c in text)


def _foreign(text: str, language: str, vocabulary: Mapping[str, int]) -> bool:
    """Whether the text is in neither of the model's languages, or not in the one that it is asked in."""
    chinese = _chinese(text)
    words = [word for word in _WORD.findall(text) if word.isascii() or not chinese]
    if language == "zh":
        return chinese < FEW_WORDS <= len(words)
    if len(words) < FEW_WORDS:
        return chinese >= FEW_WORDS
    whole = sum(f"▁{word}" in vocabulary or f"▁{word.lower()}" in vocabulary for word in words)
    return whole < WHOLE_WORDS * len(words)
