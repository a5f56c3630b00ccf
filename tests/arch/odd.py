"""Tiny decoders built in unusual ways: no attention, no final norm, narrow embeddings, shifted positions."""

from __future__ import annotations

from functools import cache

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from probes.models.loading import Loaded
from probes.models.local import LocalModel
from probes.models.placement import Size
from probes.models.source import Source
from tests.arch.tiny import Tiny

_BYTES = 260
_SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "vocab_size": _BYTES}
_BERT = {
    **_SIZES,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 130,
    "is_decoder": True,
}
_DECODER = {
    "d_model": 32,
    "decoder_layers": 2,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 48,
    "vocab_size": _BYTES,
    "max_position_embeddings": 130,
}
WINDOW = 130

ODD = {
    tiny.name: tiny
    for tiny in (
        Tiny(
            "openai-gpt",
            {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": WINDOW, "vocab_size": _BYTES},
        ),
        Tiny("mamba", {**_SIZES, "state_size": 8}),
        Tiny("rwkv", {**_SIZES, "attention_hidden_size": 32, "intermediate_size": 48, "context_length": 256}),
        Tiny("rembert", {**_BERT, "input_embedding_size": 16, "output_embedding_size": 24}),
        Tiny("trocr", _DECODER),
        Tiny("bart", {**_DECODER, "encoder_layers": 3, "encoder_attention_heads": 4, "encoder_ffn_dim": 48}),
        Tiny("roberta", {**_BERT, "pad_token_id": 1}),
        Tiny(
            "opt",
            {
                **_SIZES,
                "num_attention_heads": 4,
                "ffn_dim": 48,
                "word_embed_proj_dim": 16,
                "max_position_embeddings": WINDOW,
            },
        ),
    )
}
PARTLY_KNOWN = {
    tiny.name: tiny
    for tiny in (
        Tiny(  # keys and values of experts: no one projection mixes the heads
            "jetmoe",
            {
                **_SIZES,
                "num_key_value_heads": 2,
                "kv_channels": 8,
                "intermediate_size": 48,
                "num_local_experts": 4,
                "num_experts_per_tok": 2,
            },
        ),
        Tiny(  # two attention modules and two feed-forward parts in each layer
            "longcat_flash",
            {
                "hidden_size": 32,
                "num_layers": 1,
                "num_attention_heads": 4,
                "vocab_size": _BYTES,
                "ffn_hidden_size": 48,
                "expert_ffn_hidden_size": 16,
                "q_lora_rank": 16,
                "kv_lora_rank": 8,
                "qk_nope_head_dim": 8,
                "qk_rope_head_dim": 8,
                "v_head_dim": 8,
                "head_dim": 8,
                "n_routed_experts": 4,
                "moe_topk": 2,
                "zero_expert_num": 2,
            },
        ),
        Tiny(  # each layer is a recurrence, attention or a feed-forward part, behind a norm
            "nemotron_h",
            {
                "hidden_size": 32,
                "vocab_size": _BYTES,
                "intermediate_size": 48,
                "num_attention_heads": 4,
                "num_key_value_heads": 2,
                "head_dim": 8,
                "layers_block_type": ["linear_attention", "full_attention", "mlp", "full_attention", "mlp"],
                "mamba_num_heads": 4,
                "mamba_head_dim": 16,
                "ssm_state_size": 8,
                "n_groups": 2,
            },
        ),
        Tiny(  # several residual streams side by side
            "gemma3n_text",
            {
                **_SIZES,
                "num_attention_heads": 4,
                "num_key_value_heads": 2,
                "head_dim": 8,
                "intermediate_size": 48,
                "vocab_size_per_layer_input": _BYTES,
                "hidden_size_per_layer_input": 8,
                "num_kv_shared_layers": 0,
                "laurel_rank": 4,
                "altup_num_inputs": 2,
                "layer_types": ["sliding_attention", "full_attention"],
                "activation_sparsity_pattern": [0.0] * 2,
            },
        ),
    )
}
"""Of which some part is not recognised."""
WINDOWS = {"roberta": WINDOW - 2, "mamba": None, "rwkv": 256}
"""Tokens that are read, where they are not `WINDOW`: RoBERTa's first token stands at row 2 of its table."""


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    """A token a byte."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({letter: i + 3 for i, letter in enumerate(letters)}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken("</s>", special=True)])
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="</s>")


@cache
def odd(name: str) -> LocalModel:
    """The model of that name, ready to be asked."""
    tiny = {**ODD, **PARTLY_KNOWN}[name]
    size = Size(0, 0, 0, tiny.architecture)
    return LocalModel(Loaded(tiny.build(), tokenizer(), Source("folder", name), name, "float32", "cpu", size))
