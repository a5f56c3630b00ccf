"""Folders: what is opened, how it is sized, on which device, and which model exactly it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from probes.errors import InputError, LimitError
from probes.models import hashing, opening, placement
from probes.models.fingerprint import fingerprint
from probes.models.folder import count_parameters, weight_files
from probes.models.loading import load
from probes.models.looking import inspect
from probes.models.source import BUILTIN, resolve
from tests.models.conftest import save_tokenizer, tiny_llama

IDS = torch.tensor([[5, 80, 200, 7, 7, 31]])


# ---- what is opened


def test_a_loaded_model_gives_the_logits_of_the_plain_one(folder: Path) -> None:
    from transformers import LlamaForCausalLM

    loaded = load(resolve(str(folder)), device="cpu")
    plain = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        assert torch.equal(loaded.model(IDS).logits, plain(IDS).logits)
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.float32}
    assert loaded.size.parameters == sum(parameter.numel() for parameter in loaded.model.parameters())
    assert loaded.tokenizer("咖啡", return_offsets_mapping=True)["offset_mapping"][-1] == (1, 2)


def test_a_record_says_which_model_and_nothing_of_this_machine(folder: Path) -> None:
    about = load(resolve(str(folder)), device="cpu").describe()
    assert (about["model"], about["source"], about["revision"]) == ("tiny", "folder", None)
    assert (about["architecture"], about["attention"]) == ("LlamaForCausalLM", "sdpa")
    assert str(folder.parent) not in json.dumps(about)


def test_the_narrow_format_is_used_where_it_is_asked_for(folder: Path) -> None:
    loaded = load(resolve(str(folder)), device="cpu", dtype="bf16")
    assert (loaded.dtype, loaded.model.dtype) == ("bfloat16", torch.bfloat16)


def test_an_attention_that_has_no_sdpa_is_run_plainly(tmp_path: Path) -> None:
    from transformers import BloomConfig, BloomForCausalLM

    target = tmp_path / "bloom"
    BloomForCausalLM(BloomConfig(vocab_size=260, hidden_size=32, n_layer=2, n_head=4)).save_pretrained(target)
    save_tokenizer(target)
    assert load(resolve(str(target)), device="cpu").describe()["attention"] == "eager"


def test_progress_is_told(folder: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    load(resolve(str(folder)), device="cpu", on_progress=lambda *step: seen.append(step))
    assert seen == [("load", 0, 1), ("load", 1, 1)]


# ---- sizes


def test_parameters_are_counted_from_headers_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = sum(parameter.numel() for parameter in tiny_llama().parameters())
    assert count_parameters(folder, "tiny") == expected
    monkeypatch.setattr(opening, "open_model", None)
    assert inspect(resolve(str(folder)), device="cpu").parameters == expected


def test_masks_kept_beside_the_weights_are_neither_parameters_nor_quantised(folder: Path) -> None:
    """As in files of GPT-2 and Pythia."""
    expected = count_parameters(folder, "tiny")
    weights = load_file(folder / "model.safetensors")
    for layer, dtype in enumerate((torch.uint8, torch.float32)):
        weights[f"model.layers.{layer}.self_attn.bias"] = torch.ones(1, 1, 64, 64, dtype=dtype)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert load(resolve(str(folder)), device="cpu").size.parameters == expected


def test_weights_in_several_files_are_counted_together(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    tiny_llama().save_pretrained(folder, max_shard_size="20KB")
    assert len(weight_files(folder, "tiny")) > 2
    expected = sum(parameter.numel() for parameter in tiny_llama().parameters())
    assert load(resolve(str(folder)), device="cpu").size.parameters == expected


def test_room_is_kept_for_the_cache_of_a_long_prompt(folder: Path) -> None:
    """Against the bytes that a cache really holds."""
    size = inspect(resolve(str(folder)), device="cpu", dtype="float32")
    with torch.no_grad():
        cache = tiny_llama()(IDS, use_cache=True).past_key_values
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert size.bytes_needed >= 4 * size.parameters + held * 2048 / IDS.shape[1]
    assert inspect(resolve(str(folder)), device="cpu", dtype="bf16").bytes_needed < size.bytes_needed


def test_what_does_not_fit_is_refused_with_both_numbers_before_it_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "bytes_free", lambda _device: 12_345)
    monkeypatch.setattr(opening, "open_model", None)
    assert not inspect(resolve(str(folder)), device="cpu").fits
    with pytest.raises(LimitError) as caught:
        load(resolve(str(folder)), device="cpu")
    assert caught.value.key == "memory"
    assert "12 kB" in str(caught.value)
    assert str(caught.value.values["needed"]) in caught.value.say("zh")


# ---- devices


@pytest.mark.parametrize(
    ("device", "dtype", "key"),
    [
        ("tpu", "auto", "device_unknown"),
        ("cuda:x", "auto", "device_unknown"),
        ("cuda:77", "auto", "device_missing"),
        ("cpu", "int8", "dtype_unknown"),
    ],
)
def test_devices_and_formats_that_are_none(device: str, dtype: str, key: str, folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(resolve(str(folder)), device=device, dtype=dtype)
    assert caught.value.key == key


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend to have these devices, with this much memory free."""

    def pretend(**free: int) -> None:
        names = {name.replace("cuda", "cuda:"): count for name, count in free.items()}
        monkeypatch.setattr(placement, "devices", lambda: tuple(names))
        monkeypatch.setattr(placement, "bytes_free", lambda name: names[name])

    return pretend


def place(parameters: int, device: str = "auto", dtype: str = "auto") -> placement.Placement:
    return placement.place(parameters, {"hidden_size": 8, "num_attention_heads": 1}, "X", device, dtype)


def test_the_card_is_preferred_and_full_precision_where_it_fits(machine: Callable[..., None]) -> None:
    machine(cpu=100_000_000, cuda0=100_000_000)
    assert (place(1_000_000).device, place(1_000_000).dtype) == ("cuda:0", "float32")
    assert (place(40_000_000).device, place(40_000_000).dtype) == ("cuda:0", "bfloat16")
    assert place(1_000_000, "cpu").device == "cpu"


def test_the_processor_never_narrows_the_format_by_itself(machine: Callable[..., None]) -> None:
    machine(cpu=100_000_000)
    refused = place(40_000_000)
    assert (refused.dtype, refused.size.fits) == ("float32", False)
    with pytest.raises(LimitError):
        placement.require(refused, "big")


def test_a_model_too_large_for_one_card_is_spread(machine: Callable[..., None]) -> None:
    machine(cpu=100_000_000, cuda0=100_000_000, cuda1=90_000_000)
    spread = place(60_000_000)
    assert spread.size.fits
    assert spread.max_memory is not None
    assert set(spread.max_memory) == {0, 1, "cpu"}
    assert spread.max_memory[0] < 100_000_000, "room for the work stays free"
    assert not place(60_000_000, "cuda:1").size.fits, "a card that was named is the only one used"
    assert not place(900_000_000).size.fits


# ---- which model exactly


def test_the_fingerprint_follows_content_not_place(folder: Path, original: Path) -> None:
    before = fingerprint(folder, "tiny")
    assert before == fingerprint(original, "another name")
    (folder / "README.md").write_text("not a part of the model")
    assert fingerprint(folder, "tiny") == before


@pytest.mark.parametrize(
    "file", ["config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"]
)
def test_the_fingerprint_changes_with_every_file_that_decides(file: str, folder: Path) -> None:
    before = fingerprint(folder, "tiny")
    content = bytearray((folder / file).read_bytes())
    content[-1] ^= 1
    (folder / file).write_bytes(content)
    assert fingerprint(folder, "tiny") != before


def test_a_large_file_is_hashed_once_and_again_when_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "_SMALL", 0)
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    first = hashing.file_hash(path)
    with monkeypatch.context() as patch:
        patch.setattr(hashing, "sha256_of", None)
        assert hashing.file_hash(path) == first
    path.unlink()
    path.write_bytes(b"two")
    assert hashing.file_hash(path) == hashing.sha256_of(path) != first


def test_the_file_that_is_opened_is_the_one_that_is_counted_and_hashed(folder: Path) -> None:
    """With one file and the index of another beside it, transformers opens the one file."""
    before = load(resolve(str(folder)), device="cpu")
    (folder / "other.safetensors").write_bytes(b"not read")
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"a": "other.safetensors"}})
    )
    after = load(resolve(str(folder)), device="cpu")
    assert after.size.parameters == before.size.parameters
    assert after.fingerprint == before.fingerprint


def test_the_built_in_model_is_the_one_that_transformers_would_open() -> None:
    """It is opened without `from_pretrained`: every tensor, buffer and setting is the same."""
    from transformers import AutoModelForCausalLM

    own = load(resolve("builtin"), device="cpu").model
    auto: Any = AutoModelForCausalLM
    theirs = auto.from_pretrained(BUILTIN, dtype=torch.float32, attn_implementation="sdpa")
    for one, other in (
        (own.state_dict(), theirs.state_dict()),
        (dict(own.named_buffers()), dict(theirs.named_buffers())),
    ):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert own.config.to_dict() == theirs.config.to_dict()
    assert own.config._attn_implementation == theirs.config._attn_implementation
    assert own.generation_config is not None
    assert own.generation_config.to_dict() == theirs.generation_config.to_dict()
    assert not own.training
    assert not any(p.requires_grad for p in own.parameters())
