"""The page without a browser: one cache folder for all tests, never the user's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner

MAIN = sys.modules["__main__"]


@pytest.fixture(scope="module", autouse=True)
def own_main() -> Iterator[None]:
    """Streamlit puts the page's script in the place of `__main__`, which a process started later with `spawn`
    would run again.
    """
    yield
    sys.modules["__main__"] = MAIN


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Results and models of these tests live in a folder that goes with them."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("CRUX_CACHE")
    os.environ["CRUX_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["CRUX_CACHE"]
    else:
        os.environ["CRUX_CACHE"] = before


@pytest.fixture(scope="session", autouse=True)
def packages_are_read_once() -> Iterator[None]:
    """Each page under test is a server of its own to Streamlit, and every server reads what all packages say
    of themselves: a fifth of a second of each test.
    """
    once = cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(manifest_scanner, "scan_component_manifests", once)
        yield
