"""Tiny random decoders, one of (nearly) every way transformers builds one.

Each row is the smallest configuration that still does what its architecture is known for: windows of eight
tokens that a prompt of twenty-two outgrows, layers that alternate, grouped keys and values, baked-in alibi,
attention sinks, soft caps, mixtures of experts, a vision tower beside the text. Four layers everywhere.
"""

from __future__ import annotations

import functools

from transformers import PreTrainedModel

from tests.arch import lasting
from tests.arch.sizes import (
    EXPERTS,
    FINE_EXPERTS,
    GPT2,
    GROUPED,
    LATENT,
    MIXED,
    NAMED_EXPERTS,
    PLAIN,
    ROUTED_EXPERTS,
    SHARED_EXPERT,
    SIZES,
    VISION,
    VOCABULARY,
    WIDE,
    WINDOW,
    WINDOWED,
    rope,
)
from tests.arch.tiny import LAYERS, Tiny

_ROWS = (
    # learned positions, or none
    Tiny("gpt2", GPT2),
    Tiny("gpt_bigcode", GPT2),
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
    Tiny("opt", {**SIZES, "ffn_dim": 48, "word_embed_proj_dim": 16, "max_position_embeddings": 128}),
    Tiny("biogpt", PLAIN),
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
        {**SIZES, "alibi": True, "multi_query": False, "parallel_attn": False, "bias": True},
    ),
    Tiny(
        "mpt", {"d_model": 32, "n_heads": 4, "n_layers": LAYERS, "max_seq_len": 128, "vocab_size": VOCABULARY}
    ),
    # rotary positions
    Tiny("falcon", {**SIZES, "new_decoder_architecture": True, "num_kv_heads": 2}),
    Tiny("gptj", {**GPT2, "rotary_dim": 4}),
    Tiny("codegen", {**GPT2, "n_ctx": 128, "rotary_dim": 4}),
    Tiny("gpt_neox", PLAIN),
    Tiny("gpt_neox_japanese", {**PLAIN, "intermediate_multiple_size": 2}),
    Tiny("phi", PLAIN),
    Tiny("phi3", {**GROUPED, "original_max_position_embeddings": 128}),
    Tiny("persimmon", PLAIN),
    Tiny("stablelm", GROUPED),
    Tiny("llama", GROUPED),
    Tiny("llama:eager", GROUPED, attention="eager"),
    Tiny(
        "llama:rope-llama3",
        {
            **GROUPED,
            **rope(
                "llama3",
                factor=8.0,
                low_freq_factor=1.0,
                high_freq_factor=4.0,
                original_max_position_embeddings=64,
            ),
        },
    ),
    Tiny("qwen2", GROUPED),
    Tiny("qwen3", WIDE),
    Tiny("gemma", WIDE),
    Tiny("olmo", PLAIN),
    Tiny("olmo2", PLAIN),
    Tiny("cohere", {**GROUPED, "logit_scale": 0.25}),
    Tiny("glm", {**WIDE, "partial_rotary_factor": 0.5}),
    Tiny("glm4", {**WIDE, "partial_rotary_factor": 0.5}),
    Tiny(
        "granite",
        {
            **GROUPED,
            "logits_scaling": 3.0,
            "residual_multiplier": 0.3,
            "embedding_multiplier": 2.0,
            "attention_multiplier": 0.4,
        },
    ),
    Tiny("smollm3", GROUPED),
    Tiny("nemotron", GROUPED),
    Tiny("helium", {**GROUPED, "head_dim": 8}),
    Tiny("hunyuan_v1_dense", WIDE),
    Tiny("ernie4_5", WIDE),
    Tiny("seed_oss", WIDE),
    Tiny("apertus", GROUPED),
    Tiny("arcee", GROUPED),
    Tiny("nanochat", GROUPED),
    Tiny("doge", GROUPED),
    Tiny("youtu", {**PLAIN, **LATENT}),
    # windows and chunks shorter than the prompt
    Tiny("mistral", {**GROUPED, **WINDOWED}),
    Tiny("mistral:eager", {**GROUPED, **WINDOWED}, attention="eager"),
    Tiny("ministral", {**GROUPED, **WINDOWED, "head_dim": 8}),
    Tiny("phi3:window", {**GROUPED, **WINDOWED, "original_max_position_embeddings": 128}),
    Tiny("starcoder2", {**GROUPED, **WINDOWED}),
    Tiny("qwen2:window", {**GROUPED, **MIXED, "use_sliding_window": True}),
    Tiny("smollm3:window", {**GROUPED, **MIXED, "use_sliding_window": True}),
    Tiny(
        "gemma2",
        {
            **WIDE,
            **MIXED,
            "query_pre_attn_scalar": 16,
            "attn_logit_softcapping": 5.0,
            "final_logit_softcapping": 4.0,
        },
    ),
    Tiny("gemma3_text", {**WIDE, **MIXED, "query_pre_attn_scalar": 16}),
    Tiny("gemma3_text:eager", {**WIDE, **MIXED, "query_pre_attn_scalar": 16}, attention="eager"),
    Tiny(
        "gemma3",
        {"text_config": {**WIDE, **MIXED, "query_pre_attn_scalar": 16}, "vision_config": VISION},
    ),
    Tiny(
        "gemma4_text",
        {
            **GROUPED,
            **MIXED,
            "head_dim": 8,
            "global_head_dim": 16,  # in the layers without a window
            "vocab_size_per_layer_input": VOCABULARY,
            "hidden_size_per_layer_input": 8,
            "num_kv_shared_layers": 2,  # the last two layers attend to keys and values of the first two
        },
    ),
    Tiny("vaultgemma", {**WIDE, **MIXED}),
    Tiny("olmo3", {**GROUPED, **MIXED}),
    Tiny("cohere2", {**GROUPED, **MIXED, "logit_scale": 0.25}),
    Tiny("exaone4", {**GROUPED, **MIXED, "sliding_window_pattern": 2}),
    Tiny(
        "modernbert-decoder",
        {**PLAIN, "local_attention": 2 * WINDOW, "layer_types": MIXED["layer_types"]},
    ),
    Tiny(
        "llama4_text",
        {
            **WIDE,
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
    Tiny("gpt_oss", {**WIDE, **MIXED, **EXPERTS}),
    # mixtures of experts
    Tiny("mixtral", {**GROUPED, **EXPERTS, "sliding_window": None}),
    Tiny("phimoe", {**GROUPED, **EXPERTS}),
    Tiny("granitemoe", {**GROUPED, **EXPERTS}),
    Tiny("minimax_m2", {**WIDE, **EXPERTS}),
    Tiny("olmoe", {**PLAIN, **NAMED_EXPERTS}),
    Tiny("qwen2_moe", {**GROUPED, **SHARED_EXPERT}),
    Tiny("qwen3_moe", {**WIDE, **FINE_EXPERTS}),
    Tiny("deepseek_v2", {**PLAIN, **LATENT, **ROUTED_EXPERTS}),
    Tiny("deepseek_v3", {**PLAIN, **LATENT, **ROUTED_EXPERTS}),
    Tiny("dots1", {**GROUPED, **ROUTED_EXPERTS, "n_shared_experts": 1}),
    Tiny("glm4_moe", {**WIDE, **ROUTED_EXPERTS, "partial_rotary_factor": 0.5}),
    Tiny(
        "ernie4_5_moe",
        {
            **WIDE,
            "moe_num_experts": 4,
            "moe_k": 2,
            "moe_intermediate_size": 16,
            "moe_layer_start_index": 1,
        },
    ),
    *lasting.ROWS,
)

CONFIGURATIONS = {row.name: row for row in _ROWS}


@functools.cache
def built(name: str) -> PreTrainedModel:
    """The configuration's model, built once a test run; tests leave it as they found it."""
    return CONFIGURATIONS[name].build()
