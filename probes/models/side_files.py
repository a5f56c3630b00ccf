"""The small files beside a model's weights, read with their size known first and their types checked."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from probes.errors import ModelError
from probes.models.memory import readable

MOST_CONFIG = 4_000_000
"""Bytes of config.json and its like; published ones stay below one million."""
MOST_INDEX = 64_000_000
_TOKENIZER = 64_000_000, 4_000_000, 512
"""Bytes of a tokenizer's file: at most; for any vocabulary; on top for each row of it. Gemma's takes 33
million for 262,144 rows."""
_TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt", "merges.txt",
    "added_tokens.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
    "chat_template.json", "sentencepiece.bpe.model",
)  # fmt: skip
_TOKEN = (str, dict)
_TYPES: dict[str, tuple[type, ...]] = {
    "model_max_length": (int, float),
    "padding_side": (str,),
    "truncation_side": (str,),
    "tokenizer_class": (str,),
    "add_bos_token": (bool,),
    "add_eos_token": (bool,),
    "add_prefix_space": (bool,),
    "clean_up_tokenization_spaces": (bool,),
    "chat_template": (str, list, dict),
    "added_tokens_decoder": (dict,),
    "additional_special_tokens": (list,),
    "extra_special_tokens": (list, dict),
    **dict.fromkeys(("bos_token", "eos_token", "unk_token", "pad_token", "mask_token"), _TOKEN),
    **dict.fromkeys(("sep_token", "cls_token"), _TOKEN),
}
_IDS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")


def read_json(path: Path, name: str, most: int = MOST_CONFIG, key: str = "side_file_broken") -> Any:
    """The content of a JSON file.

    Raises:
        ModelError: it is no plain file, too large, or no JSON in UTF-8.
        FileNotFoundError: it is not there.
    """
    if path.exists() and not path.is_file():  # a pipe would never end
        raise ModelError(key, name=name, file=path.name, reason="no file")
    refuse_large(path, name, most)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise ModelError(key, name=name, file=path.name, reason=type(error).__name__) from error


def refuse_large(path: Path, name: str, most: int) -> None:
    """Raises ModelError where the file has more than `most` bytes, with both numbers."""
    size = path.stat().st_size
    if size > most:
        raise ModelError(
            "side_file_large", name=name, file=path.name, size=readable(size), most=readable(most)
        )


def check_side_files(folder: Path, name: str, rows: int) -> None:
    """Refuse the tokenizer's and the generation's files where size or types cannot be right.

    Args:
        rows: an upper bound of the vocabulary's rows: the longest dimension of any weight.

    Raises:
        ModelError: with the file, and what of it.
    """
    most, base, each = _TOKENIZER
    for file in _TOKENIZER_FILES:
        if (folder / file).exists():
            refuse_large(folder / file, name, min(most, base + each * rows))
            if not (folder / file).is_file():
                raise ModelError("side_file_broken", name=name, file=file, reason="no file")
    for file in ("tokenizer_config.json", "special_tokens_map.json", "generation_config.json"):
        if (folder / file).exists():
            content = read_json(folder / file, name, min(most, base + each * rows))
            if not isinstance(content, dict):
                raise ModelError("side_file_broken", name=name, file=file, reason=type(content).__name__)
            _check_types(content, file, name)


def _check_types(content: dict[str, Any], file: str, name: str) -> None:
    for field, value in content.items():
        if field in _IDS:
            ids = value if isinstance(value, list) else [] if value is None else [value]
            wrong = not all(type(one) is int and -1 <= one < 2**31 for one in ids)
        else:
            wanted = _TYPES.get(field)
            wrong = wanted is not None and not (value is None or isinstance(value, wanted))
        if field == "model_max_length" and not wrong and value is not None:
            wrong = isinstance(value, bool) or value != value or value < 0 or value == math.inf
        if wrong:
            raise ModelError("side_file_value", name=name, file=file, field=field)
