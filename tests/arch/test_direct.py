"""Direct effects against their definition, on every tiny architecture that has heads."""

from __future__ import annotations

import pytest
import torch

from probes.engine.edits import Replace
from probes.engine.jobs import Job
from tests import inside_oracle
from tests.arch.cases import CLEAN
from tests.arch.configs import CONFIGURATIONS, LAYERS
from tests.arch.inside_cases import EDITABLE, attending, engine_of, fresh, sites
from tests.direct_oracle import direct_effects

TOKENS = (11, 40)
JOB = Job(CLEAN, tuple((token,) for token in TOKENS))
NOT_HELD = {
    *("gemma4_text", "gemma3n_text"),  # a gate behind the parts reacts to what they write
    "modernbert-decoder",  # a dense layer and its activation stand before the output embedding
    "minimax",  # norms stand on the residual stream itself
}


@pytest.mark.parametrize("name", [name for name in EDITABLE if CONFIGURATIONS[name].attends])
def test_a_write_alone_moves_the_logits_by_what_its_definition_says(name):
    tiny = CONFIGURATIONS[name]
    model, engine, layers = fresh(tiny), engine_of(name), attending(name)
    width = inside_oracle.width(model, "head", layers[0])
    edits, changes = [], []
    with torch.no_grad():
        for layer in {layers[0], layers[-1]}:
            values = inside_oracle.values(model, CLEAN, [("head", layer)])["head", layer][-1]
            projection = inside_oracle._module(model, "head", layer)
            for head in (0, 1):
                less = torch.zeros_like(values)
                less[head * width : (head + 1) * width] = -values[head * width : (head + 1) * width]
                bias = getattr(projection, "bias", None)
                change = projection(less[None])[0] - (0 if bias is None else bias)
                edits.append(Replace(layer, "head", head))
                changes.append(("attention", layer, change))
        for layer in (0, LAYERS - 1):
            if ("mlp", layer) in sites(name):
                value = torch.linspace(-0.5, 0.5, inside_oracle.width(model, "mlp", layer))
                old = inside_oracle.values(model, CLEAN, [("mlp", layer)])["mlp", layer][-1]
                edits.append(Replace(layer, "mlp", value=value))
                changes.append(("mlp", layer, value - old))
    found = engine.direct_effects(JOB, edits, *TOKENS)
    if name in NOT_HELD:
        assert found is None
        return
    assert found is not None
    assert found == pytest.approx(direct_effects(model, CLEAN, changes, TOKENS), rel=2e-3, abs=2e-4)
