"""What the tokens of a tokenizer say, letter by letter, and how letters are compared.

Compared is what is left of a character after compatibility decomposition and case folding (full-width forms,
ligatures, accents, capitals); spaces count for nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any

from probes.asking.answers import Ids
from probes.text.passage import Span

Said = list[tuple[str | None, int, int]]
"""Characters in the order of the tokens, each with the first and the last token it is spread over;
None for what a token does not tell (an unknown one, broken bytes)."""
Fold = Callable[[str], str]

METASPACE = "\u2581"
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class Spelling:
    """The letters of one tokenizer's tokens."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._core = tokenizer.backend_tokenizer
        self._surfaces: dict[int, bytes | None] = {}
        self._texts: dict[int, str | None] = {}

    def silent(self, token: int, span: Span) -> bool:
        """Whether it is a control token that stands for nothing in the text."""
        return span[0] == span[1] and token in self._added and token not in self._unknown

    @cached_property
    def _alphabet(self) -> dict[str, int]:
        """Bytes by the character that byte-level tokenizers write for them; empty for other tokenizers."""
        parts = (self._core.decoder, self._core.pre_tokenizer)
        if not any(part is not None and b'"ByteLevel"' in bytes(part.__getstate__()) for part in parts):
            return {}
        shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
        letters = {chr(byte): byte for byte in shown}
        others = (byte for byte in range(256) if byte not in set(shown))
        return letters | {chr(256 + place): byte for place, byte in enumerate(others)}

    @cached_property
    def _added(self) -> dict[int, str]:
        return {number: token.content for number, token in self._tokenizer.added_tokens_decoder.items()}

    @cached_property
    def _unknown(self) -> set[int]:
        names = (self._tokenizer.unk_token, getattr(self._core.model, "unk_token", None))
        found = {self._core.token_to_id(name) for name in names if name}
        return {number for number in found if number is not None}

    def _surface(self, token: int) -> bytes | None:
        """The text of a token as bytes; None for the unknown one."""
        if token not in self._surfaces:
            self._surfaces[token] = None if token in self._unknown else self._spelled(token)
        return self._surfaces[token]

    def _spelled(self, token: int) -> bytes:
        if token in self._added:
            return self._added[token].encode()
        piece = self._core.id_to_token(token) or ""
        alphabet = self._alphabet
        if alphabet and all(letter in alphabet for letter in piece):
            return bytes(alphabet[letter] for letter in piece)
        byte = _BYTE.fullmatch(piece)
        if byte:
            return bytes([int(byte[1], 16)])
        model = self._core.model
        prefix = getattr(model, "continuing_subword_prefix", None)
        suffix = getattr(model, "end_of_word_suffix", None)
        piece = piece.removeprefix(prefix) if prefix and piece != prefix else piece
        piece = piece.removesuffix(suffix) if suffix and piece != suffix else piece
        return piece.replace(METASPACE, " ").encode()

    def text(self, token: int) -> str | None:
        """The text of a token; None where it has none by itself."""
        if token not in self._texts:
            surface = self._surface(token)
            try:
                self._texts[token] = None if surface is None else surface.decode()
            except UnicodeDecodeError:
                self._texts[token] = None
        return self._texts[token]

    def said(self, ids: Ids, offsets: Sequence[Span]) -> Iterator[tuple[str | None, int, int]]:
        """Characters with the tokens they are spread over; control tokens that stand nowhere say nothing."""
        pending, first = b"", 0
        for place, token in enumerate(ids):
            if self.silent(token, offsets[place]):
                continue
            whole = self.text(token) if not pending else None
            if whole is not None:
                yield from ((char, place, place) for char in whole)
                continue
            surface = self._surface(token)
            if surface is None:
                if pending:
                    yield None, first, place - 1
                    pending = b""
                yield None, place, place
                continue
            for byte in surface:
                first = first if pending else place
                pending += bytes([byte])
                if len(pending) >= _length(pending[0]):
                    try:
                        yield pending.decode(), first, place
                    except UnicodeDecodeError:
                        yield None, first, place
                    pending = b""
        if pending:
            yield None, first, len(ids) - 1

    @cached_property
    def read(self) -> Fold:
        """What a character by itself is to this tokenizer."""
        return lru_cache(1 << 14)(lambda char: "".join(map(letter, self.normalise(char))))

    @property
    def views(self) -> tuple[tuple[Fold, Fold], ...]:
        """Ways to compare a text with what tokens say, strictest first: how to fold the one and the other."""

        def read_and_folded(char: str) -> str:
            return "".join(map(folded, self.read(char)))

        return (
            (self.read, letter),
            (letter, letter),
            (read_and_folded, folded),
            (folded, folded),
            (bare, bare),
        )

    def normalise(self, text: str) -> str:
        """A text as this tokenizer reads it."""
        normalizer = self._core.normalizer
        return text if normalizer is None else str(normalizer.normalize_str(text))


def folded_by(fold: Fold, said: Said) -> Said:
    """What tokens say, each character folded."""
    return [
        (char, first, last)
        for whole, first, last in said
        for char in ([None] if whole is None else fold(whole))
    ]


def _length(byte: int) -> int:
    """Bytes of the character that this one begins."""
    return 1 if byte < 0xC0 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4


def letter(char: str) -> str:
    """A character, or nothing where it is a space."""
    return "" if char.isspace() or char == METASPACE else char


@lru_cache(1 << 14)
def folded(char: str) -> str:
    """What is compared of a character: decomposed, without case, without spaces."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    return "".join(map(letter, plain))


@lru_cache(1 << 14)
def bare(char: str) -> str:
    """The same without combining marks."""
    return "".join(c for c in folded(char) if not unicodedata.combining(c))
