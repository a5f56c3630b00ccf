"""Every kind of folder that is no model Crux opens, and that each is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from probes.errors import CapabilityError, ModelError
from probes.models.folder import weight_files
from probes.models.loading import load
from probes.models.source import resolve
from tests.models.conftest import save_tokenizer, tiny_llama


def refusal(folder: Path) -> str:
    """The key of the error that loading `folder` ends in; it must be the same one in both languages."""
    with pytest.raises(ModelError) as caught:
        load(resolve(str(folder)), device="cpu")
    assert folder.name in str(caught.value)
    assert folder.name in caught.value.say("zh")
    return caught.value.key


def change_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def spoil(name: str) -> Callable[[Path], None]:
    """How to make a folder into the kind that `name` is refused for."""

    def only(*files: str) -> Callable[[Path], None]:
        def act(folder: Path) -> None:
            (folder / "model.safetensors").unlink()
            for file in files:
                (folder / file).write_bytes(b"x")

        return act

    def config(**values: Any) -> Callable[[Path], None]:
        return lambda folder: change_config(folder, **values)

    def write(file: str, text: str) -> Callable[[Path], None]:
        return lambda folder: (folder / file).write_text(text) and None

    return {
        "adapter": write("adapter_config.json", "{}"),
        "pickle": only("pytorch_model.bin"),
        "pickle-parts": only("pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json"),
        "gguf": only("model-q4_0.gguf"),
        "empty": only(),
        "no-config": lambda folder: (folder / "config.json").unlink(),
        "broken-config": write("config.json", '{"model_type": "llama",'),
        "binary-config": lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe\x00") and None,
        "list-config": write("config.json", "[]"),
        "deep-config": write("config.json", "[" * 100_000),
        "gptq": config(quantization_config={"quant_method": "gptq", "bits": 4}),
        "fp8": config(quantization_config={"quant_method": "fp8"}),
        "encoder-decoder": config(is_encoder_decoder=True),
        "masked": config(model_type="bert", architectures=["BertForMaskedLM"]),
        "classifier": config(architectures=["LlamaForSequenceClassification"]),
        "headless": config(architectures=["LlamaModel"]),
        "custom": config(
            model_type="mine", architectures=["MineForCausalLM"], auto_map={"AutoConfig": "c.C"}
        ),
        "unknown": config(model_type="mine", architectures=["MineForCausalLM"]),
        "nonsense": config(hidden_size="many"),
        "impossible": config(hidden_act="none such"),
        "lfs": write(
            "model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
        ),
        "cut-short": lambda folder: _cut(folder / "model.safetensors"),
        "no-tokenizer": lambda folder: [path.unlink() for path in folder.glob("tokenizer*")] and None,
        "broken-tokenizer": write("tokenizer.json", "{}"),
    }[name]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("adapter", "adapter"),
        ("pickle", "pickle_only"),
        ("pickle-parts", "pickle_only"),
        ("gguf", "gguf_inside"),
        ("empty", "no_weights"),
        ("no-config", "config_missing"),
        ("broken-config", "config_broken"),
        ("binary-config", "config_broken"),
        ("list-config", "config_broken"),
        ("deep-config", "config_broken"),
        ("gptq", "quantised"),
        ("fp8", "quantised"),
        ("encoder-decoder", "not_causal"),
        ("masked", "not_causal"),
        ("classifier", "not_causal"),
        ("headless", "not_causal"),
        ("custom", "custom_code"),
        ("unknown", "architecture_unknown"),
        ("nonsense", "config_value"),
        ("impossible", "load_failed"),
        ("lfs", "weights_broken"),
        ("cut-short", "weights_broken"),
        ("no-tokenizer", "tokenizer_missing"),
        ("broken-tokenizer", "tokenizer_broken"),
    ],
)
def test_refused_by_name(kind: str, key: str, folder: Path) -> None:
    spoil(kind)(folder)
    assert refusal(folder) == key


def test_quantised_numbers_are_seen_without_a_configuration_that_says_so(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    packed = {name: tensor.to(torch.int8) if "mlp" in name else tensor for name, tensor in weights.items()}
    save_file(packed, folder / "model.safetensors", metadata={"format": "pt"})
    assert refusal(folder) == "quantised"


def test_missing_tensors_are_not_made_up(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights.pop("model.layers.1.mlp.down_proj.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert refusal(folder) == "weights_incomplete"


def test_damaged_numbers(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"][3] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert refusal(folder) == "not_finite"


def test_a_part_that_is_missing(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    tiny_llama().save_pretrained(folder, max_shard_size="20KB")
    weight_files(folder, "tiny")[1].unlink()
    assert refusal(folder) == "weights_missing"


@pytest.mark.parametrize("part", ["../other/model.safetensors", "/etc/passwd", "..\\x.safetensors", 7])
def test_an_index_may_not_point_out_of_its_folder(part: object, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": part}}))
    assert refusal(folder) == "weights_broken"


def test_another_models_tokenizer(folder: Path) -> None:
    tiny_llama(vocab_size=200).save_pretrained(folder)
    assert refusal(folder) == "tokenizer_mismatch"


def test_a_model_that_reads_ahead_is_found_out_by_numbers(tmp_path: Path) -> None:
    from transformers import BertConfig, BertLMHeadModel

    target = tmp_path / "bert"
    sizes = {"vocab_size": 260, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    BertLMHeadModel(BertConfig(**sizes, intermediate_size=48, is_decoder=False)).save_pretrained(target)
    save_tokenizer(target)
    assert refusal(target) == "reads_ahead"


def test_a_tokenizer_without_offsets(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "CTRLTokenizer"}))
    (folder / "vocab.json").write_text(json.dumps({"<unk>": 0, "a</w>": 1, "b</w>": 2}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    with pytest.raises(CapabilityError, match="where its tokens stand"):
        load(resolve(str(folder)), device="cpu")


def test_code_in_the_folder_is_never_run(folder: Path, tmp_path: Path) -> None:
    """A known architecture whose configuration also names code: the stock class is used."""
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass C: ...\nclass M: ...\n")
    change_config(folder, auto_map={"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"})
    loaded = load(resolve(str(folder)), device="cpu")
    assert type(loaded.model).__name__ == "LlamaForCausalLM"
    assert not (tmp_path / "ran").exists()
