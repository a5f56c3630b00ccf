"""What examining a model gave, remembered on disk: the same model on the same machine is examined once."""

from __future__ import annotations

import hashlib
import json
import platform
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from probes.engine.findings import Findings
from probes.models.hashing import write_whole
from probes.record.store import cache_folder

if TYPE_CHECKING:
    from probes.models.loading import Loaded

ENGINE = Path(__file__).parent.parent / "engine"


def recall(loaded: Loaded) -> Findings | None:
    """What was found for this very model before; None where nothing was, or the note cannot be read."""
    try:
        return Findings.from_dict(json.loads(_note(loaded).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def keep(loaded: Loaded, findings: Findings) -> None:
    """Remember it, if it is the model's own. A cache that cannot be written costs time, nothing else."""
    if not findings.lasting:
        return
    with suppress(OSError):
        write_whole(_note(loaded), json.dumps(findings.as_dict()))


def _note(loaded: Loaded) -> Path:
    """Named by all that decides what is found: the model, the libraries, this engine's code, the machine."""
    import torch

    code = hashlib.sha256()
    for path in sorted(ENGINE.glob("*.py")):
        code.update(path.read_bytes())
    device = torch.device(loaded.device.partition("+")[0])
    state = [
        loaded.fingerprint,
        loaded.dtype,
        loaded.device,
        loaded.attention,
        code.hexdigest(),
        *(version(library) for library in ("torch", "transformers")),
        torch.cuda.get_device_name(device) if device.type == "cuda" else processor(),
        torch.get_num_threads(),
    ]
    name = hashlib.sha256(json.dumps(state).encode()).hexdigest()[:32]
    return cache_folder() / "findings" / f"{name}.json"


def processor() -> str:
    """This machine's processor by name."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
