"""What a model has no part for is refused before anything runs."""

from __future__ import annotations

from collections.abc import Sequence

from probes.engine.anatomy import Anatomy
from probes.engine.edits import Edit, Knockout, Replace
from probes.engine.jobs import Job
from probes.engine.lines import Line
from probes.errors import CapabilityError

_NEEDS = {"head": "heads", "attention": "heads", "mlp": "blocks", "block": "states"}
"""What a model must be able to do for each site."""


def refuse(anatomy: Anatomy, edit: Edit) -> None:
    """Refuse what this model has no part for.

    Raises:
        CapabilityError: with the reason found at load, or the layer or head that is not there.
    """
    if isinstance(edit, Knockout):
        for need in ("hide", *(["hide_by_head"] if edit.heads is not None else [])):
            refuse_lacking(anatomy, need)
        return
    refuse_lacking(anatomy, _NEEDS[edit.site])
    if not 0 <= edit.layer < len(anatomy.layers):
        raise CapabilityError("layer_unknown", layer=edit.layer, last=len(anatomy.layers) - 1)
    layer = anatomy.layers[edit.layer]
    if edit.site in ("head", "attention") and layer.heads is None:
        raise CapabilityError("layer_without_heads", layer=edit.layer)
    if edit.site == "mlp" and layer.feed_forward is None:
        raise CapabilityError("layer_without_mlp", layer=edit.layer)
    if edit.head is not None and not 0 <= edit.head < (layer.heads or 0):
        raise CapabilityError("head_unknown", layer=edit.layer, head=edit.head, last=(layer.heads or 1) - 1)


def refuse_lacking(anatomy: Anatomy, need: str) -> None:
    """Raises CapabilityError with the reason where the model cannot do what is needed."""
    reason = anatomy.why_not(need)
    if reason is not None:
        raise CapabilityError(reason.key, **reason.values)


def check_jobs(anatomy: Anatomy, jobs: Sequence[Job]) -> None:
    """Refuse at once what cannot be done, before anything runs.

    Raises:
        CapabilityError: see `refuse`; a job hides positions and no attention can be masked.
        ValueError: a node outside the line.
    """
    seen: set[tuple[object, ...]] = set()
    if any(job.hidden for job in jobs):
        refuse_lacking(anatomy, "hide")
    for job in jobs:
        nodes = len(Line.of(job)) if job.edits else 0
        for edit in job.edits:
            if isinstance(edit, Replace):
                key: tuple[object, ...] = (edit.layer, edit.site, edit.head)
                _check_nodes(edit.positions or (), nodes)
            else:
                key = ("cut", edit.heads is None)
                _check_nodes((*edit.queries, *edit.keys), nodes)
            if key not in seen:
                refuse(anatomy, edit)
                seen.add(key)


def _check_nodes(positions: Sequence[int], nodes: int) -> None:
    outside = [node for node in positions if not 0 <= node < nodes]
    if outside:
        raise ValueError(f"nodes {outside[:5]} are outside the line of {nodes}")
