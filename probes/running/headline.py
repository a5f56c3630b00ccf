"""The sentence on top, made from the record and from nothing else, by the study that made the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.running.verdicts import summary
from probes.studies import STUDIES
from probes.studies.plain import sentence
from probes.studies.telling import FEW, quoted, top_of

__all__ = ["FEW", "headline", "quoted", "top_of"]


def headline(data: Mapping[str, Any], lang: str) -> str:
    """What a record says, in a sentence or three; plainly where its study is not here."""
    if data["study"] == "lecture":
        return summary(data["rows"], lang)
    study = STUDIES.get(data["study"])
    return study.said(data, lang) if study else sentence(data, lang)
