"""A virtual environment for each library, made when first needed, under the cache folder.

What is in it is pinned in `envs/<name>.txt`; it is made anew when that file changes. A library that cannot be
installed is reported with pip's reason.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from probes.record.store import cache_folder

PINS = Path(__file__).parent / "envs"
_REASON_LINES = 3


class CannotInstall(Exception):
    """Why a library is not there."""


def interpreter(name: str) -> Path:
    """The Python of the environment `name`; "" is this one.

    Raises:
        CannotInstall: pip could not, with the last lines of what it said.
    """
    if not name:
        return Path(sys.executable)
    pins = PINS / f"{name}.txt"
    folder = cache_folder() / "bench" / name
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    made_of = folder / "made-of.txt"
    wanted = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()
    if made_of.is_file() and made_of.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--prefer-binary",
        "--quiet",
        "--no-input",
        "-r",
        str(pins),
    ]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotInstall(reason(done.stderr))
    made_of.write_text(wanted)
    return python


def pinned(name: str) -> str | None:
    """The library's version in its environment; None for this project's own."""
    if not name:
        return None
    lines = (PINS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    found = dict(line.split("==") for line in lines if "==" in line)
    versions = {library.replace("_", "-").lower(): version for library, version in found.items()}
    return versions[name]


def reason(said: str) -> str:
    """The last lines that say what went wrong, without addresses of any registry."""
    lines = [re.sub(r"\S+://\S+", "…", line).strip() for line in said.splitlines()]
    errors = [line for line in lines if line.startswith("ERROR")] or [line for line in lines if line]
    return " ".join(errors[-_REASON_LINES:])[:400]
