"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

from probes.models.remembered import processor


def machine() -> dict[str, str | int]:
    """Processor and the libraries that do the arithmetic."""
    return {
        "processor": processor(),
        "cores": os.cpu_count() or 0,
        "system": platform.system(),
        "python": platform.python_version(),
        **{library: version(library) for library in ("torch", "transformers", "tokenizers")},
    }
