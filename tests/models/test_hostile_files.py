"""Files from elsewhere whose values have the wrong type, or claim what cannot be: each is refused in words,
or opened as the model it is; nothing else is ever raised. Every file here is small, whatever it claims."""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from probes.errors import CruxError, ModelError
from probes.models import side_files
from probes.models.loading import load
from probes.models.looking import inspect
from probes.models.plausible import held_to_weights
from probes.models.source import resolve
from tests.models.conftest import tiny_llama

HOSTILE = [
    1.5,
    "many",
    [],
    [[1]],
    {},
    {"a": 1},
    True,
    -7,
    0,
    10**9,
    2**63,
    10**400,
    float("nan"),
    float("inf"),
]
SIZES = ["num_hidden_layers", "hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim",
         "intermediate_size", "vocab_size", "num_labels"]  # fmt: skip
OTHERS = ["max_position_embeddings", "architectures", "text_config", "model_type", "rope_parameters",
          "rope_theta", "rms_norm_eps", "attention_dropout", "eos_token_id", "bos_token_id", "dtype",
          "tie_word_embeddings", "layer_types", "id2label", "torch_dtype", "hidden_act", "pad_token_id",
          "attention_bias", "sliding_window", "transformers_version", "_attn_implementation"]  # fmt: skip


def opened(folder: Path) -> None:
    """A model or an error in words; pytest fails on anything else."""
    with suppress(CruxError):
        loaded = load(resolve(str(folder)), device="cpu")
        loaded.tokenizer("a b", return_offsets_mapping=True)


def changed(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def refused(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load(resolve(str(folder)), device="cpu")
    return caught.value.key


@pytest.mark.parametrize("field", SIZES + OTHERS)
def test_any_value_in_a_configuration(field: str, folder: Path) -> None:
    before = (folder / "config.json").read_text()
    for value in HOSTILE:
        (folder / "config.json").write_text(before)
        changed(folder / "config.json", **{field: value})
        opened(folder)


@pytest.mark.parametrize("field", SIZES[:7])
@pytest.mark.parametrize("value", [1.5, "many", {"a": 1}, 10**9, 2**63, 10**400])
def test_sizes_that_no_model_has(field: str, value: object, folder: Path) -> None:
    changed(folder / "config.json", **{field: value})
    assert refused(folder) == "config_value"


@pytest.mark.parametrize("layers", [100_000, 1_003])
def test_more_layers_than_weights(layers: int, folder: Path) -> None:
    changed(folder / "config.json", num_hidden_layers=layers)
    assert refused(folder) == "config_layers"
    with pytest.raises(ModelError):
        inspect(resolve(str(folder)), device="cpu")


@pytest.mark.parametrize(
    "values",
    [{"num_hidden_layers": 900}, {"intermediate_size": 2**23}, {"vocab_size": 2**23}, {"head_dim": 2**20}],
)
def test_a_model_larger_than_its_weights_is_not_built(values: dict, folder: Path) -> None:
    changed(folder / "config.json", **values)
    with pytest.raises(CruxError) as caught:
        load(resolve(str(folder)), device="cpu")
    assert caught.value.key in ("config_larger", "memory")


def test_tables_larger_than_any_weights_are_not_made(folder: Path) -> None:
    """GPT-Neo keeps a mask of positions by positions in every layer, which no weight accounts for."""
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    sizes = {"vocab_size": 260, "hidden_size": 32, "num_layers": 1, "num_heads": 4}
    kinds = {"attention_types": [[["global"], 1]], "max_position_embeddings": 64}
    GPTNeoForCausalLM(GPTNeoConfig(**sizes, **kinds)).save_pretrained(folder)
    load(resolve(str(folder)), device="cpu")
    changed(folder / "config.json", max_position_embeddings=200_000)
    assert refused(folder) == "config_larger"


@pytest.mark.parametrize("what", ["modules", "numbers", "tables"])
def test_building_is_given_up_when_it_outgrows_the_weights(what: str) -> None:
    from torch import empty, nn

    def build(times: int) -> None:
        with held_to_weights({"a": (10,)}, 10, "tiny"):
            if what == "modules":
                nn.ModuleList(nn.Identity() for _ in range(times * 1_000))
            elif what == "numbers":
                nn.Linear(100_000, 5 * times, device="meta")
            else:
                nn.Module().register_buffer("table", empty(times, 10**8, device="meta"))

    build(1)
    with pytest.raises(ModelError, match="far larger"):
        build(3)
    build(1)


@pytest.mark.parametrize(
    ("file", "field"),
    [
        *(("tokenizer_config.json", f) for f in [
            "model_max_length", "bos_token", "eos_token", "chat_template", "tokenizer_class",
            "added_tokens_decoder", "padding_side", "add_bos_token", "additional_special_tokens",
            "extra_special_tokens", "clean_up_tokenization_spaces", "pad_token", "truncation_side",
        ]),
        *(("generation_config.json", f) for f in ["eos_token_id", "max_length", "do_sample", "temperature"]),
        *(("special_tokens_map.json", f) for f in ["bos_token", "additional_special_tokens"]),
        *(("tokenizer.json", f) for f in [
            "padding", "truncation", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
            "decoder", "model", "version",
        ]),
    ],
)  # fmt: skip
def test_any_value_beside_the_weights(file: str, field: str, folder: Path) -> None:
    before = (folder / file).read_text() if (folder / file).exists() else "{}"
    for value in HOSTILE:
        (folder / file).write_text(before)
        changed(folder / file, **{field: value})
        opened(folder)


@pytest.mark.parametrize("value", [{"a": 1}, "512", [1], True, -1, float("nan"), float("inf")])
def test_a_longest_text_that_is_no_number(value: object, folder: Path) -> None:
    changed(folder / "tokenizer_config.json", model_max_length=value)
    assert refused(folder) == "side_file_value"


def test_padding_without_end_is_not_padded(folder: Path) -> None:
    padding = {"strategy": {"Fixed": 10**9}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
               "pad_type_id": 0, "pad_token": "<pad>"}  # fmt: skip
    changed(folder / "tokenizer.json", padding=padding)
    opened(folder)


JSONS = ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json",
         "special_tokens_map.json", "model.safetensors.index.json"]  # fmt: skip


@pytest.mark.parametrize("file", JSONS)
def test_what_is_no_json_object(file: str, folder: Path) -> None:
    if file.endswith("index.json"):
        (folder / "model.safetensors").unlink()
    contents = [
        b"", b"\xff\xfe\x00", b"[]", b"1", b"null", b"[" * 100_000, b'{"a":' * 50_000, b'{"a": 1, "a": 2}',
        b'{"weight_map": {}}', b'{"weight_map": {"a": "x\\u0000"}}', b"{" + b"9" * 9_000, b'"\\ud800"',
        b'{"model_max_length": ' + b"9" * 9_000 + b"}",
    ]  # fmt: skip
    for content in contents:
        (folder / file).write_bytes(content)
        opened(folder)


def test_files_that_are_too_large_are_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "tokenizer.json").open("r+b") as file:
        file.truncate(300_000_000)
    assert refused(folder) == "side_file_large"
    with (folder / "config.json").open("r+b") as file:
        file.truncate(300_000_000)
    assert refused(folder) == "side_file_large"


def test_a_tokenizer_of_the_largest_vocabularies_is_let_in() -> None:
    most, base, each = side_files._TOKENIZER
    gemma, llama = (33_384_568, 262_144), (17_209_920, 128_256)
    assert all(size <= min(most, base + each * rows) for size, rows in (gemma, llama))


@pytest.mark.parametrize(
    "header", [b"", b"\xff" * 8, struct.pack("<Q", 2**40), struct.pack("<Q", 40) + b"{" * 40]
)
def test_headers_of_weights(header: bytes, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(header + b" " * 100)
    assert refused(folder) == "weights_broken"


@pytest.mark.parametrize(
    "entry",
    [{"dtype": "F32", "shape": [2**62, 2], "data_offsets": [0, 4]}, {"dtype": "F32", "shape": [-1]}, 7, None],
)
def test_entries_of_headers(entry: object, folder: Path) -> None:
    text = json.dumps({"a": entry}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b" " * 8)
    assert refused(folder) == "weights_broken"


def test_files_that_are_no_files(folder: Path, tmp_path: Path) -> None:
    for file in ("config.json", "tokenizer.json", "model.safetensors"):
        kept = (folder / file).read_bytes()
        (folder / file).unlink()
        (folder / file).mkdir()
        assert refused(folder)
        (folder / file).rmdir()
        (folder / file).write_bytes(kept)
    assert tiny_llama()  # the folder is whole again
    load(resolve(str(folder)), device="cpu")
