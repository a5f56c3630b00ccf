"""The built-in model's tokenizer: whole words of both languages, single characters, and bytes.

A Unigram model with fixed scores: longer known words always win, so ordinary text falls into words, and no
text is unknown. The words are those that the generator shows in training, and a list of others (words.toml);
the single Chinese characters are those of GB 2312, level 1. Held-out words are read by their pieces, as any
new word is. Verbs of coming and going (走进, 来到) are left to their characters, so that new ones are read by
their parts.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probes.generator.letters import MEANINGFUL, characters
from probes.generator.lexicon import table
from probes.training.pieces import common_words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, BEGIN, END, MASK = "<pad>", "<s>", "</s>", "[MASK]"
WINDOW = 512
MOVES = frozenset("走跑进入到去来出回过")
_HAN = re.compile(r"^[\u4e00-\u9fff]{2,5}$")
WHOLE = [
    "place",
    "time",
    "adv",
    "person",
    "drink",
    "food",
    "thing",
    "adj",
    "feel",
    "wea",
    "dur",
    "noun",
    "noisev",
    "cover",
]
"""Tables of the Chinese lexicon whose words are pieces of their own."""
PLACES_WHOLE = 40
"""So many places are; the others stay in pieces, so that names are also matched piece by piece."""
_LATIN = re.compile(r"^[A-Za-zé'’]+$")


@cache
def more_words() -> dict[str, str]:
    """By language: function words, and others that the generator does not use."""
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))


def _strings(value: Any) -> Iterator[str]:
    """Every string of a table but the held-out ones."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for half, item in value.items():
            if half != "heldout":
                yield from _strings(item)


def _plain(text: str) -> list[str]:
    """The words of a lexicon entry or a frame, without marks and slots."""
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*", re.sub(r"\{\w+\}|/[A-Z]\b|[*|()]", " ", text))


def english_words() -> list[str]:
    """Every English word of the generator, those common in free telling, and the function words."""
    found = Counter(more_words()["en"].split())
    for name in ("lexicon", "frames"):
        for text in _strings(table(name, "en")):
            found.update(word for word in _plain(text) if _LATIN.match(word))
    found.update(word for word in common_words() if _LATIN.match(word))
    return sorted(found)


def chinese_words() -> list[str]:
    """Chinese words of two to five characters, but for the verbs of moving."""
    lexicon = table("lexicon", "zh")
    found = set(more_words()["zh"].split())
    for name in WHOLE:
        for text in lexicon[name]["train"]:
            found.update(word for word in _plain(text) if _HAN.match(word))
    found -= set(lexicon["place"]["train"][PLACES_WHOLE:])
    return sorted(word for word in found if not _moves(word))


def _moves(word: str) -> bool:
    """Whether it is a verb of moving of two characters, such as 走进."""
    return len(word) == 2 and word[0] in MOVES and bool(MOVES & set(word))


def _fragments(words: list[str]) -> Iterator[tuple[str, float]]:
    """Pieces for words outside the list: beginnings, middles and ends of the known ones."""
    starts: Counter[str] = Counter()
    middles: Counter[str] = Counter()
    for word in sorted({word.lower() for word in words}):
        for size in (2, 3, 4):
            if len(word) > size:
                starts[word[:size]] += size
                middles.update({word[i : i + size]: size for i in range(1, len(word) - size + 1)})
    for piece, _ in starts.most_common(300):
        yield "▁" + piece, -11.0 + 0.2 * len(piece)
    for piece, _ in middles.most_common(400):
        yield piece, -11.0 + 0.2 * len(piece)


def vocabulary() -> list[tuple[str, float]]:
    """Every piece with its score, special tokens and bytes first."""
    pieces: dict[str, float] = {}

    def add(piece: str, score: float) -> None:
        pieces[piece] = max(score, pieces.get(piece, -99.0))

    english = english_words()
    for word in english:
        for form in (word, word[0].upper() + word[1:]):
            add("▁" + form, -7.0)
            if form[0].isupper():
                add(form, -7.5)
    for word in chinese_words():
        add(word, -8.0 - 0.1 * len(word))
    for letter in sorted(set(characters()) | MEANINGFUL):
        add(letter, -8.0)
    for piece, score in _fragments(english):
        add(piece, score)
    for letter in map(chr, range(33, 127)):
        add(letter, -12.0)
    for mark in "▁\n，。？！：；、“”‘’（）《》…—·～é":
        add(mark, -9.0)
    special = [(token, 0.0) for token in (PAD, BEGIN, END, MASK)]
    return (
        special
        + [(f"<0x{byte:02X}>", -25.0) for byte in range(256)]
        + sorted(pieces.items(), key=lambda item: (-item[1], item[0]))
    )


def build() -> PreTrainedTokenizerFast:
    """The fast tokenizer: lossless, with character offsets."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.Unigram(vocabulary(), unk_id=0, byte_fallback=True))
    core.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="never", split=True)
    core.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    core.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in (PAD, BEGIN, END)]
    )
    core.add_special_tokens([AddedToken(MASK, special=True, lstrip=True, normalized=False)])
    core.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", pair=f"{BEGIN} $A $B", special_tokens=[(BEGIN, 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PAD,
        mask_token=MASK,
        model_max_length=WINDOW,
        clean_up_tokenization_spaces=False,
        padding_side="right",
    )
