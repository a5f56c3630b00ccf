"""The sentence on top, the table and the picture: made from the record and from nothing else, by the study
that made the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from probes.running import lecture_telling
from probes.studies import STUDIES, plain
from probes.studies.columns import Table
from probes.studies.plain import sentence
from probes.studies.telling import FEW, quoted, top_of

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

__all__ = ["FEW", "headline", "pictured", "quoted", "tabled", "top_of"]


class Teller(Protocol):
    """Who speaks for one kind of record."""

    def said(self, data: Mapping[str, Any], lang: str, /) -> str:
        """The sentence."""

    def tabled(self, data: Mapping[str, Any], lang: str, /) -> Table:
        """The rows for a person."""

    def pictured(self, result: ProbeResult, lang: str, /) -> alt.LayerChart:
        """The picture."""


OTHERS: Mapping[str, Teller] = {"lecture": lecture_telling}
"""Those of records that no single study makes."""


def _teller(study: str) -> Teller | None:
    return OTHERS.get(study) or STUDIES.get(study)


def headline(data: Mapping[str, Any], lang: str) -> str:
    """What a record says, in a sentence or three; plainly where its study is not here."""
    teller = _teller(data["study"])
    return teller.said(data, lang) if teller else sentence(data, lang)


def tabled(data: Mapping[str, Any], lang: str) -> Table:
    """A record's rows for a person; its first fields where its study is not here."""
    teller = _teller(data["study"])
    return teller.tabled(data, lang) if teller else plain.table(data["study"], data, lang)


def pictured(result: ProbeResult, lang: str) -> alt.LayerChart:
    """A record as a picture; bars where its study is not here."""
    teller = _teller(result.study)
    return teller.pictured(result, lang) if teller else plain.picture(result, lang)
