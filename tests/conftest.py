"""What all tests share: one thread each, and the two things a machine may lack, Chromium and SmolLM2."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Before torch is imported: several test processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import hypothesis
import pytest

from probes.models.fetch import smollm2_folder

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

# Looked for before any test moves the cache folder.
NAMED = os.environ.get("CRUX_TEST_SMOLLM2")
SMOLLM2 = Path(NAMED) if NAMED else smollm2_folder()
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
"""Of Chromium, without a screen and without the network."""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


SLOW = ("arch", "browser", "real", "training", "generator", "models", "dashboard", "hosting", "engine")
"""Folders whose tests are marked slow, those in `QUICK` apart."""
QUICK = (
    *("test_hooks", "test_jobs", "test_tree", "test_chunks"),
    *("test_state", "test_texts", "test_plain", "test_filenames", "test_gate", "test_charts", "test_weights"),
    *("test_offsets", "test_seam", "test_source", "test_spacing", "test_convention", "test_asked"),
    *("test_door", "test_settings", "test_packed"),
)
SLOW_MODULES = (
    *("test_records", "test_inside_records", "test_two_at_once", "test_passage_any", "test_over"),
    *("test_outputs", "test_references", "test_precision", "test_study_contract", "test_contributing"),
    *(
        "test_cli",
        "test_intervals",
        "test_shared_tokens",
        "test_docs",
        "test_pictures",
        "test_report",
        "test_hostile_files",
    ),
)


def _slow(item: pytest.Item) -> bool:
    """Whether a test is left out of `make quick`: by its folder, or its module."""
    folder, module = item.path.parent.name, item.path.stem
    return module in SLOW_MODULES or (folder in SLOW and module not in QUICK)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _slow(item):
            item.add_marker(pytest.mark.slow)
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
def browser(chromium: str) -> Iterator[Any]:
    """One for all tests of a process: Playwright is not started twice beside itself."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=chromium, args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The folder of SmolLM2-135M-Instruct: fetched, or named by CRUX_TEST_SMOLLM2."""
    if SMOLLM2 is None:
        pytest.skip("SmolLM2 was not fetched (crux models fetch smollm2)")
    return SMOLLM2
