"""Where answers come from: models on this machine, and from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from probes.models.local import Way


def load_model(
    spec: str = "builtin",
    *,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    engine: Way = "auto",
    paths: bool = True,
    weights: str | None = None,
    hub: str = "",
) -> Any:
    """Load a model: a `LocalModel`, or whatever answers from elsewhere (an `AnswerModel`).

    Args:
        spec: "builtin", a catalogue name ("smollm2"), an existing folder or .gguf file, a Hugging Face id; or
            `kind:name` for one of `probes.models.kinds`, to which the other arguments say nothing.
        revision: commit, tag or branch of a hub model.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        dtype: "auto" (float32 on a CPU), "float32", "bfloat16", "float16".
        engine: "auto" (fast and exact), "reference" (the plain loop), "batches".
        paths: whether `spec` may name a folder or file; a page for strangers says no.
        weights: sha256 that the model's weights must have, or it is not opened; see
            `probes.models.pinned.weights_hash`.
        hub: where a model of a hub is asked for: "huggingface", "hf-mirror", "modelscope", or "own" for
            `HF_ENDPOINT`; "" asks `HF_ENDPOINT` where it is set, else Hugging Face.

    Raises:
        InputError: a name is no valid Unicode, or there is no such hub.
        ModelError: it cannot be had or may not be loaded, with the reason.
        LimitError: it does not fit into memory, with both numbers.
    """
    from probes.models.kinds import kind_of, open_elsewhere
    from probes.models.loading import load
    from probes.models.local import LocalModel
    from probes.models.source import resolve
    from probes.text.characters import check_unicode

    check_unicode({"model": spec, "revision": revision, "device": device, "dtype": dtype, "hub": hub}.items())
    if kind_of(spec):
        return open_elsewhere(spec)
    source = resolve(spec, revision, paths=paths, hub=hub)
    return LocalModel(load(source, device=device, dtype=dtype, weights=weights), how=engine)
