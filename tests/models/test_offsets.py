"""Which tokens carry which characters, on tokenizers that drop, fold, replace and split characters.

Every tokenizer here writes one token a letter (or a byte), so that what a word's tokens are can be said by
hand. Its offsets are also handed over wrong, in the ways that tokenizers get them wrong.
"""

from __future__ import annotations

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from probes.models.offsets import Carriers
from probes.models.prompting import token_spans

LETTERS = "abcdefghijklmnopqrstuvwxyzMé.,\"'0123456789"


def wrapped(core: Tokenizer, **tokens: str) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=core, **tokens)


def letters(normalizer=None, pre=None, unk: str | None = None, more: str = "") -> PreTrainedTokenizerFast:
    """A token for every letter of `LETTERS`; what else there is, is dropped, or `unk`."""
    names = [*([unk] if unk else []), *dict.fromkeys(LETTERS + "▁" + more)]
    core = Tokenizer(models.BPE({name: i for i, name in enumerate(names)}, [], unk_token=unk))
    core.normalizer = normalizer
    core.pre_tokenizer = pre or pre_tokenizers.Metaspace(prepend_scheme="first")
    return wrapped(core, **({"unk_token": unk} if unk else {}))


def bytewise() -> PreTrainedTokenizerFast:
    alphabet = {letter: i for i, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    core = Tokenizer(models.BPE(alphabet, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    core.decoder = decoders.ByteLevel()
    core.normalizer = normalizers.NFC()
    return wrapped(core)


def fallback() -> PreTrainedTokenizerFast:
    """Letters, and bytes for everything else: one byte is missing, and what has it is dropped."""
    names = [*LETTERS, "▁", *(f"<0x{byte:02X}>" for byte in range(256) if byte != 0xF0)]
    core = Tokenizer(
        models.BPE({name: i for i, name in enumerate(dict.fromkeys(names))}, [], byte_fallback=True)
    )
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    core.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return wrapped(core)


def pieces() -> PreTrainedTokenizerFast:
    names = ["[UNK]", "mary", "go", "##es", "na", "##ive", "home", ".", "elan", "x"]
    core = Tokenizer(models.WordPiece({name: i for i, name in enumerate(names)}, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return wrapped(core, unk_token="[UNK]")


def unigram() -> PreTrainedTokenizerFast:
    scored = [("<unk>", 0.0), *((name, -3.0) for name in dict.fromkeys(LETTERS + "▁株式会社"))]
    core = Tokenizer(models.Unigram(scored, unk_id=0))
    core.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    return wrapped(core, unk_token="<unk>")


def folding() -> PreTrainedTokenizerFast:
    steps = [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    return letters(normalizers.Sequence(steps))


def quoting() -> PreTrainedTokenizerFast:
    steps = [normalizers.Replace(a, b) for a, b in (("“", '"'), ("”", '"'), ("…", "..."), ("\u200b", ""))]
    return letters(normalizers.Sequence(steps))


CASES = [
    (letters(), "saw 😀 mary go", "mary", "mary"),
    (letters(), "saw 😀 mary go", "😀", ""),
    (letters(), "saw 😀 mary go", "go", "go"),
    (letters(), "ma😀ry go", "😀", ""),
    (letters(), "QQQ mary QQ go QQ home", "go", "go"),
    (letters(), "mary Mary", "Mary", "Mary"),
    (letters(unk="<unk>"), "saw 😀 mary go", "mary", "mary"),
    (letters(unk="<unk>"), "saw 😀 mary go", "😀", "<unk>"),
    (bytewise(), "去 mary 了 go", "go", "go"),
    (bytewise(), "去 mary 了 go", "了", "äºĨ"),
    (bytewise(), "cafe\u0301 go", "cafe\u0301", "cafÃ©"),
    (bytewise(), "cafe\u0301 go", "go", "go"),
    (fallback(), "去 mary 😀 go", "去", "<0xE5><0x8E><0xBB>"),
    (fallback(), "去 mary 😀 go", "😀", ""),
    (fallback(), "去 mary 😀 go", "go", "go"),
    (pieces(), "Mary goes naïve  Élan.", "goes", "go##es"),
    (pieces(), "Mary goes naïve  Élan.", "naïve", "na##ive"),
    (pieces(), "Mary goes naïve  Élan.", "Élan", "elan"),
    (pieces(), "Mary \u0000goes zz x.", "x", "x"),
    (pieces(), "Mary \u0000goes zz x.", "zz", "[UNK]"),
    (unigram(), "ﬁne ｍａｒｙ ㍿ go", "ﬁne", "fine"),
    (unigram(), "ﬁne ｍａｒｙ ㍿ go", "ｍａｒｙ", "mary"),
    (unigram(), "ﬁne ｍａｒｙ ㍿ go", "㍿", "株式会社"),
    (unigram(), "ﬁne ｍａｒｙ ㍿ go", "go", "go"),
    (unigram(), "cafe\u0301  go", "cafe\u0301", "café"),
    (folding(), "Ｍary ﬁ naïve 😀 go", "naïve", "naive"),
    (folding(), "Ｍary ﬁ naïve 😀 go", "ﬁ", "fi"),
    (folding(), "Ｍary ﬁ naïve 😀 go", "go", "go"),
    (quoting(), "“mary” … go\u200bes", "mary", "mary"),
    (quoting(), "“mary” … go\u200bes", "…", "..."),
    (quoting(), "“mary” … go\u200bes", "go\u200bes", "goes"),
]


def tokens_for(tokenizer, text: str, offsets, ids, word: str) -> str | None:
    """The tokens that carry `word`, as one string; None where they cannot be told."""
    found = Carriers(tokenizer).find(text, tuple(ids), offsets)
    if found is None:
        return None
    at = text.index(word)
    ranges = token_spans(found.spans, list(found.of((at, at + len(word)))))
    names = tokenizer.convert_ids_to_tokens(ids)
    return "".join(names[i] for a, b in ranges for i in range(a, b)).strip("▁Ġ")


@pytest.mark.parametrize(("tokenizer", "text", "word", "expected"), CASES)
def test_a_word_has_its_own_tokens(tokenizer, text, word, expected):
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    assert tokens_for(tokenizer, text, encoded.offset_mapping, encoded.input_ids, word) == expected


WRONG = {
    "shifted": lambda spans, n: [(min(a + 3, n), min(b + 3, n)) for a, b in spans],
    "shifted from the middle": lambda spans, n: [
        (a, b) if i < len(spans) // 2 else (max(0, a - 2), max(0, b - 2)) for i, (a, b) in enumerate(spans)
    ],
    "too wide": lambda spans, n: [(max(0, a - 1), min(n, b + 2)) for a, b in spans],
    "missing a character": lambda spans, n: [(a, max(a, b - 1)) for a, b in spans],
}


@pytest.mark.parametrize("fault", WRONG)
@pytest.mark.parametrize(("tokenizer", "text", "word", "expected"), CASES)
def test_wrong_offsets_are_put_right_or_refused(tokenizer, text, word, expected, fault):
    """Whatever the tokenizer says, never the tokens of another word."""
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    wrong = WRONG[fault](encoded.offset_mapping, len(text))
    found = tokens_for(tokenizer, text, wrong, encoded.input_ids, word)
    assert found in (expected, None)
    assert found == expected or "[UNK]" in tokenizer.get_vocab() or "\u0301" in text


def test_what_cannot_be_told_is_not_told():
    """Both letters may be the one that was left out."""
    tokenizer = letters()
    ids = tokenizer.convert_tokens_to_ids(["a", "b"])
    assert Carriers(tokenizer).find("aab", tuple(ids), [(0, 2), (2, 3)]) is None


def test_usual_offsets_are_left_as_they_are():
    """But for the space that this tokenizer puts before a text: it is a token, and carries nothing of it."""
    tokenizer = bytewise()
    encoded = tokenizer("我 went to the café.\n\nTwice! 😀", return_offsets_mapping=True)
    found = Carriers(tokenizer).find(
        "我 went to the café.\n\nTwice! 😀", tuple(encoded.input_ids), encoded.offset_mapping
    )
    assert found is not None
    assert (encoded.tokens()[0], found.spans[0]) == ("Ġ", (0, 0))
    assert (list(found.spans[1:]), found.missing) == (encoded.offset_mapping[1:], frozenset())
