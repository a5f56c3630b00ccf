"""A tiny Llama with a tokenizer of its own, saved once; each test gets a copy it may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

if TYPE_CHECKING:
    from probes.asking.question import Question
    from probes.models.base import Prepared
    from probes.models.local import LocalModel

torch.set_num_threads(1)


def save_tokenizer(folder: Path) -> None:
    """Byte pairs with a single merge: 256 bytes, "th", three control tokens, so any text can be said."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    core = Tokenizer(models.BPE(vocab={**vocabulary, "th": 256}, merges=[("t", "h")]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken(token, special=True) for token in ("<s>", "</s>", "<pad>")])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    fast.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    fast.save_pretrained(folder)


def tiny_llama(**changes: object):
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = {
        "vocab_size": 260,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 128,
        "tie_word_embeddings": False,
    }
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(**{**sizes, **changes})).eval()


def scored(folder: Path, asked: Question) -> tuple[LocalModel, Prepared, dict[str, float]]:
    """The model, its clean run and each answer's log-probability."""
    from probes.asking.trials import Trial
    from probes.models import load_model

    model = load_model(str(folder), device="cpu")
    (clean,) = model.prepare(asked, [Trial()])
    ((_, scores),) = model.score([clean])
    found = model.outcome(asked, clean, scores).answers
    names = [answer.name for answer in asked.answers.answers]
    return model, clean, dict(zip(names, found.log_prob, strict=True))


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original") / "tiny"
    tiny_llama().save_pretrained(folder)
    save_tokenizer(folder)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model's folder."""
    return Path(shutil.copytree(original, tmp_path / "tiny"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Crux's cache, empty and of this test alone."""
    monkeypatch.setenv("CRUX_CACHE", str(tmp_path / "crux-cache"))
    return tmp_path / "crux-cache"


@pytest.fixture(autouse=True)
def no_hub_tried() -> None:
    """What other tests found out about addresses is forgotten."""
    from probes.models.hubs import forget_reach

    forget_reach()
