"""BertViz's frames: nothing from a network, nothing that a word could run, and small."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import numpy as np
import pytest

from dashboard.widgets.bertviz import (
    VENDOR,
    TooLarge,
    View,
    Words,
    attention_frame,
    frame_height,
    frame_size,
)

WORDS = Words("Layer", "Layers", "Heads", "head")
HOSTILE = ["</script><script>document.title='PWNED'</script>", "; // HACK: {", "WEIGHTS", "<!--", "昨天", ""]


def causal(layers: int, heads: int, n: int) -> list[np.ndarray]:
    """Random attention that reads nothing ahead."""
    rng = np.random.default_rng(0)
    raw = np.tril(rng.random((layers, heads, n, n)) ** 8)
    return list((raw / raw.sum(-1, keepdims=True)).astype(np.float32))


def frame(weights: list[np.ndarray], labels: list[str], view: View = "head", **more: Any) -> str:
    layers, heads = range(len(weights)), range(len(weights[0]))
    return attention_frame(
        weights, labels, **{"layers": layers, "heads": heads, "words": WORDS, "view": view, **more}
    )


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="weights">(.*?)</script>', page, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


@pytest.mark.parametrize("view", ["head", "model"])
def test_nothing_is_loaded_from_a_network(view: View) -> None:
    page = frame(causal(2, 3, 5), list("abcde"), view)
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", page)
    assert "default-src 'none'" in page


@pytest.mark.parametrize("view", ["head", "model"])
def test_only_the_scripts_named_by_the_policy_run(view: View) -> None:
    page = frame(causal(1, 2, len(HOSTILE)), HOSTILE, view)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = {base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts}
    assert len(scripts) == 4
    assert set(re.findall(r"'sha256-([^']+)'", page)) == hashes
    assert "script-src 'sha256" in page
    assert "script-src 'unsafe-inline'" not in page


def test_a_word_is_text_whatever_it_holds() -> None:
    page = frame(causal(1, 2, len(HOSTILE)), HOSTILE)
    assert page.count("</script>") == 5
    shown = data_of(page)["labels"]
    assert shown == ["</script><s…", "; // HACK: {", "WEIGHTS", "<!--", "昨天", "␣"]


def test_long_words_are_cut_to_the_room_there_is() -> None:
    labels = ["abcdefghijkl", "abcdefghijklm", "在一个繁忙的", "在一个繁忙的早晨", "a\n\nb"]
    shown = data_of(frame(causal(1, 1, 5), labels))["labels"]
    assert shown == ["abcdefghijkl", "abcdefghijk…", "在一个繁忙的", "在一个繁忙…", "a b"]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_weights_arrive_as_fine_as_they_are_drawn(bidirectional: bool) -> None:
    weights = causal(2, 3, 6)
    if bidirectional:
        weights = [layer[..., ::-1] for layer in weights]
    data = data_of(frame(weights, list("abcdef"), "model", layers=[2, 7], heads=[0, 4, 5]))
    assert (data["include_layers"], data["include_heads"]) == ([2, 7], [0, 4, 5])
    sent = np.frombuffer(base64.b64decode(data["bytes"]), np.uint8) / 255
    assert data["whole"] is bidirectional
    lower = np.tril_indices(6)
    expected = np.stack(weights) if bidirectional else np.stack([layer[:, *lower] for layer in weights])
    assert np.abs(sent.reshape(expected.shape) - expected).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(("layers", "heads", "most"), [(1, 14, 1.5e6), (1, 32, 1.5e6), (4, 32, 5e6)])
@pytest.mark.parametrize("view", ["head", "model"])
def test_frames_are_small(layers: int, heads: int, most: float, view: View) -> None:
    page = frame(causal(layers, heads, 200), ["咖啡店"] * 200, view)
    assert len(page.encode()) < most


def test_too_much_is_refused_with_both_numbers() -> None:
    assert frame_size(24, 14, 300) == 24 * 14 * 300 * 301 // 2
    with pytest.raises(TooLarge, match="3300000") as refused:
        frame([np.zeros((64, 1, 1), np.float32)] * 2, ["x"] * 1000, layers=[0, 1], heads=range(64))
    assert refused.value.size == 64_064_000


@pytest.mark.parametrize("lang_words", [WORDS, Words("层", "层", "头", "头")])
@pytest.mark.parametrize("view", ["head", "model"])
@pytest.mark.parametrize("dark", [False, True])
def test_it_speaks_the_visitors_language_in_both_themes(view: View, dark: bool, lang_words: Words) -> None:
    page = frame(causal(1, 2, 3), list("abc"), view, words=lang_words, dark=dark, lang="zh")
    assert (">" + lang_words.layer + " <select" in page) is (view == "head")
    assert ('"' + lang_words.heads + '"' in page) is (view == "model")
    assert ('<body class="dark">' in page) is dark
    assert data_of(page)["display_mode"] == ("dark" if dark else "light")


def test_the_frame_is_as_high_as_what_is_drawn() -> None:
    assert frame_height("head", 60, 1, 4) > 60 * 22
    assert frame_height("model", 60, 8, 4) > 8 * 60 * 4
    assert frame_height("model", 60, 4, 40) > 60 * 18


def test_the_vendored_files_are_those_of_the_packages() -> None:
    said = (VENDOR / "README.md").read_text(encoding="utf-8")
    scripts = sorted(VENDOR.glob("*.js"))
    assert len(scripts) == 2
    for path in scripts:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in said
        assert (VENDOR / f"{path.name.partition('-')[0]}-LICENSE.txt").is_file()
