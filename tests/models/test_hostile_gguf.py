"""GGUF headers whose counts and values cannot be true; each file is a few kilobytes, whatever it claims."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from probes.errors import CruxError, ModelError
from probes.models import gguf, gguf_header
from probes.models.loading import load
from probes.models.looking import inspect
from probes.models.source import resolve


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def field(name: str, kind: int, content: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + content


def uint(name: str, value: int) -> bytes:
    return field(name, 4, struct.pack("<I", value))


ARCHITECTURE = field("general.architecture", 8, text("llama"))
NUMBERS = ["block_count", "embedding_length", "feed_forward_length", "attention.head_count", "vocab_size",
           "attention.head_count_kv", "attention.key_length"]  # fmt: skip


def tensor(name: str, *shape: int, kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def written(path: Path, *fields: bytes, tensors: list[bytes] | None = None, head: bytes = b"") -> Path:
    tensors = [tensor("token_embd.weight", 8, 4), tensor("blk.0.a", 8)] if tensors is None else tensors
    head = head or b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(fields))
    path.write_bytes(head + b"".join(fields) + b"".join(tensors) + b"\0" * 4096)
    return path


def test_a_plain_header_is_read(tmp_path: Path) -> None:
    numbers = [
        uint(f"llama.{name}", value) for name, value in zip(NUMBERS, (1, 8, 8, 2, 4, 2, 4), strict=True)
    ]
    header = gguf.read_header(written(tmp_path / "a.gguf", ARCHITECTURE, *numbers))
    assert (header.architecture, header.parameters) == ("llama", 40)
    assert header.config["hidden_size"] == 8


def test_the_librarys_own_files_are_read_as_the_library_reads_them(tmp_path: Path) -> None:
    import numpy as np
    from gguf import GGUFReader, GGUFWriter

    writer = GGUFWriter(tmp_path / "a.gguf", "llama")
    writer.add_block_count(1)
    writer.add_head_count_kv([2, 4])
    writer.add_rope_freq_base(1e4)
    writer.add_add_bos_token(True)
    writer.add_token_list(["a", "咖啡", ""])
    writer.add_chat_template("{{ messages }}")
    writer.add_tensor("blk.0.w", np.ones((3, 5), dtype=np.float32))
    writer.add_tensor("v", np.ones(7, dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    mine, theirs = gguf_header.read(tmp_path / "a.gguf"), GGUFReader(tmp_path / "a.gguf")
    assert mine.tensors == {str(t.name): tuple(map(int, t.shape)) for t in theirs.tensors}
    own = {name: value.contents() for name, value in theirs.fields.items() if not name.startswith("GGUF.")}
    assert {**mine.fields, "tokenizer.ggml.tokens": ["a", "咖啡", ""]} == own


def bad_gguf() -> dict[str, dict[str, Any]]:
    def array(kind: int, count: int, content: bytes = b"") -> bytes:
        return field("x", 9, struct.pack("<IQ", kind, count) + content)

    pairs = [(2**60, 0), (0, 2**60), (2**64 - 1, 2**64 - 1), (10**5, 0), (0, 10**4)]
    counts = {f"count-{t}-{k}": {"head": b"GGUF" + struct.pack("<IQQ", 3, t, k)} for t, k in pairs}
    lists = {f"list-{kind}-{count}": {"fields": [ARCHITECTURE, array(kind, count)]}
             for kind in (0, 4, 8, 9) for count in (2**60, 2**64 - 1, 10**8)}  # fmt: skip
    tensors = {f"tensor-{i}": {"tensors": [bad]} for i, bad in enumerate([
        tensor("a", 2**60), tensor("a", 2**40, 2**40), tensor("a", 0), tensor("a"), tensor("a", 8, kind=999),
        tensor("a", 8, offset=2**63), text("a") + struct.pack("<I", 2**31), struct.pack("<Q", 2**62),
    ])}  # fmt: skip
    return {
        **counts,
        **lists,
        **tensors,
        "list-of-lists": {"fields": [array(9, 1, struct.pack("<IQ", 4, 1) + b"\0\0\0\0")]},
        "many-elements": {"fields": [array(0, 200_000, b"\0" * 200_000)]},
        "split-word": {"fields": [ARCHITECTURE, field("split.count", 8, text("two"))]},
        "split-list": {"fields": [ARCHITECTURE, field("split.count", 9, struct.pack("<IQII", 4, 2, 1, 1))]},
        "split-float": {"fields": [ARCHITECTURE, field("split.count", 6, struct.pack("<f", float("nan")))]},
        "twice": {"fields": [ARCHITECTURE, ARCHITECTURE]},
        "kind": {"fields": [field("x", 99, b"")]},
        "no-utf8": {"fields": [field("x", 8, struct.pack("<Q", 2) + b"\xff\xff")]},
        "alignment": {"fields": [uint("general.alignment", 3)]},
        "alignment-word": {"fields": [field("general.alignment", 8, text("a"))]},
        "version": {"head": b"GGUF" + struct.pack("<IQQ", 77, 0, 0)},
        "magic": {"head": b"GGML" + struct.pack("<IQQ", 3, 0, 0)},
    }  # fmt: skip


@pytest.mark.parametrize("name", bad_gguf())
def test_gguf_headers_that_cannot_be_true(name: str, tmp_path: Path) -> None:
    case = bad_gguf()[name]
    path = written(tmp_path / "a.gguf", *case.pop("fields", ()), **case)
    with pytest.raises(ModelError) as caught:
        load(resolve(str(path)), device="cpu")
    assert caught.value.key == "gguf_broken"


@pytest.mark.parametrize("name", NUMBERS)
def test_any_value_in_a_gguf_header(name: str, tmp_path: Path) -> None:
    values = [
        (8, text("many")), (6, struct.pack("<f", float("nan"))), (6, struct.pack("<f", 1.5)), (7, b"\1"),
        (11, struct.pack("<q", -(2**62))), (10, struct.pack("<Q", 2**64 - 1)), (4, b"\xff\0\1\0"),
        (4, struct.pack("<I", 0)), (9, struct.pack("<IQ", 4, 0)), (9, struct.pack("<IQ", 8, 1) + text("a")),
    ]  # fmt: skip
    for kind, content in values:
        path = written(tmp_path / "a.gguf", ARCHITECTURE, field(f"llama.{name}", kind, content))
        with suppress(CruxError):  # it need not refuse, and must not stumble
            inspect(resolve(str(path)), device="cpu")
        with pytest.raises(CruxError):
            load(resolve(str(path)), device="cpu")


def test_more_blocks_than_tensors(tmp_path: Path) -> None:
    path = written(tmp_path / "a.gguf", ARCHITECTURE, uint("llama.block_count", 2))
    with pytest.raises(ModelError, match="claims 2 layers; its weights hold 1"):
        gguf.read_header(path)


def test_a_header_cut_anywhere(tmp_path: Path) -> None:
    whole = written(tmp_path / "a.gguf", ARCHITECTURE, uint("llama.block_count", 1)).read_bytes()[:-4096]
    for end in range(len(whole)):
        (tmp_path / "a.gguf").write_bytes(whole[:end])
        with pytest.raises(ModelError):
            gguf.read_header(tmp_path / "a.gguf")
