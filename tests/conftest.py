"""What all tests share: one thread each, and the two things a machine may lack, Chromium and SmolLM2."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

# Before torch is imported: several test processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest

from probes.models.fetch import smollm2_folder

# Looked for before any test moves the cache folder.
NAMED = os.environ.get("CRUX_TEST_SMOLLM2")
SMOLLM2 = Path(NAMED) if NAMED else smollm2_folder()
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is None:
        skip = pytest.mark.skip(reason="no Chromium on this machine")
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or leaves anything in the cache folder of whoever runs it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CRUX_CACHE", str(tmp_path_factory.mktemp("crux-cache")))
        yield


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium to hand to Playwright as `executable_path`."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    return CHROMIUM


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The folder of SmolLM2-135M-Instruct: fetched, or named by CRUX_TEST_SMOLLM2."""
    if SMOLLM2 is None:
        pytest.skip("SmolLM2 was not fetched (crux models fetch smollm2)")
    return SMOLLM2
