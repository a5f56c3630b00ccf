"""A .gguf file, unpacked once into a folder of safetensors that loads like any other model.

The weights are taken as the file gives them: a 4-bit file becomes fp32 numbers that still have only 16 levels
a block. transformers refuses to save a model it loaded from GGUF, so the weights are put into a fresh one.
"""

from __future__ import annotations

import io
import json
import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from probes.errors import LimitError, ModelError
from probes.models import gguf_header
from probes.models.hashing import file_hash
from probes.models.memory import bytes_free, readable, require_disk
from probes.models.plausible import check_layers, check_types, held_to_weights
from probes.models.quiet import quiet
from probes.models.stages import Progress
from probes.record.store import cache_folder

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

VERSION = 2
"""Of the conversion; part of the folder's name, so that a better one is not hidden by an older result."""

_FP32 = 4
_CONFIG = {
    "hidden_size": "embedding_length",
    "num_hidden_layers": "block_count",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "head_dim": "attention.key_length",
    "intermediate_size": "feed_forward_length",
    "vocab_size": "vocab_size",
}
_STARTING_RULES = frozenset(
    ("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano")
) | {"tekken", "chameleon"}
"""Rules of byte-pair tokenizers whose texts begin with the start token unless the file says otherwise."""
_SAMPLE = "I walked into the coffee shop 3 times."


@dataclass(frozen=True)
class Header:
    """What a .gguf file says of itself."""

    architecture: str
    parameters: int
    config: dict[str, Any]
    """As much of it as decides the memory needed, by config.json's names."""
    tokenizer: str
    """The rule by which text is cut before byte pairs are merged, by llama.cpp's name."""
    starts: bool | None = None
    """Whether a text begins with the start token; None where transformers is left to know."""
    start: int | None = None
    """That token's id, where it goes without saying."""
    spaced: bool = True
    """Whether a sentencepiece tokenizer puts a space before a text."""
    shapes: Mapping[str, Sequence[int]] = field(default_factory=dict, repr=False)


def read_header(path: Path) -> Header:
    """Read the header, and refuse what transformers would unpack into another model than the file describes.

    Raises:
        ModelError: no GGUF file, one of several parts, with numbers that cannot be true, or with rotary
            scaling, which would be lost.
    """
    try:
        raw = gguf_header.read(path)
    except (OSError, gguf_header.Broken) as error:
        reason = str(error) if isinstance(error, gguf_header.Broken) else type(error).__name__
        raise ModelError("gguf_broken", name=path.name, reason=reason) from error
    fields, tensors = raw.fields, raw.tensors
    architecture = str(fields.get("general.architecture", "?"))[:80]
    parts = fields.get("split.count", 1)
    if type(parts) is not int:
        raise ModelError("gguf_broken", name=path.name, reason="split.count")
    if parts > 1:
        raise ModelError("gguf_parts", name=path.name)
    scaled = fields.get(f"{architecture}.rope.scaling.type", "none") != "none"
    if (scaled and architecture != "gpt-oss") or any(name.startswith("rope_f") for name in tensors):
        raise ModelError("gguf_rope", name=path.name)
    config = {key: fields.get(f"{architecture}.{name}") for key, name in _CONFIG.items()}
    check_types(config, path.name)
    check_layers(config, tensors, path.name, spare=0)
    parameters, rule = sum(map(math.prod, tensors.values())), str(fields.get("tokenizer.ggml.pre", ""))
    return Header(architecture, parameters, config, rule, **_beginning(fields, rule), shapes=tensors)


def _beginning(fields: Mapping[str, Any], rule: str) -> dict[str, Any]:
    """What the file says of how texts begin; where it says nothing, what llama.cpp does then."""
    kind = fields.get("tokenizer.ggml.model")
    if kind not in ("llama", "gpt2"):
        return {}
    starts = fields.get("tokenizer.ggml.add_bos_token", kind == "llama" or rule in _STARTING_RULES)
    spaced = fields.get("tokenizer.ggml.add_space_prefix", True)
    return {"starts": bool(starts), "start": 1 if kind == "llama" else None, "spaced": bool(spaced)}


def converted(path: Path, on_progress: Progress | None = None) -> Path:
    """The cache's folder for this file's content, made where it is not there yet.

    Raises:
        ModelError, LimitError: as `convert_gguf`.
    """
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem)[:60]
    folder = cache_folder() / "models" / f"{stem}-{file_hash(path)[:12]}-v{VERSION}"
    return folder if folder.is_dir() else convert_gguf(path, folder, on_progress)


def convert_gguf(path: Path, folder: Path, on_progress: Progress | None = None) -> Path:
    """Unpack `path` into `folder` (weights in fp32, tokenizer, chat template), whole or not at all.

    What was written is read back and must give the same logits, bit for bit, and the same tokens.

    Args:
        path: the .gguf file.
        folder: where to; its parent is created.
        on_progress: called as (stage, step, steps).

    Returns:
        `folder`.

    Raises:
        ModelError: the file cannot be read or unpacked, or what came out is not what went in.
        LimitError: not enough memory or disk.
    """
    header = read_header(path)
    needed, free = header.parameters * _FP32 * 5 // 4, bytes_free()
    if needed > free:
        raise LimitError("gguf_memory", name=path.name, needed=readable(needed), free=readable(free))
    require_disk(folder, header.parameters * _FP32)
    folder.parent.mkdir(parents=True, exist_ok=True)

    def step(number: int) -> None:
        if on_progress:
            on_progress("convert", number, 3)

    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".partial-") as temporary, quiet():
        made = Path(temporary) / "model"
        step(0)
        model, tokenizer = _unpack(path, header)
        expected = _outputs(model, tokenizer)
        step(1)
        _save(model, tokenizer, made)
        del model
        step(2)
        _check_saved(made, expected, path.name)
        note = {"file": path.name, "sha256": file_hash(path), "conversion": VERSION}
        (made / "converted.json").write_text(json.dumps(note, indent=2), encoding="utf-8")
        try:
            made.rename(folder)
        except OSError:  # another process was faster
            if not folder.is_dir():
                raise
        step(3)
    return folder


def _unpack(path: Path, header: Header) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where: dict[str, Any] = {"gguf_file": path.name, "local_files_only": True}
    auto: Any = AutoModelForCausalLM
    held = held_to_weights(header.shapes, header.parameters, path.name)
    try:
        with held, redirect_stderr(io.StringIO()):  # a progress bar that nothing else switches off
            model, info = auto.from_pretrained(
                path.parent, dtype=torch.float32, output_loading_info=True, **where
            )
        tokenizer: Any = AutoTokenizer.from_pretrained(path.parent, **where)
    except ModelError:
        raise
    except Exception as error:  # whatever a stranger's file makes the library stumble over
        raise ModelError("gguf_unsupported", name=path.name, architecture=header.architecture) from error
    own = sum(parameter.numel() for parameter in model.parameters())
    embedding = model.get_input_embeddings().weight
    # A file may hold the output matrix again although it is the input's; anything else too many was dropped.
    if info["missing_keys"] or header.parameters not in (own, own + embedding.numel()):
        raise ModelError("gguf_unsupported", name=path.name, architecture=header.architecture)
    return model.eval(), _mended(tokenizer, header, rows=len(embedding))


def _mended(tokenizer: Any, header: Header, rows: int) -> PreTrainedTokenizerFast:
    """What transformers makes of a byte-pair tokenizer, GPT-2's, made the model's own again.

    It cuts texts as GPT-2 does, where SmolLM's cuts digits apart first; and where the file names no token for
    the unknown, it adds GPT-2's, which the model has no row for.
    """
    from tokenizers import Tokenizer, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    _begin_texts(tokenizer, header)
    if header.tokenizer == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    if len(tokenizer) <= rows:
        return cast("PreTrainedTokenizerFast", tokenizer)
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["id"] < rows]
    core = Tokenizer.from_str(json.dumps(content))
    names = ("bos_token", "eos_token", "unk_token", "pad_token")
    given = {name: getattr(tokenizer, name) for name in names}
    known = {name: token for name, token in given.items() if token and core.token_to_id(token) is not None}
    return PreTrainedTokenizerFast(tokenizer_object=core, chat_template=tokenizer.chat_template, **known)


def _begin_texts(tokenizer: Any, header: Header) -> None:
    """Texts begin as llama.cpp begins them: transformers puts no start token where the file leaves it unsaid,
    and always a space.
    """
    from tokenizers import pre_tokenizers

    if header.starts and header.start is not None and not tokenizer.bos_token:
        tokenizer.bos_token = tokenizer.convert_ids_to_tokens(header.start)
    if header.starts is not None and tokenizer.bos_token:
        tokenizer.add_bos_token = header.starts
    cut = tokenizer.backend_tokenizer.pre_tokenizer
    if not header.spaced and isinstance(cut, pre_tokenizers.Metaspace):
        cut.prepend_scheme = "never"


def _save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    config = model.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    with torch.device("meta"):
        fresh = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    fresh.load_state_dict(model.state_dict(), strict=True, assign=True)
    fresh.tie_weights()
    fresh.generation_config = model.generation_config
    fresh.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _outputs(model: Any, tokenizer: Any) -> tuple[list[int], torch.Tensor]:
    """Tokens of a sample sentence, and the logits after each [tokens, vocabulary]."""
    import torch

    ids = tokenizer(_SAMPLE)["input_ids"]
    with torch.no_grad():
        return ids, model(input_ids=torch.tensor([ids])).logits[0]


def _check_saved(folder: Path, expected: tuple[list[int], torch.Tensor], name: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    ids, logits = _outputs(model, tokenizer)
    read = tokenizer.decode(ids, skip_special_tokens=True).strip()
    same = ids == expected[0] and torch.equal(logits, expected[1])
    if not same or not math.isfinite(logits.sum().item()) or read != _SAMPLE:
        raise ModelError("gguf_differs", name=name)
