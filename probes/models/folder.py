"""What a model's folder holds, and whether it is a model Crux can open: read before any weights are loaded.

Every refusal names what it found. The same checks run on a folder and on a hub's list of files.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from probes.errors import ModelError
from probes.models.memory import readable
from probes.models.plausible import check_types
from probes.models.side_files import MOST_INDEX, read_json

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"

_MOST_HEADER = 32_000_000
_PICKLED = (".bin", ".pt", ".pth", ".ckpt")
_FLOATS = {"F64", "F32", "F16", "BF16"}
_WEIGHT = re.compile(r"weight(_packed)?$|(^|[._])blocks$")
_HEADS = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")


def check_files(files: Collection[str], name: str) -> None:
    """Refuse what cannot be a model Crux opens, by the names of its files alone.

    Raises:
        ModelError: an adapter, pickled weights, GGUF, no configuration, or no weights.
    """
    top = {file for file in files if "/" not in file}
    if "adapter_config.json" in top:
        raise ModelError("adapter", name=name)
    if SINGLE in top or INDEX in top:
        if "config.json" not in top:
            raise ModelError("config_missing", name=name)
        return
    if any(file.endswith(_PICKLED) for file in top):
        raise ModelError("pickle_only", name=name)
    if any(file.endswith(".gguf") for file in top):
        raise ModelError("gguf_inside", name=name)
    raise ModelError("no_weights", name=name)


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """The content of config.json.

    Raises:
        ModelError: it is not there, or not a JSON object.
    """
    try:
        config = read_json(folder / "config.json", name, key="config_broken")
    except FileNotFoundError as error:
        raise ModelError("config_missing", name=name) from error
    if not isinstance(config, dict):
        raise ModelError("config_broken", name=name, reason=type(config).__name__)
    return config


def check_config(config: Mapping[str, Any], name: str) -> str:
    """Refuse a model that is not a plain causal language model; the stock class that will run it.

    Raises:
        ModelError: quantised, encoder-decoder, without a language-model head, of unknown architecture, or
            one that would need its own code to be run; or a field that no model has.
    """
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as STOCK

    check_types(config, name)
    quantised = config.get("quantization_config") or config.get("compression_config")
    if quantised:
        method = quantised.get("quant_method") if isinstance(quantised, dict) else None
        raise ModelError("quantised", name=name, method=_word(method, "?"))
    kind = _word(config.get("model_type"), "?")
    architectures = [_word(entry, "?") for entry in config.get("architectures") or ()]
    stock = STOCK.get(kind)
    if stock is None and config.get("auto_map"):
        raise ModelError("custom_code", name=name, architecture=", ".join(architectures) or kind)
    if config.get("is_encoder_decoder"):
        raise ModelError("not_causal", name=name, architecture=", ".join(architectures) or kind)
    if architectures and not any(entry == stock or entry.endswith(_HEADS) for entry in architectures):
        raise ModelError("not_causal", name=name, architecture=", ".join(architectures))
    if stock is None:
        from transformers import __version__

        raise ModelError("architecture_unknown", name=name, architecture=kind, version=__version__)
    return str(stock)


def weight_files(folder: Path, name: str) -> list[Path]:
    """The safetensors files that hold the weights.

    Raises:
        ModelError: a file that the index names is missing, or the index is broken or points elsewhere.
    """
    if (folder / SINGLE).exists() or not (folder / INDEX).exists():
        return [folder / SINGLE]  # transformers, too, takes this one before the parts of an index
    try:
        index = read_json(folder / INDEX, name, MOST_INDEX, key="weights_broken")
        parts = sorted(set(index["weight_map"].values()))
        strays = [part for part in parts if PurePosixPath(part).name != part or "\\" in part or "\0" in part]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError("weights_broken", name=name, file=INDEX, reason=type(error).__name__) from error
    if strays:
        raise ModelError("weights_broken", name=name, file=INDEX, reason=_word(strays[0], "?"))
    if not parts:
        raise ModelError("weights_broken", name=name, file=INDEX, reason="0 files")
    missing = [part for part in parts if not (folder / part).exists()]
    if missing:
        raise ModelError("weights_missing", name=name, files=", ".join(missing[:3]), count=len(missing))
    return [folder / part for part in parts]


def count_parameters(folder: Path, name: str) -> int:
    """How many numbers the weights are; see `read_shapes`, which refuses what cannot be read.

    A few published files hold tied weights twice and count them twice.
    """
    return sum(map(math.prod, read_shapes(folder, name).values()))


def read_shapes(folder: Path, name: str) -> dict[str, tuple[int, ...]]:
    """The shapes of the weights by name, read from the safetensors headers alone.

    Attention masks that older files keep beside the weights are left out.

    Raises:
        ModelError: a file is no safetensors file, was cut short, or holds quantised weights.
    """
    from safetensors import SafetensorError, safe_open

    shapes: dict[str, tuple[int, ...]] = {}
    packed = set()
    for path in weight_files(folder, name):
        _check_header(path, name)
        try:
            with safe_open(path, framework="np") as file:
                for key in file.keys():  # noqa: SIM118 (no mapping)
                    tensor = file.get_slice(key)
                    shape, numbers = tensor.get_shape(), tensor.get_dtype()
                    if numbers in _FLOATS and not (len(shape) > 2 and key.endswith("bias")):
                        shapes[f"{path.name}/{key}"] = tuple(shape)
                    elif _WEIGHT.search(key):
                        packed.add(str(numbers))
        except (OSError, SafetensorError) as error:
            with path.open("rb") as raw:
                pointer = raw.read(40).startswith(b"version https://git-lfs")
            reason = "Git LFS" if pointer else str(error)
            raise ModelError("weights_broken", name=name, file=path.name, reason=reason) from error
    if packed:
        raise ModelError("quantised", name=name, method=", ".join(sorted(packed)))
    return shapes


def _check_header(path: Path, name: str) -> None:
    """Refuse a header that is larger than any model's, before it is parsed."""
    reason = "no file"
    if path.is_file():
        with path.open("rb") as raw:
            first = raw.read(8)
        size = int.from_bytes(first, "little")
        if size <= _MOST_HEADER or size > path.stat().st_size:  # what is no header at all is told below
            return
        reason = readable(size)
    raise ModelError("weights_broken", name=name, file=path.name, reason=reason)


def _word(value: Any, otherwise: str) -> str:
    """A name out of somebody's file, fit to be put into a sentence."""
    return value[:80] if isinstance(value, str) and value.isprintable() and value else otherwise
