"""Open weights and tokenizer of a folder that has passed the checks, and check by numbers what came out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from probes.errors import CapabilityError, CruxError, ModelError
from probes.models.placement import Placement
from probes.models.quiet import quiet

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
_SAMPLE = "a b"


def open_config(folder: Path, name: str) -> PreTrainedConfig:
    """config.json as transformers understands it.

    Raises:
        ModelError: it does not.
    """
    from transformers import AutoConfig

    with explained("config_broken", name=name), quiet():
        found: PreTrainedConfig = AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        return found


def open_tokenizer(folder: Path, name: str) -> PreTrainedTokenizerFast:
    """The model's tokenizer, which must be able to say where in a text its tokens stand.

    Raises:
        ModelError: there is none, or it would need code of its own.
        CapabilityError: it gives no offsets.
    """
    from transformers import AutoTokenizer

    if not any((folder / file).exists() for file in _TOKENIZER_FILES):
        raise ModelError("tokenizer_missing", name=name)
    with explained("tokenizer_broken", name=name), quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if not tokenizer.is_fast:
        raise CapabilityError("tokenizer_no_offsets")
    with explained("tokenizer_broken", name=name), quiet():
        _try_out(tokenizer)
        ids = tokenizer(_SAMPLE, add_special_tokens=False)["input_ids"]
    if not 0 < len(ids) <= 100:  # an empty vocabulary, a padding without end
        raise ModelError("tokenizer_broken", name=name, reason=f"{len(ids)} tokens")
    tokenizer.padding_side = "right"
    # Set now, for good: a call that had to change it would fail beside another thread's.
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.encode_special_tokens = tokenizer.split_special_tokens
    return cast("PreTrainedTokenizerFast", tokenizer)


@contextmanager
def explained(key: str, **values: object) -> Iterator[None]:
    """Whatever a stranger's file makes a library stumble over, as a ModelError; a Rust library's panic, which
    is no Exception, as well."""
    try:
        yield
    except CruxError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise ModelError(key, reason=type(error).__name__, **values) from error


def _try_out(tokenizer: Any) -> None:
    """Everything that is asked of a tokenizer later, so that a broken one fails here."""
    given = tokenizer(_SAMPLE, return_offsets_mapping=True)
    tokenizer.decode(given["input_ids"])
    tokenizer.convert_ids_to_tokens(given["input_ids"])
    max(tokenizer.get_vocab().values(), default=0)
    [str(token) for token in tokenizer.added_tokens_decoder.values()]
    [getattr(tokenizer, f"{name}_token") for name in ("bos", "eos", "unk", "pad", "mask", "cls", "sep")]


def open_model(folder: Path, name: str, config: PreTrainedConfig, chosen: Placement) -> PreTrainedModel:
    """The model in evaluation mode, gradients off.

    Raises:
        ModelError: transformers refuses it, or tensors are missing that it would fill with random numbers.
    """
    from transformers import AutoModelForCausalLM

    spread: dict[str, Any] = {}
    if chosen.max_memory:
        spread = {"device_map": "auto", "max_memory": dict(chosen.max_memory)}
    elif chosen.device != "cpu":
        spread = {"device_map": {"": chosen.device}}
    auto: Any = AutoModelForCausalLM
    try:
        with quiet():
            model, info = auto.from_pretrained(
                folder,
                config=config,
                dtype=chosen.torch_dtype,
                # Named outright, so that a configuration cannot ask for a kernel from elsewhere.
                attn_implementation="sdpa" if auto._model_mapping[type(config)]._supports_sdpa else "eager",
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                **spread,
            )
    except Exception as error:  # whatever a stranger's configuration makes the library stumble over
        raise ModelError("load_failed", name=name, reason=type(error).__name__) from error
    lost = sorted([*info["missing_keys"], *(entry[0] for entry in info["mismatched_keys"])])
    if lost:
        raise ModelError("weights_incomplete", name=name, count=len(lost), first=lost[0])
    return cast("PreTrainedModel", model.eval().requires_grad_(False))


def open_own(folder: Path, config: PreTrainedConfig, chosen: Placement) -> PreTrainedModel:
    """The same for the model that comes with Crux, whose weights are known to be its own.

    `from_pretrained` first compiles the renamings of every architecture there is, which takes longer than all
    else.
    """
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM, GenerationConfig

    auto: Any = AutoModelForCausalLM
    with quiet():
        model = auto.from_config(config, dtype=chosen.torch_dtype, attn_implementation="sdpa")
        weights = load_file(folder / "model.safetensors")
        lost = model.load_state_dict(weights, strict=False).missing_keys
        model.tie_weights()
        model.generation_config = GenerationConfig.from_pretrained(folder)
    if set(lost) - {"lm_head.weight"}:  # tied to the embedding
        raise ModelError("weights_incomplete", name="builtin", count=len(lost), first=lost[0])
    return cast("PreTrainedModel", model.to(chosen.device).eval().requires_grad_(False))


def check_opened(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, name: str) -> None:
    """Is every token in the vocabulary, are the numbers finite, does no position read what follows it?

    Raises:
        ModelError: one of them is not so.
    """
    import torch

    embedding: Any = model.get_input_embeddings()
    rows = int(embedding.weight.shape[0])
    highest = max(tokenizer.get_vocab().values())
    if highest >= rows:
        raise ModelError("tokenizer_mismatch", name=name, tokens=highest + 1, rows=rows)
    ids = torch.arange(6, device=model.device).remainder(rows)[None]
    changed = ids.clone()
    changed[0, -1] = (ids[0, -1] + 1) % rows
    with explained("load_failed", name=name), torch.no_grad():
        before, after = (
            model(input_ids=each, use_cache=False).logits[0, :-1].float() for each in (ids, changed)
        )
    if not torch.isfinite(before).all():
        raise ModelError("not_finite", name=name)
    if (before - after).abs().max() > 1e-3 * before.std():
        raise ModelError("reads_ahead", name=name)


def devices_of(model: PreTrainedModel, chosen: Placement) -> str:
    """Where the weights ended up: "cpu", "cuda:0", or "cuda:0+cpu" for a model that was spread."""
    spread: dict[str, int | str] = getattr(model, "hf_device_map", None) or {}
    if not chosen.max_memory or not spread:
        return chosen.device
    names = [f"cuda:{place}" if isinstance(place, int) else str(place) for place in spread.values()]
    return "+".join(dict.fromkeys(names))
