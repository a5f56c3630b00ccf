"""Other words in the place of some: those that the model itself would write there, and how they read.

A causal model knows what comes before a place and not what comes behind it. So it proposes from what stands
before, and each proposal is then read on to the end of its sentence: fluent is what makes the rest likely
too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.asking.question import Question
from probes.engine.jobs import Job
from probes.errors import CapabilityError, InputError
from probes.models.prompting import ids_of
from probes.text.passage import Passage
from probes.text.segment import Span

if TYPE_CHECKING:
    from probes.models.local import LocalModel

TOKENS = 4
"""A proposal is at most so many tokens."""
LOOKED_AT = 6
"""Next tokens looked at for each proposal that is wanted: some go on to the same word, some to none."""
POOL = 4
"""Words that are read on for each that is wanted: what comes to mind first need not read well."""
READ_ON = 10
"""Words behind the place over which a proposal is read, or fewer to the end of the sentence."""


def proposals(model: LocalModel, question: Question, span: Span, count: int) -> list[tuple[str, float]]:
    """Words that may stand at `span`, and how much likelier (nats) each makes itself and what follows than
    the passage's own words do; the likeliest first.

    Raises:
        CapabilityError: the built-in model, which was trained to answer and writes no text.
    """
    if model.kind == "builtin":
        raise CapabilityError("proposals_builtin")
    text, layout = question.passage.text, model.layout(question)
    before = (layout.frame.before + text[: span[0]]).rstrip(" ")
    ids = ids_of(model.tokenizer, before, layout.frame.start)
    gap = (layout.frame.before + text[: span[0]])[len(before) :]
    own, rest = text[slice(*span)], _rest(question, span)
    words: dict[str, None] = {}
    for token in model.engine.likeliest(ids, LOOKED_AT * count):
        more = model.engine.greedy((*ids, token), TOKENS - 1)
        word = _first_word(str(model.tokenizer.decode([token, *more], skip_special_tokens=True)))
        if word and word.casefold() != own.casefold():
            words[word] = None
        if len(words) == POOL * count:
            break
    written = {
        word: _behind(model, before, ids, gap + word + rest, layout.frame.start) for word in (own, *words)
    }
    known = {word: ids_ for word, ids_ in written.items() if ids_}
    if own not in known:
        return []
    (found,) = [numbers for _, numbers in model.engine.run([Job(ids, tuple(dict.fromkeys(known.values())))])]
    likely = dict(zip(dict.fromkeys(known.values()), found, strict=True))
    least = likely[known[own]]
    ranked = [(word, likely[known[word]] - least) for word in words if word in known]
    return sorted(ranked, key=lambda one: -one[1])[:count]


def _rest(question: Question, span: Span) -> str:
    """What stands behind the place, to the end of its sentence or a few words on."""
    end = next((s.end for s in question.passage.sentences if s.start <= span[0] < s.end), span[1])
    behind = [word.end for word in question.passage.words if span[1] <= word.start < end]
    return question.passage.text[
        span[1] : behind[READ_ON - 1] if len(behind) > READ_ON else max(end, span[1])
    ]


def _first_word(text: str) -> str:
    """The first word of a text that begins with one; "" otherwise."""
    text = text.lstrip(" ")
    if not text or not text[0].isalpha():
        return ""
    try:
        words = Passage(text).words
    except InputError:
        return ""
    return words[0].text if words and words[0].start == 0 else ""


def _behind(model: LocalModel, before: str, ids: tuple[int, ...], text: str, start: str) -> tuple[int, ...]:
    """The tokens of `text` behind `before`; () where the tokenizer merges the two."""
    whole = ids_of(model.tokenizer, before + text, start)
    return whole[len(ids) :] if whole[: len(ids)] == ids else ()
