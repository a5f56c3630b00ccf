"""Where the prompt ends and an answer begins: what is written there, and the answer's tokens.

The prompt's tokens stay what they are, for every answer. An answer's are those that the tokenizer gives it in
its place, behind the prompt; where it would merge the two over the seam, those that it gives the answer
unmerged, without the space that some tokenizers put before a text of its own.
"""

from __future__ import annotations

from typing import Any
from unicodedata import category, normalize

from probes.errors import InputError
from probes.models.prompting import ids_of
from probes.models.spacing import space_between

_ANCHORS = ("\n", ".", "a", "1", "。")
"""Texts to tokenise an answer behind; one that it does not merge with shows its tokens inside a text."""


def joined(prompt: str, string: str, *, lead: str | None = None) -> str:
    """An answer's string as it is written directly after `prompt`.

    Args:
        lead: what a chat template puts before an answer, where the answer begins a turn: then nothing in the
            prompt is being gone on with.
    """
    if lead is None:
        return space_between(prompt, string) + string
    return string if string[:1].isspace() else lead + string


def continuation_ids(
    tokenizer: Any, prompt: str, prompt_ids: tuple[int, ...], string: str, start: str = ""
) -> tuple[int, ...]:
    """The tokens of `string` after `prompt`; empty where it has none.

    Args:
        start: of `prompt`, what the tokenizer itself put there.

    Raises:
        InputError: the tokenizer cannot write the string, here or at all.
    """
    together = ids_of(tokenizer, prompt + string, start)
    if together[: len(prompt_ids)] == prompt_ids:
        ids = together[len(prompt_ids) :]
    else:
        ids = _unmerged(tokenizer, prompt, prompt_ids, string, together)
    if ids and not _written(tokenizer, string, ids):
        raise InputError("answer_unwritten", string=string)
    return ids


def _unmerged(
    tokenizer: Any, prompt: str, prompt_ids: tuple[int, ...], string: str, together: tuple[int, ...]
) -> tuple[int, ...]:
    """Tokens of `string` that, behind the prompt's own, read as the text does."""
    text = _decoded(tokenizer, together)
    for anchor in ("", prompt[-1], *_ANCHORS):
        before = ids_of(tokenizer, anchor) if anchor else ()
        ids = ids_of(tokenizer, anchor + string)
        own = ids[len(before) :]
        if ids[: len(before)] == before and _decoded(tokenizer, prompt_ids + own) == text:
            return own
    raise InputError("answer_seam", string=string, end=prompt[-12:])


def _written(tokenizer: Any, string: str, ids: tuple[int, ...]) -> bool:
    """Whether the tokens say the string: none of them stands for the unknown, no letter or sign is lost."""
    if tokenizer.unk_token_id in ids:
        return False
    return set(_signs(string)) <= set(_signs(_decoded(tokenizer, ids)))


def _signs(text: str) -> str:
    """Letters, digits and symbols, whatever a normaliser does to case, accents and widths."""
    plain = normalize("NFKD", normalize("NFKD", text).casefold())
    return "".join(c for c in plain if category(c)[0] in "LNS")


def _decoded(tokenizer: Any, ids: tuple[int, ...]) -> str:
    return str(tokenizer.decode(list(ids), clean_up_tokenization_spaces=False))
