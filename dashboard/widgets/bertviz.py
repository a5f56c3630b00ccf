"""BertViz close-ups of attention that draw with no network, obey no script in a word, and stay small.

BertViz's own drawing code is used, read from its package. Around it: its two libraries are vendored instead
of fetched from a CDN; the words travel as data that no browser runs, and the page's policy names each script
by its hash; weights travel as bytes up to the diagonal, as fine as a line's opacity can show; and lines too
faint to be seen are not made, which is most of the work of drawing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dashboard.wording import TEXTS

_HERE = Path(__file__).resolve().parent
VENDOR = _HERE.parent / "static" / "vendor"
LIBRARIES = ("d3-5.16.0.min.js", "jquery-3.7.1.slim.min.js")
MOST_WEIGHTS = 3_300_000
"""Bytes of weights in one frame; with four thirds of them as text it stays under 5 MB."""
TOKEN_LAYERS = 4
"""Layers that are shown token by token; more are shown word by word."""
LABEL_COLUMNS = 12
"""Of a word, a Chinese character being two wide; BertViz leaves 110 and 80 pixels."""
FAINT = 3 / 255
"""Weights under this are not drawn."""
LEAST_HEADS = 20
"""The model view makes cells as wide as a model of that many heads would have them, or they are huge."""
HEAD_ROW, MODEL_ROW, FRAME = 22.5, 84, 110
"""Pixels of a word in the head view, of a word and head in the model view, of what stands around."""

View = Literal["head", "model"]

_MARKER = (
    "PYTHON_PARAMS; // HACK: PYTHON_PARAMS is a template marker that is replaced by actual params.",
    "window.attention;",
)
_LINES = ('.append("line")', ".select(window.visible)")


class TooLarge(ValueError):
    """More weights than a page can show; `size` bytes of them."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes of weights, and a frame holds {MOST_WEIGHTS}")
        self.size = size


@dataclass(frozen=True)
class Words:
    """What the drawing code says by itself."""

    layer: str
    layers: str
    heads: str
    head: str

    @classmethod
    def in_language(cls, lang: str) -> Words:
        return cls(*(TEXTS.say(f"closeup.word_{name}", lang) for name in cls.__dataclass_fields__))


def attention_frame(
    weights: Sequence[np.ndarray],
    labels: Sequence[str],
    *,
    layers: Sequence[int],
    heads: Sequence[int],
    words: Words,
    view: View = "head",
    lit: Sequence[int] | None = None,
    dark: bool = False,
    lang: str = "en",
) -> str:
    """A page that stands alone: "head" shows one layer at a time, "model" a grid of layers and heads.

    Args:
        weights: of each of `layers`, [heads, n, n]: how much each of n words reads each other.
        lit: heads whose lines the head view shows at first; None for all.
        labels: the n words, shown as text whatever they hold.
        layers, heads: the numbers that those shown have in the model.

    Raises:
        TooLarge: more weights than a page can show.
    """
    size = frame_size(len(layers), len(heads), len(labels))
    if size > MOST_WEIGHTS:
        raise TooLarge(size)
    whole = any(np.triu(layer, 1).any() for layer in weights)
    data = {
        "include_layers": list(layers),
        "include_heads": list(heads),
        "heads_sent": list(heads),
        "total_heads": max(len(heads), LEAST_HEADS),
        "labels": [_label(label) for label in labels],
        "bytes": base64.b64encode(_bytes(weights, whole=whole)).decode(),
        "whole": whole,
        "faint": FAINT,
        "layer": None,
        "heads": None if lit is None else [n for n, head in enumerate(heads) if head in lit] or None,
        "default_filter": "0",
        "display_mode": "dark" if dark else "light",
        "root_div_id": "bertviz",
    }
    return _page(view, words, dark=dark, lang=lang).replace("WEIGHTS", _inert(data), 1)


def frame_size(layers: int, heads: int, labels: int) -> int:
    """Bytes of weights that a frame of causal attention holds."""
    return layers * heads * labels * (labels + 1) // 2


def frame_height(view: View, labels: int, layers: int, heads: int) -> int:
    """Pixels that the drawing needs."""
    if view == "head":
        return round(labels * HEAD_ROW) + FRAME
    grid = layers * (labels * MODEL_ROW / max(heads, LEAST_HEADS) + 10)
    return round(max(grid, labels * 18 + 55)) + FRAME


def _bytes(weights: Sequence[np.ndarray], *, whole: bool) -> bytes:
    rows, columns = np.tril_indices(weights[0].shape[-1])
    parts = []
    for layer in weights:
        eighth = np.rint(np.clip(layer, 0, 1) * 255).astype(np.uint8)
        parts.append(eighth.tobytes() if whole else eighth[:, rows, columns].tobytes())
    return b"".join(parts)


def _label(text: str) -> str:
    text = " ".join(text.split()) or "␣"
    widths = [2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text]
    if sum(widths) <= LABEL_COLUMNS:
        return text
    room = [sum(widths[: n + 1]) < LABEL_COLUMNS for n in range(len(text))]
    return text[: sum(room)] + "…"


def _inert(data: Any) -> str:
    """JSON that can stand in a script element: no `<`, so nothing in it ends that element."""
    return json.dumps(data).replace("<", "\\u003c")


@lru_cache(maxsize=8)
def _page(view: View, words: Words, *, dark: bool, lang: str) -> str:
    """All but the weights; every script is the same for all passages, so that its hash can be named."""
    scripts = _scripts(view, words)
    policy = " ".join(map(_hash, scripts))
    before, drawing = "".join(f"<script>{s}</script>\n" for s in scripts[:3]), scripts[3]
    style = _HERE.joinpath("bertviz.css").read_text(encoding="utf-8")
    choice = f'<label>{words.layer} <select id="layer"></select></label>'
    choice += '<div id="numbers" aria-hidden="true"></div>'
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        f"content=\"default-src 'none'; style-src 'unsafe-inline'; script-src {policy}\">"
        f'<style>{style}</style></head><body class="{"dark" if dark else ""}">'
        f'<div id="bertviz">{choice if view == "head" else ""}<div id="vis"></div></div>'
        f'<script type="application/json" id="weights">WEIGHTS</script>\n'
        f"{before}<script>{drawing}</script></body></html>"
    )


def script_hashes(words: Words) -> set[str]:
    """Of all scripts that frames with these words have, as a policy names them: the page around a frame must
    let them run, too.
    """
    views: tuple[View, ...] = ("head", "model")
    return {_hash(script) for view in views for script in _scripts(view, words)}


def _scripts(view: View, words: Words) -> list[str]:
    """In their order: the libraries, ours, the drawing."""
    ours = _HERE.joinpath("bertviz.js").read_text(encoding="utf-8")
    return [*map(_library, LIBRARIES), ours, _drawing(view, words)]


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


@lru_cache
def _library(name: str) -> str:
    return (VENDOR / name).read_text(encoding="utf-8")


def _drawing(view: View, words: Words) -> str:
    """BertViz's code for one view, reading our weights and speaking the visitor's language.

    Raises:
        RuntimeError: it is not the code of the version that this was written for.
    """
    source = files("bertviz").joinpath(f"{view}_view.js").read_text(encoding="utf-8")
    changes = [(*_MARKER, 1), (*_LINES, 1 if view == "head" else 2)]
    if view == "model":
        said = {'"Heads"': words.heads, '"Layers"': words.layers, "'Layer '": f"{words.layer} "}
        changes += [(old, json.dumps(new, ensure_ascii=False), 1) for old, new in said.items()]
        changes.append(('", Head "', json.dumps(f", {words.head} ", ensure_ascii=False), 1))
    for old, new, times in changes:
        if source.count(old) != times:
            raise RuntimeError(f"BertViz's {view}_view.js has {old!r} {source.count(old)} times, not {times}")
        source = source.replace(old, new)
    return source
