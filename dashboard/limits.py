"""What a page allows: one table, generous for a page of one's own, tight for a hosted one.

Checked before the work, where a question is made, a model is loaded, a run begins or a file comes in; not in
the widgets: what a widget sends is whatever a client sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as given
from typing import Final

from dashboard.hosting.counters import COUNTERS
from dashboard.state import State
from probes.asking.question import Question
from probes.errors import LimitError, ModelError


@dataclass(frozen=True)
class Pin:
    """Which files of a model are meant."""

    weights: str
    """Their sha256; see `probes.models.pinned.weights_hash`."""
    revision: str | None = None
    """Commit of a hub's repository."""


HOSTED_CAPS: Final = {
    "characters": 2_000,
    "field": 500,
    "answers": 20,
    "strings": 200,
    "string": 200,
    "answer_characters": 2_000,
    "endings": 10,
    "dictionary": 100,
    "by_hand": 100,
    "units": 2_000,
    "runs": 400,
    "uploads": 10,
    "upload_bytes": 2_000_000,
    "all_upload_bytes": 32_000_000,
}
"""Caps of a hosted page, where its settings name no others."""


@dataclass(frozen=True)
class Limits:
    """Bounds; the defaults are those of a page of one's own, None and an empty `models` mean none.

    What one's own page bounds is what would keep it busy, or fill its memory, before anything could be told.
    """

    hosted: bool = False
    models: tuple[str, ...] = ()
    characters: int | None = None
    """Of a passage (the passage itself has a bound, too)."""
    field: int = 20_000
    """Characters of the question, the instruction, the answer's first words, … each."""
    answers: int = 200
    strings: int = 2_000
    """Of all answers, each with every ending."""
    string: int = 5_000
    """Characters of one of them."""
    answer_characters: int = 50_000
    """Of all of them."""
    endings: int = 50
    dictionary: int = 5_000
    """Words of a reader's own."""
    by_hand: int = 2_000
    """Words joined and split by hand."""
    units: int = 20_000
    """Taken away together."""
    runs: int | None = None
    """Of one study, over all passages of a set."""
    uploads: int = 100
    """Files of one session that are held at a time."""
    upload_bytes: int = 50_000_000
    """Bytes of all of them."""
    all_upload_bytes: int = 500_000_000
    """Bytes of all sessions' files."""
    pins: Mapping[str, Pin] = given(default_factory=dict, hash=False)
    """Of each of `models`, what its files must be."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Limits:
        """Those of the page that would be started so: see `dashboard.hosting.settings.read_settings`."""
        from dashboard.hosting.settings import read_settings

        return read_settings(environment).limits

    # ---- models

    def check_model(
        self, spec: str, device: str = "auto", dtype: str = "auto", revision: str = "", hub: str = ""
    ) -> None:
        """Raises:
        ModelError: the model is not one of those allowed, or it is asked for in a way of its own, which
            would be one more model to load.
        """
        if self.models and spec not in self.models:
            COUNTERS.add("refusals", "page_model")
            raise ModelError("page_model", model=spec[:80], allowed=", ".join(self.models))
        if self.hosted:
            for asked in (device, dtype, revision, hub):
                if asked not in ("", "auto"):
                    COUNTERS.add("refusals", "page_device")
                    raise ModelError("page_device", device=asked[:80])

    # ---- what is asked

    def check_passage(self, text: str) -> None:
        """Raises:
        LimitError: the passage is longer than allowed here.
        """
        _check("characters", self.characters, characters=len(text))

    def check_state(self, state: State) -> None:
        """What a link or a form holds, before a passage or an answer is made of it.

        Raises:
            LimitError: more of it than allowed here.
        """
        self.check_passage(state.text)
        for name in ("question", "instruction", "prefix", "swap", "swap_to"):
            _check(name, self.field, characters=len(getattr(state, name) or ""))
        if state.answers is not None:
            self.check_answers_text(state.answers)
        _check("by_hand", self.by_hand, count=len(state.joins) + len(state.splits))
        _check("units", self.units, count=max(len(state.out), len(state.pin or ())))

    def check_answers_text(self, text: str) -> None:
        """Raises:
        LimitError: answers as they are typed are longer, or more, than allowed here.
        """
        _check("answer_characters", self.answer_characters, characters=len(text))
        _check("answers", self.answers, count=sum(bool(part.strip()) for part in re.split("[;；\n]", text)))

    def check_question(self, question: Question) -> None:
        """Raises:
        LimitError: a part of it is longer, or more, than allowed here.
        """
        self.check_passage(question.passage.text)
        texts = {
            "question": question.question,
            "instruction": question.instruction,
            "prefix": question.answer_prefix,
            "system": question.system or "",
        }
        for name, text in texts.items():
            _check(name, self.field, characters=len(text))
        asked, passage = question.answers, question.passage
        _check("answers", self.answers, count=len(asked.answers))
        _check("endings", self.endings, count=len(asked.endings))
        ends = max(1, len(asked.endings))
        strings = ends * sum(len(answer.strings) for answer in asked.answers)
        _check("strings", self.strings, count=strings)
        longest = [len(string) for _, string in asked.strings]
        _check("string", self.string, characters=max(longest))
        _check("answer_characters", self.answer_characters, characters=sum(longest))
        _check("dictionary", self.dictionary, count=len(passage.dictionary))
        _check("by_hand", self.by_hand, count=len(passage.joins) + len(passage.splits))

    # ---- runs

    def check_runs(self, runs: int, study: str = "words") -> None:
        """Raises:
        LimitError: the study takes more runs of the model than allowed here.
        """
        _check("runs" if study == "words" else "study", self.runs, runs=runs)


def _check(name: str, most: int | None, **found: int) -> None:
    if most is not None and max(found.values()) > most:
        COUNTERS.add("refusals", f"page_{name}")
        raise LimitError(f"page_{name}", **found, most=most)
