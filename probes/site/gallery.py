"""Records as a gallery: an index, a page for each passage or file, the records beside them as JSON.

A function of the records alone: the same records give the same bytes. Pages are the report's, with its
policy; the libraries that draw are written once, and each page names them by a nonce made of its own content,
which nobody who wrote a text in it could know.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probes import __version__
from probes.errors import ModelError
from probes.report import embedding, facts
from probes.report.page import Both, Given, both, rendered, section
from probes.running.headline import headline
from probes.text.characters import visible

LIBRARY = "vega.js"
INDEX = "index"
FINDING = "words"
"""The study whose sentence stands for a page in the index, where it is among its records."""


@dataclass(frozen=True)
class Leaf:
    """A page of the gallery.

    Attributes:
        name: of its file, without the ending: small letters, digits and hyphens.
        about: what it is about; None where there is nothing to say.
        given: its records, with the names of the files they came in.
        kind: what it shows: a passage that comes with Crux, the lecture's claims, or a file of records.
    """

    name: str
    title: Both
    about: Both | None
    given: Sequence[Given]
    kind: str


def gallery(leaves: Sequence[Leaf], lang: str) -> dict[str, bytes]:
    """The files of a gallery by their names, with "/" between folders.

    Args:
        lang: the language that pages open in where a browser prefers neither.

    Raises:
        InputError: a record lacks what its study tells it from.
        ModelError: the libraries that draw charts are not installed.
    """
    try:
        files = {LIBRARY: embedding.bundle().encode()}
    except ImportError as fault:
        raise ModelError("page_missing") from fault
    files[f"{INDEX}.html"] = _index(leaves, lang)
    for place, leaf in enumerate(leaves):
        names = [_record_file(leaf, number) for number in range(1, len(leaf.given) + 1)]
        around = {"before": leaves[place - 1] if place else None, "after": (*leaves, None)[place + 1]}
        files[f"{leaf.name}.html"] = _page(leaf, names, around, lang)
        # Half a character, which only a stranger's record has, stays the escape that JSON has for it.
        for name, one in zip(names, leaf.given, strict=True):
            files[name] = one.result.to_json().encode("utf-8", "backslashreplace")
    return files


def _record_file(leaf: Leaf, number: int) -> str:
    study = re.sub("[^a-z0-9]+", "-", leaf.given[number - 1].result.study.lower()).strip("-")
    return f"records/{leaf.name}/{number}-{study[:40].strip('-') or 'record'}.json"


def _page(leaf: Leaf, names: Sequence[str], around: Mapping[str, Leaf | None], lang: str) -> bytes:
    sections = [
        {**section(one, number), "href": name}
        for number, (one, name) in enumerate(zip(leaf.given, names, strict=True), 1)
    ]
    return _written("leaf.html", lang, sections=sections, leaf=leaf, library=LIBRARY, **around)


def _index(leaves: Iterable[Leaf], lang: str) -> bytes:
    cards = [_card(leaf) for leaf in leaves]
    models = sorted({model for card in cards for model in card["models"]})
    kinds = dict.fromkeys(card["leaf"].kind for card in cards)
    shelves = {kind: [card for card in cards if card["leaf"].kind == kind] for kind in kinds}
    return _written("index.html", lang, sections=[], shelves=shelves, models=models, version=__version__)


def _card(leaf: Leaf) -> dict[str, Any]:
    """What the index says of a page: what was asked, whether the model is right, and what was found."""
    told = next((one for one in leaf.given if one.result.study == FINDING), leaf.given[0])
    data = told.result.data
    clean = data.get("clean", data)
    answers = {one["answer"]: str(one["name"]) for one in clean.get("answers", ())}
    right = clean.get("right")
    return {
        "leaf": leaf,
        "question": visible(str(clean.get("question") or "")) if leaf.kind == "preset" else "",
        "right": visible(answers.get(right, "")),
        "hit": right is not None and clean.get("top") == right,
        "finding": both(lambda lang: headline(data, lang)),
        "count": len(leaf.given),
        "models": {visible(_model(one.result.data)) for one in leaf.given},
    }


def _model(data: Mapping[str, Any]) -> str:
    """A record's model by its name and, where it has one, the fingerprint of its weights."""
    mark = data["provenance"]["model"].get("fingerprint")
    return " · ".join([facts.model_of(data), *([str(mark)] if mark else [])])


def _written(template: str, lang: str, **told: Any) -> bytes:
    scripts = [embedding.own("../site/site.js"), embedding.own("page.js")]
    style = embedding.own("page.css") + embedding.own("../site/site.css")
    plain = rendered(template, lang, scripts, style, **told)
    nonce = base64.b64encode(hashlib.sha256(plain.encode()).digest()).decode()
    return rendered(template, lang, scripts, style, nonce=nonce, **told).encode()
