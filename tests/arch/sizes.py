"""What tiny decoders are made of: sizes, windows, experts, positions, each as settings of transformers."""

from __future__ import annotations

from typing import Any

from tests.arch.tiny import LAYERS

VOCABULARY = 128
WINDOW = 8

SIZES = {"hidden_size": 32, "num_hidden_layers": LAYERS, "num_attention_heads": 4, "vocab_size": VOCABULARY}
PLAIN = {**SIZES, "intermediate_size": 48, "max_position_embeddings": 128}
GROUPED = {**PLAIN, "num_key_value_heads": 2}
WIDE = {**GROUPED, "head_dim": 16}  # heads that together are wider than the residual stream
GPT2 = {"n_embd": 32, "n_layer": LAYERS, "n_head": 4, "n_positions": 128, "vocab_size": VOCABULARY}

WINDOWED = {"sliding_window": WINDOW}
MIXED = {**WINDOWED, "layer_types": ["sliding_attention", "full_attention"] * 2}
LINEAR = {"layer_types": ["linear_attention", "full_attention"] * 2}
DELTA_NET = {
    **LINEAR,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}

EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
NAMED_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2}
FINE_EXPERTS = {**NAMED_EXPERTS, "moe_intermediate_size": 16}
SHARED_EXPERT = {**FINE_EXPERTS, "shared_expert_intermediate_size": 16}
ROUTED_EXPERTS = {
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
}
LATENT = {
    "num_key_value_heads": 4,
    "kv_lora_rank": 16,
    "q_lora_rank": 16,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 12,
}
VISION = {**SIZES, "intermediate_size": 48, "image_size": 28, "patch_size": 14}
del VISION["vocab_size"]


def rope(kind: str, **settings: Any) -> dict[str, Any]:
    """Rotary positions of this kind."""
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 1e4, **settings}}
