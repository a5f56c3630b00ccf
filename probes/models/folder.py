"""What a model's folder holds, and whether it is a model Crux can open: read before any weights are loaded.

Every refusal names what it found. The same checks run on a folder and on a hub's list of files.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from probes.errors import ModelError

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"

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
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError("config_missing", name=name) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError("config_broken", name=name, reason=type(error).__name__) from error
    if not isinstance(config, dict):
        raise ModelError("config_broken", name=name, reason=type(config).__name__)
    return config


def check_config(config: Mapping[str, Any], name: str) -> str:
    """Refuse a model that is not a plain causal language model; the stock class that will run it.

    Raises:
        ModelError: quantised, encoder-decoder, without a language-model head, of unknown architecture, or
            one that would need its own code to be run.
    """
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as STOCK

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
        parts = sorted(set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values()))
        strays = [part for part in parts if PurePosixPath(part).name != part or "\\" in part]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError("weights_broken", name=name, file=INDEX, reason=type(error).__name__) from error
    if strays:
        raise ModelError("weights_broken", name=name, file=INDEX, reason=_word(strays[0], "?"))
    missing = [part for part in parts if not (folder / part).exists()]
    if missing:
        raise ModelError("weights_missing", name=name, files=", ".join(missing[:3]), count=len(missing))
    return [folder / part for part in parts]


def count_parameters(folder: Path, name: str) -> int:
    """How many numbers the weights are, read from the safetensors headers alone.

    A few published files hold tied weights twice and count them twice. Attention masks that older files keep
    beside the weights are left out.

    Raises:
        ModelError: a file is no safetensors file, was cut short, or holds quantised weights.
    """
    from safetensors import SafetensorError, safe_open

    total, packed = 0, set()
    for path in weight_files(folder, name):
        try:
            with safe_open(path, framework="np") as file:
                for key in file.keys():  # noqa: SIM118 (no mapping)
                    tensor = file.get_slice(key)
                    shape, numbers = tensor.get_shape(), tensor.get_dtype()
                    if numbers in _FLOATS and not (len(shape) > 2 and key.endswith("bias")):
                        total += math.prod(shape)
                    elif _WEIGHT.search(key):
                        packed.add(str(numbers))
        except (OSError, SafetensorError) as error:
            with path.open("rb") as raw:
                pointer = raw.read(40).startswith(b"version https://git-lfs")
            reason = "Git LFS" if pointer else str(error)
            raise ModelError("weights_broken", name=name, file=path.name, reason=reason) from error
    if packed:
        raise ModelError("quantised", name=name, method=", ".join(sorted(packed)))
    return total


def _word(value: Any, otherwise: str) -> str:
    """A name out of somebody's file, fit to be put into a sentence."""
    return value[:80] if isinstance(value, str) and value.isprintable() and value else otherwise
