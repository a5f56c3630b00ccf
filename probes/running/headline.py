"""The sentence on top, the table and the picture: made from the record and from nothing else, by the study
that made the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probes.running import lecture_telling
from probes.studies import STUDIES, plain
from probes.studies.columns import Table
from probes.studies.plain import sentence
from probes.studies.telling import FEW, quoted, top_of

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

__all__ = ["FEW", "headline", "pictured", "quoted", "tabled", "top_of"]


def headline(data: Mapping[str, Any], lang: str) -> str:
    """What a record says, in a sentence or three; plainly where its study is not here."""
    if data["study"] == "lecture":
        return lecture_telling.summary(data["rows"], lang)
    study = STUDIES.get(data["study"])
    return study.said(data, lang) if study else sentence(data, lang)


def tabled(data: Mapping[str, Any], lang: str) -> Table:
    """A record's rows for a person; its first fields where its study is not here."""
    if data["study"] == "lecture":
        return lecture_telling.table(data, lang)
    study = STUDIES.get(data["study"])
    return study.tabled(data, lang) if study else plain.table(data["study"], data, lang)


def pictured(result: ProbeResult, lang: str) -> alt.LayerChart:
    """A record as a picture; bars where its study is not here."""
    if result.study == "lecture":
        return lecture_telling.picture(result, lang)
    study = STUDIES.get(result.study)
    return study.pictured(result, lang) if study else plain.picture(result, lang)
