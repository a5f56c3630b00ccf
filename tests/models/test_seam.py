"""Where a prompt begins, where it ends and an answer begins: tokens against ones written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.errors import InputError
from probes.models import prompting, seam
from probes.text.passage import Passage
from tests.models.conftest import scored, tiny_llama
from tests.oracle import log_prob

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def finished(core: Tokenizer, single: str = "<s> $A", **special: str) -> PreTrainedTokenizerFast:
    """A core that puts around a text what `single` says."""
    special = special or SPECIAL
    tokens = [(name, core.token_to_id(name)) for name in special.values()]
    core.add_special_tokens(list(special.values()))
    core.post_processor = processors.TemplateProcessing(single=single, special_tokens=tokens)
    return PreTrainedTokenizerFast(tokenizer_object=core, **special)


def unigram(scheme: str, single: str = "<s> $A") -> PreTrainedTokenizerFast:
    """As sentencepiece's: "▁" for a space, one put before a text; pieces that reach over the seam."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    words = {"我去了一次": -1.0, "我去了": -2.0, "一次": -2.0, "两次": -2.0, "▁": -3.0, "▁once": -2.5}
    words |= dict.fromkeys("我去了一次两onceA(:", -4.0) | {"▁A": -3.5, "once": -3.0}
    core = Tokenizer(
        models.Unigram([(p, 0.0) for p in pieces] + list(words.items()), unk_id=0, byte_fallback=True)
    )
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return finished(core, single)


def prepending() -> PreTrainedTokenizerFast:
    """As Llama 2's first: the space before a text comes from the normaliser."""
    made = unigram("never")
    core = made.backend_tokenizer
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    core.pre_tokenizer = None
    return made


def byte_pairs(*, prefix_space: bool = False, single: str = "<s> $A") -> PreTrainedTokenizerFast:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("o", "n"), ("c", "e"), ("on", "ce"), ("Ġ", "once"), ("Ġ", "A"), ("1", "2")]
    names = ["<s>", "</s>", "<unk>", *letters, *("".join(pair) for pair in merges)]
    core = Tokenizer(models.BPE(vocab={name: i for i, name in enumerate(names)}, merges=merges))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    core.decoder = decoders.ByteLevel()
    return finished(core, single)


def word_pieces() -> PreTrainedTokenizerFast:
    letters = "abcdefghijklmnopqrstuvwxyz.:(一次两我去了ไป"
    names = ["[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters), "once", "twice"]
    core = Tokenizer(models.WordPiece(vocab={name: i for i, name in enumerate(names)}, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.decoder = decoders.WordPiece()
    special = {"cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    return finished(core, "[CLS] $A [SEP]", **special)


def after(tokenizer: Any, text: str, string: str) -> list[str]:
    """Tokens of `string` behind a plain text that begins as the tokenizer begins one."""
    start = prompting._start(tokenizer)
    ids = prompting.ids_of(tokenizer, start + text, start)
    found = seam.continuation_ids(tokenizer, start + text, ids, string, start)
    return list(tokenizer.convert_ids_to_tokens(found))


# ---- the answer's tokens

SENTENCEPIECE = [unigram("first"), unigram("always"), prepending(), unigram("never")]


@pytest.mark.parametrize("tokenizer", SENTENCEPIECE)
@pytest.mark.parametrize(
    ("text", "string", "expected"),
    [
        ("我去了", "一次", ["一次"]),  # together they are one piece
        ("我去了", "两次", ["两次"]),  # they are not
        ("A:", " once", ["▁once"]),
        ("A: (", "A", ["A"]),
        ("A: (", "once", ["once"]),
        ("A: ", "once", ["once"]),  # with the space before it, another piece
    ],
)
def test_no_space_is_put_before_an_answer_that_is_written_without(
    tokenizer: Any, text: str, string: str, expected: list[str]
) -> None:
    assert after(tokenizer, text, string) == expected


@pytest.mark.parametrize("prefix_space", [False, True])
@pytest.mark.parametrize(
    ("text", "string", "expected"),
    [
        ("A:", " once", ["Ġonce"]),
        ("A: (", "once", ["once"]),
        ("A: 1", "2", ["2"]),  # "12" is one token
        ("A: ", "once", ["once"]),
        ("A:\n\n", "once", ["once"]),
    ],
)
def test_byte_pairs_that_merge_over_the_seam_are_put_apart(
    prefix_space: bool, text: str, string: str, expected: list[str]
) -> None:
    assert after(byte_pairs(prefix_space=prefix_space), text, string) == expected


def test_a_word_that_goes_on_without_a_space_has_the_tokens_of_a_word_that_goes_on() -> None:
    assert after(word_pieces(), "ไป", "ไป") == ["##ไ", "##ป"]
    assert after(word_pieces(), "a", " once") == ["once"]


@pytest.mark.parametrize("tokenizer", [*SENTENCEPIECE, byte_pairs(), byte_pairs(prefix_space=True)])
@pytest.mark.parametrize("text", ["我去了", "once", "A: (", "A: 1", "A: "])
@pytest.mark.parametrize("string", ["一次", "once", " once", "2", "A", "😀"])
def test_prompt_and_answer_read_as_the_text_that_was_asked(tokenizer: Any, text: str, string: str) -> None:
    start = prompting._start(tokenizer)
    ids = prompting.ids_of(tokenizer, start + text, start)
    own = seam.continuation_ids(tokenizer, start + text, ids, string, start)
    read = tokenizer.decode([*ids, *own], skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert read.removeprefix(" ") == text + string


def test_what_a_chat_puts_before_an_answer_is_put_there() -> None:
    assert seam.joined("[/INST]", "once", lead="") == "once"
    assert seam.joined("[/INST]", "once", lead=" ") == " once"
    assert seam.joined("[/INST]", " once", lead="\n") == " once"
    assert seam.joined("[/INST] I went", "once") == " once"


# ---- what cannot be written


def test_an_answer_of_unknown_tokens_is_refused_and_named() -> None:
    with pytest.raises(InputError, match="⊕") as caught:
        after(word_pieces(), "a:", " once⊕")
    assert caught.value.key == "answer_unwritten"
    assert after(word_pieces(), "a:", " Once") == ["once"]  # small letters are what it writes


def test_an_answer_that_loses_a_letter_is_refused() -> None:
    """Byte pairs without bytes and without a token for the unknown leave out what they do not know."""
    core = Tokenizer(models.BPE(vocab={"a": 0, "b": 1}, merges=[]))
    core.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core)
    assert seam.continuation_ids(tokenizer, "a", (0,), "b") == (1,)
    assert seam.continuation_ids(tokenizer, "a", (0,), "😀") == ()
    with pytest.raises(InputError, match="b😀"):
        seam.continuation_ids(tokenizer, "a", (0,), "b😀")


# ---- where a prompt begins

ENDED = [
    byte_pairs(single="<s> $A </s>"),
    byte_pairs(single="<s> <unk> $A </s>"),
    byte_pairs(single="$A </s>"),
    byte_pairs(single="$A"),
    byte_pairs(single="<s> $A </s>", prefix_space=True),
    unigram("first", "<s> $A </s>"),
    word_pieces(),
    *SENTENCEPIECE,
]


@pytest.mark.parametrize("tokenizer", ENDED)
@pytest.mark.parametrize("text", ["once a day", "我去了一次", "(once)"])
def test_a_plain_prompt_begins_as_the_tokenizer_begins_texts(tokenizer: Any, text: str) -> None:
    frame = prompting.frame(question(text), tokenizer, "plain")
    prompt = frame.prompt(text)
    ids, offsets = prompting.encode(tokenizer, prompt, frame.start)
    whole = tokenizer(prompt.removeprefix(frame.start)).input_ids
    ends = {tokenizer.eos_token_id, tokenizer.sep_token_id}
    assert list(ids) == (whole[:-1] if whole[-1] in ends else whole)
    assert ids == prompting.ids_of(tokenizer, prompt, frame.start)
    assert frame.before == frame.start
    begun = [prompt[a:b] for a, b in offsets[: len(ids) - len(bare_ids(tokenizer, text, prompt))]]
    assert "".join(begun) == frame.start
    assert begun == tokenizer.convert_ids_to_tokens(ids[: len(begun)])
    first = [i for i, (a, b) in enumerate(offsets) if a <= len(frame.start) < b]
    assert tokenizer.decode([ids[i] for i in first]).lstrip().startswith(text[0])


def bare_ids(tokenizer: Any, text: str, prompt: str) -> list[int]:
    return list(tokenizer(prompt[prompt.index(text) :], add_special_tokens=False).input_ids)


def question(text: str, prefix: str = "", answers: str = "once;twice", **changes: Any) -> Question:
    return Question(Passage(text), "How often?", AnswerSet.parse(answers), answer_prefix=prefix, **changes)


def test_a_chat_brings_its_own_start() -> None:
    tokenizer = byte_pairs(single="<s> $A </s>")
    tokenizer.chat_template = (
        "<s>{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}:{% endif %}"
    )
    frame = prompting.frame(question("once"), tokenizer, "chat")
    assert (frame.start, frame.before) == ("", "<s>")
    ids, _ = prompting.encode(tokenizer, frame.prompt("once"), frame.start)
    assert tokenizer.convert_ids_to_tokens(ids)[:2] == ["<s>", "once"]


# ---- the numbers


@pytest.mark.parametrize("make", [lambda: unigram("first"), lambda: unigram("always"), prepending])
def test_numbers_are_those_of_a_plain_forward_over_tokens_written_by_hand(make: Any, tmp_path: Path) -> None:
    tokenizer = make()
    tiny_llama(vocab_size=len(tokenizer)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    put = question("我去了一次", "我去了", "一次;两次", language="zh", template="plain")
    model, clean, found = scored(tmp_path, put)
    assert model.tokenizer.convert_ids_to_tokens(clean.prompt_ids)[:3] == ["<s>", "▁", "我去了一次"]
    assert model.tokenizer.convert_ids_to_tokens(clean.prompt_ids[-1]) == "我去了"
    for name, value in found.items():
        token = tokenizer.convert_tokens_to_ids(name)
        assert value == pytest.approx(log_prob(model.loaded.model, clean.prompt_ids, [token]), abs=1e-4)
