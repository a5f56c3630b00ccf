"""Tiny decoders that carry more from token to token than keys and values, or whose positions hang on the
prompt's length: those that a prefix tree does not serve, or not at every length.
"""

from __future__ import annotations

from tests.arch.sizes import DELTA_NET, EXPERTS, GROUPED, LINEAR, SHARED_EXPERT, VOCABULARY, WIDE, rope
from tests.arch.tiny import LAYERS, Tiny

ROWS = (
    # positions that depend on the length once it outgrows a limit: nothing to share beyond it
    Tiny("llama:rope-dynamic", {**GROUPED, **rope("dynamic", factor=2.0)}, stateful=True),
    Tiny(
        "llama:rope-dynamic-outgrown",
        {**GROUPED, **rope("dynamic", factor=2.0), "max_position_embeddings": 16},
        how="batches",
        stateful=True,
    ),
    Tiny(
        "phi3:longrope",
        {
            **GROUPED,
            **rope(
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
    Tiny("qwen3_next", {**WIDE, **DELTA_NET, **SHARED_EXPERT, "decoder_sparse_step": 1}, "batches", 2),
    Tiny("qwen3_5_text", {**WIDE, **DELTA_NET}, "batches", 2),
    Tiny(
        "lfm2",
        {
            **GROUPED,
            "layer_types": ["conv", "full_attention"] * 2,
            "block_multiple_of": 8,
            "block_ff_dim": 48,
        },
        "batches",
        2,
    ),
    Tiny("minimax", {**GROUPED, **LINEAR, **EXPERTS}, "batches", 2),
    Tiny(
        "bamba",
        {
            **GROUPED,
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
            **GROUPED,
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
            **GROUPED,
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
