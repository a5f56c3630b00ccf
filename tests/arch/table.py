"""`python -m tests.arch.table`: what may be done to each architecture, found on its tiny twin.

Writes docs/architectures.md; the same findings as `crux models check` gives for a model that is loaded.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import transformers

from probes.engine.anatomy import Anatomy
from probes.engine.edits import Replace
from probes.engine.execute import Engine
from probes.engine.jobs import Job
from probes.errors import CapabilityError
from tests.arch.configs import CONFIGURATIONS, Tiny

PLACE = Path(__file__).parent.parent.parent / "docs" / "architectures.md"
HEAD = """# Architectures

What the self-check found on a tiny random model of each configuration (`python -m tests.arch.table`,
transformers {version}). `crux models check` examines the weights you load in the same way. *Tree*: prompts
share their beginnings and changed runs begin half way; *full depth*: they share, but every changed run goes
through all layers; *batches*: nothing is shared (recurrent layers, or frequencies that depend on the length).
The numbers are exact in all of them. What cannot be done is refused with its reason, never shown as 0; direct
effects are n/a where something behind a part reacts to what it writes (a gate, a dense layer after the final
norm, norms on the residual stream itself).

| configuration | layers with heads | runs as | hide words | in one head | heads | direct effects | weights |
|---|---|---|---|---|---|---|---|
"""


def main() -> None:
    """Examine every configuration and write the table."""
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    rows = [_row(name, tiny) for name, tiny in CONFIGURATIONS.items()]
    PLACE.write_text(HEAD.format(version=transformers.__version__) + "\n".join(rows) + "\n", encoding="utf-8")


def _row(name: str, tiny: Tiny) -> str:
    engine = Engine(tiny.build())
    anatomy = engine.anatomy
    cells = [name, f"{len(anatomy.attention_layers)} of {len(anatomy.layers)}", _way(anatomy)]
    cells += [_mark(anatomy, capability) for capability in ("hide", "hide_by_head", "heads")]
    return f"| {' | '.join([*cells, _direct(engine), _attention(engine)])} |"


def _way(anatomy: Anatomy) -> str:
    if not anatomy.can("share_prefixes"):
        return "batches"
    way = "tree" if anatomy.can("restart") else "full depth"
    return way if anatomy.length_limit is None else f"{way} up to {anatomy.length_limit} tokens, then batches"


def _mark(anatomy: Anatomy, capability: str) -> str:
    reason = anatomy.why_not(capability)
    return "yes" if reason is None else f"no ({reason.key})"


def _direct(engine: Engine) -> str:
    layers = engine.anatomy.attention_layers
    if not layers:
        return "no"
    job = Job(tuple(range(3, 15)), ((11,), (40,)))
    try:
        found = engine.direct_effects(job, [Replace(layers[0].index, "head", 0)], 11, 40)
    except CapabilityError as fault:
        return f"no ({fault.key})"
    return "no" if found is None else "yes"


def _attention(engine: Engine) -> str:
    try:
        engine.attention(range(3, 15))
    except CapabilityError as fault:
        return f"no ({fault.key})"
    return "yes"


if __name__ == "__main__":
    main()
