"""Tiny random decoders, one of (nearly) every way transformers builds one.

Each row is the smallest configuration that still does what its architecture is known for: windows of eight
tokens that a prompt of twenty-two outgrows, layers that alternate, grouped keys and values, baked-in alibi,
attention sinks, soft caps, mixtures of experts, a vision tower beside the text. Four layers everywhere.
"""

from __future__ import annotations

import functools
from typing import Any

from transformers import PreTrainedModel

from tests.arch.tiny import LAYERS, Tiny

VOCABULARY = 128
WINDOW = 8

_SIZES = {"hidden_size": 32, "num_hidden_layers": LAYERS, "num_attention_heads": 4, "vocab_size": VOCABULARY}
_PLAIN = {**_SIZES, "intermediate_size": 48, "max_position_embeddings": 128}
_GROUPED = {**_PLAIN, "num_key_value_heads": 2}
_WIDE = {**_GROUPED, "head_dim": 16}  # heads that together are wider than the residual stream
_GPT2 = {"n_embd": 32, "n_layer": LAYERS, "n_head": 4, "n_positions": 128, "vocab_size": VOCABULARY}

_WINDOWED = {"sliding_window": WINDOW}
_MIXED = {**_WINDOWED, "layer_types": ["sliding_attention", "full_attention"] * 2}
_LINEAR = {"layer_types": ["linear_attention", "full_attention"] * 2}
_DELTA_NET = {
    **_LINEAR,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}

_EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
_NAMED_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2}
_FINE_EXPERTS = {**_NAMED_EXPERTS, "moe_intermediate_size": 16}
_SHARED_EXPERT = {**_FINE_EXPERTS, "shared_expert_intermediate_size": 16}
_ROUTED_EXPERTS = {
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
}
_LATENT = {
    "num_key_value_heads": 4,
    "kv_lora_rank": 16,
    "q_lora_rank": 16,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 12,
}
_VISION = {**_SIZES, "intermediate_size": 48, "image_size": 28, "patch_size": 14}
del _VISION["vocab_size"]


def _rope(kind: str, **settings: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 1e4, **settings}}


_ROWS = (
    # learned positions, or none
    Tiny("gpt2", _GPT2),
    Tiny("gpt_bigcode", _GPT2),
    Tiny(
        "gpt_neo",
        {
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_layers": LAYERS,
            "num_heads": 4,
            "vocab_size": VOCABULARY,
            "max_position_embeddings": 128,
            "window_size": WINDOW,
            "attention_types": [[["global", "local"], 2]],
        },
    ),
    Tiny("opt", {**_SIZES, "ffn_dim": 48, "word_embed_proj_dim": 16, "max_position_embeddings": 128}),
    Tiny("biogpt", _PLAIN),
    Tiny(
        "xglm",
        {
            "d_model": 32,
            "ffn_dim": 48,
            "num_layers": LAYERS,
            "attention_heads": 4,
            "vocab_size": VOCABULARY,
            "max_position_embeddings": 128,
        },
    ),
    # alibi
    Tiny("bloom", {"hidden_size": 32, "n_layer": LAYERS, "n_head": 4, "vocab_size": VOCABULARY}),
    Tiny(
        "falcon:alibi",
        {**_SIZES, "alibi": True, "multi_query": False, "parallel_attn": False, "bias": True},
    ),
    Tiny(
        "mpt", {"d_model": 32, "n_heads": 4, "n_layers": LAYERS, "max_seq_len": 128, "vocab_size": VOCABULARY}
    ),
    # rotary positions
    Tiny("falcon", {**_SIZES, "new_decoder_architecture": True, "num_kv_heads": 2}),
    Tiny("gptj", {**_GPT2, "rotary_dim": 4}),
    Tiny("codegen", {**_GPT2, "n_ctx": 128, "rotary_dim": 4}),
    Tiny("gpt_neox", _PLAIN),
    Tiny("phi", _PLAIN),
    Tiny("phi3", {**_GROUPED, "original_max_position_embeddings": 128}),
    Tiny("persimmon", _PLAIN),
    Tiny("stablelm", _GROUPED),
    Tiny("llama", _GROUPED),
    Tiny("llama:eager", _GROUPED, attention="eager"),
    Tiny(
        "llama:rope-llama3",
        {
            **_GROUPED,
            **_rope(
                "llama3",
                factor=8.0,
                low_freq_factor=1.0,
                high_freq_factor=4.0,
                original_max_position_embeddings=64,
            ),
        },
    ),
    Tiny("qwen2", _GROUPED),
    Tiny("qwen3", _WIDE),
    Tiny("gemma", _WIDE),
    Tiny("olmo", _PLAIN),
    Tiny("olmo2", _PLAIN),
    Tiny("cohere", {**_GROUPED, "logit_scale": 0.25}),
    Tiny("glm", {**_WIDE, "partial_rotary_factor": 0.5}),
    Tiny("glm4", {**_WIDE, "partial_rotary_factor": 0.5}),
    Tiny(
        "granite",
        {
            **_GROUPED,
            "logits_scaling": 3.0,
            "residual_multiplier": 0.3,
            "embedding_multiplier": 2.0,
            "attention_multiplier": 0.4,
        },
    ),
    Tiny("smollm3", _GROUPED),
    Tiny("nemotron", _GROUPED),
    Tiny("helium", {**_GROUPED, "head_dim": 8}),
    Tiny("hunyuan_v1_dense", _WIDE),
    Tiny("ernie4_5", _WIDE),
    Tiny("seed_oss", _WIDE),
    Tiny("apertus", _GROUPED),
    Tiny("arcee", _GROUPED),
    Tiny("nanochat", _GROUPED),
    Tiny("doge", _GROUPED),
    Tiny("youtu", {**_PLAIN, **_LATENT}),
    # windows and chunks shorter than the prompt
    Tiny("mistral", {**_GROUPED, **_WINDOWED}),
    Tiny("mistral:eager", {**_GROUPED, **_WINDOWED}, attention="eager"),
    Tiny("ministral", {**_GROUPED, **_WINDOWED, "head_dim": 8}),
    Tiny("phi3:window", {**_GROUPED, **_WINDOWED, "original_max_position_embeddings": 128}),
    Tiny("starcoder2", {**_GROUPED, **_WINDOWED}),
    Tiny("qwen2:window", {**_GROUPED, **_MIXED, "use_sliding_window": True}),
    Tiny("smollm3:window", {**_GROUPED, **_MIXED, "use_sliding_window": True}),
    Tiny(
        "gemma2",
        {
            **_WIDE,
            **_MIXED,
            "query_pre_attn_scalar": 16,
            "attn_logit_softcapping": 5.0,
            "final_logit_softcapping": 4.0,
        },
    ),
    Tiny("gemma3_text", {**_WIDE, **_MIXED, "query_pre_attn_scalar": 16}),
    Tiny("gemma3_text:eager", {**_WIDE, **_MIXED, "query_pre_attn_scalar": 16}, attention="eager"),
    Tiny(
        "gemma3",
        {"text_config": {**_WIDE, **_MIXED, "query_pre_attn_scalar": 16}, "vision_config": _VISION},
    ),
    Tiny(
        "gemma4_text",
        {
            **_GROUPED,
            **_MIXED,
            "head_dim": 8,
            "global_head_dim": 16,  # in the layers without a window
            "vocab_size_per_layer_input": VOCABULARY,
            "hidden_size_per_layer_input": 8,
            "num_kv_shared_layers": 2,  # the last two layers attend to keys and values of the first two
        },
    ),
    Tiny("vaultgemma", {**_WIDE, **_MIXED}),
    Tiny("olmo3", {**_GROUPED, **_MIXED}),
    Tiny("cohere2", {**_GROUPED, **_MIXED, "logit_scale": 0.25}),
    Tiny("exaone4", {**_GROUPED, **_MIXED, "sliding_window_pattern": 2}),
    Tiny(
        "modernbert-decoder",
        {**_PLAIN, "local_attention": 2 * WINDOW, "layer_types": _MIXED["layer_types"]},
    ),
    Tiny(
        "llama4_text",
        {
            **_WIDE,
            "intermediate_size_mlp": 48,
            "num_local_experts": 4,
            "num_experts_per_tok": 1,
            "attention_chunk_size": WINDOW,
            "layer_types": ["chunked_attention", "full_attention"] * 2,
            "no_rope_layers": [1, 0, 1, 0],
            "interleave_moe_layer_step": 2,
        },
    ),
    # attention sinks
    Tiny("gpt_oss", {**_WIDE, **_MIXED, **_EXPERTS}),
    # mixtures of experts
    Tiny("mixtral", {**_GROUPED, **_EXPERTS, "sliding_window": None}),
    Tiny("phimoe", {**_GROUPED, **_EXPERTS}),
    Tiny("granitemoe", {**_GROUPED, **_EXPERTS}),
    Tiny("minimax_m2", {**_WIDE, **_EXPERTS}),
    Tiny("olmoe", {**_PLAIN, **_NAMED_EXPERTS}),
    Tiny("qwen2_moe", {**_GROUPED, **_SHARED_EXPERT}),
    Tiny("qwen3_moe", {**_WIDE, **_FINE_EXPERTS}),
    Tiny("deepseek_v2", {**_PLAIN, **_LATENT, **_ROUTED_EXPERTS}),
    Tiny("deepseek_v3", {**_PLAIN, **_LATENT, **_ROUTED_EXPERTS}),
    Tiny("dots1", {**_GROUPED, **_ROUTED_EXPERTS, "n_shared_experts": 1}),
    Tiny("glm4_moe", {**_WIDE, **_ROUTED_EXPERTS, "partial_rotary_factor": 0.5}),
    Tiny(
        "ernie4_5_moe",
        {
            **_WIDE,
            "moe_num_experts": 4,
            "moe_k": 2,
            "moe_intermediate_size": 16,
            "moe_layer_start_index": 1,
        },
    ),
    # positions that depend on the length once it outgrows a limit: nothing to share beyond it
    Tiny("llama:rope-dynamic", {**_GROUPED, **_rope("dynamic", factor=2.0)}, stateful=True),
    Tiny(
        "llama:rope-dynamic-outgrown",
        {**_GROUPED, **_rope("dynamic", factor=2.0), "max_position_embeddings": 16},
        how="batches",
        stateful=True,
    ),
    Tiny(
        "phi3:longrope",
        {
            **_GROUPED,
            **_rope(
                "longrope",
                short_factor=[1.0] * 4,
                long_factor=[1.0, 2.0, 4.0, 8.0],
                original_max_position_embeddings=22,
            ),
            "original_max_position_embeddings": 22,
        },
        how="batches",
    ),
    # recurrence or convolutions beside attention, or instead of it
    Tiny("qwen3_next", {**_WIDE, **_DELTA_NET, **_SHARED_EXPERT, "decoder_sparse_step": 1}, "batches", 2),
    Tiny("qwen3_5_text", {**_WIDE, **_DELTA_NET}, "batches", 2),
    Tiny(
        "lfm2",
        {
            **_GROUPED,
            "layer_types": ["conv", "full_attention"] * 2,
            "block_multiple_of": 8,
            "block_ff_dim": 48,
        },
        "batches",
        2,
    ),
    Tiny("minimax", {**_GROUPED, **_LINEAR, **_EXPERTS}, "batches", 2),
    Tiny(
        "bamba",
        {
            **_GROUPED,
            "attn_layer_indices": [1, 3],
            "mamba_n_heads": 4,
            "mamba_d_state": 8,
            "mamba_d_conv": 4,
            "mamba_expand": 2,
            "mamba_d_head": 16,
            "mamba_n_groups": 1,
        },
        "batches",
        2,
    ),
    Tiny(
        "jamba",
        {
            **_GROUPED,
            "attn_layer_offset": 1,
            "attn_layer_period": 2,
            "num_experts": 2,
            "mamba_d_state": 8,
            "mamba_dt_rank": 4,
            "use_mamba_kernels": False,
        },
        "batches",
        2,
    ),
    Tiny(
        "falcon_h1",
        {
            **_GROUPED,
            "mamba_d_ssm": 32,
            "mamba_n_heads": 4,
            "mamba_d_head": 8,
            "mamba_n_groups": 1,
            "mamba_d_state": 8,
            "mamba_chunk_size": 16,
        },
        "batches",
    ),
    Tiny(
        "mamba",
        {"hidden_size": 32, "num_hidden_layers": LAYERS, "state_size": 8, "vocab_size": VOCABULARY},
        "batches",
        0,
    ),
)

CONFIGURATIONS = {row.name: row for row in _ROWS}


@functools.cache
def built(name: str) -> PreTrainedModel:
    """The configuration's model, built once a test run; tests leave it as they found it."""
    return CONFIGURATIONS[name].build()
