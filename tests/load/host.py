"""The server under load, as docs/hosting.md has it: a file of settings, one process; and what it takes."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from probes.models.fetch import SMOLLM2_FOLDER
from tests.browser.conftest import served

TOKEN = "a-token-for-the-load-only"
SETTINGS = "hosted = true\n[models.builtin]\n"


@dataclass(frozen=True)
class Host:
    url: str
    process: psutil.Process
    log: Path

    def megabytes(self) -> float:
        return float(self.process.memory_info().rss) / 1e6

    def seconds(self) -> float:
        """Of processor, so far."""
        spent = self.process.cpu_times()
        return float(spent.user + spent.system)

    def counts(self) -> dict[str, float]:
        """What the operator's page counts."""
        asked = urllib.request.Request(
            f"{self.url}operator/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            lines = answer.read().decode().splitlines()
        return {
            name: float(value)
            for name, value in (re.split(r" (?=\S+$)", line) for line in lines if line[0] != "#")
        }

    def faults(self) -> list[str]:
        """Lines of its log that tell of something unforeseen."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if "Error" in line or "Traceback" in line]


@contextmanager
def hosted(folder: Path, smollm2: Path | None = None, **environment: str) -> Iterator[Host]:
    """A page for strangers with a cache in `folder`; SmolLM2 where it was fetched, and is named."""
    settings = folder / "host.toml"
    settings.write_text(SETTINGS + ("[models.smollm2]\n" if smollm2 else ""), encoding="utf-8")
    if smollm2:
        (folder / "models").mkdir()
        (folder / "models" / SMOLLM2_FOLDER).symlink_to(smollm2)
    given = {"CRUX_SETTINGS": str(settings), "CRUX_OPERATOR_TOKEN": TOKEN, **environment}
    with served(folder, health="healthz", **given) as (url, process):
        yield Host(url, psutil.Process(process), folder / "server.txt")
