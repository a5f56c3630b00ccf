"""What an answer must be: the same request once more, by `probes` in this process, without page or server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from dashboard import study_options
from dashboard.asking import options, question_of
from dashboard.limits import Limits
from dashboard.state import State, from_link
from dashboard.widgets.markup import plain
from dashboard.wording import TEXTS
from probes import load_model, run
from probes.record.results import ProbeResult
from probes.running.headline import headline

EXACT = 1e-4
"""Two computations of one probability: a batch of another shape sums in another order."""
HOSTED = Limits.from_environment({"CRUX_HOSTED": "1", "CRUX_HOSTED_MODELS": "builtin,smollm2"})
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True)
class Request:
    """One answer that somebody wanted: a page, and the link that holds all that decides it."""

    page: str
    link: tuple[tuple[str, str], ...]
    words: bool = False
    """Whether the page has the effects of all words by then, and says their sentence."""

    @classmethod
    def of(cls, page: str, link: Mapping[str, str], *, words: bool = False) -> Request:
        return cls(page, tuple(sorted((k, v) for k, v in link.items() if k != "v")), words)

    @property
    def asked(self) -> tuple[object, ...]:
        """The same in any language: what is computed for it."""
        return self.page, tuple(one for one in self.link if one[0] != "lang")

    @property
    def state(self) -> State:
        return from_link(dict(self.link), State())[0]


@dataclass(frozen=True)
class Shown:
    """What a visitor was shown: the line on top, and the answers' picture as it was sent."""

    headline: str
    answers: bytes = field(repr=False, default=b"")


class Known:
    """The records behind the answers, each computed once. Used by one thread."""

    def __init__(self, smollm2: str = "") -> None:
        self._models: dict[str, Any] = {}
        self._records: dict[Request, ProbeResult] = {}
        self._names = {"smollm2": smollm2} if smollm2 else {}

    def wrong(self, request: Request, shown: Shown) -> str:
        """ "" where it is what the record says, else what is not."""
        record = self.record(request)
        said = str(plain(headline(record.data, request.state.lang)))
        if not alike(shown.headline, said):
            return f"{request}: shown {shown.headline!r}, known {said!r}"
        if shown.answers:
            asked = record if record.study == "ask" else self._asked(request, ())
            for name, p in probabilities(shown.answers).items():
                known = _answers(asked.data, request.state.lang).get(name)
                if known is None or abs(known - p) > EXACT:
                    return f"{request}: {name!r} is shown with {p}, known {known}"
        return ""

    def record(self, request: Request) -> ProbeResult:
        """The record whose sentence the page says."""
        if request not in self._records:
            self._records[request] = self._run(request)
        return self._records[request]

    def _run(self, request: Request) -> ProbeResult:
        state = request.state
        if request.page == "heads" and not state.ablated and request.words:
            return self._of(state, "heads", study_options.heads(state))
        if request.page == "heads":
            return self._of(state, "ask", study_options.ask(state, state.ablated))
        if request.page == "links":
            words = len(self._question(state).passage.words)
            assert HOSTED.runs is not None
            budget = max(1, min(state.budget, HOSTED.runs - 2 * words))
            return self._of(state, "links", study_options.links(state, budget))
        if request.words and not state.out:
            return self._of(state, "words", options(state, "words", (), ()))
        return self._asked(request, sorted(state.out))

    def _asked(self, request: Request, out: Any) -> ProbeResult:
        state = request.state
        units = self._question(state).passage.units(state.unit)
        return self._of(state, "ask", options(state, "ask", units, out, chance=len(out) > 1))

    def _of(self, state: State, study: str, chosen: Mapping[str, Any]) -> ProbeResult:
        if state.model not in self._models:
            self._models[state.model] = load_model(self._names.get(state.model, state.model))
        return run(study, self._models[state.model], self._question(state), dict(chosen))

    @staticmethod
    def _question(state: State) -> Any:
        return question_of(state, TEXTS.say("asked.default", state.lang), HOSTED)


def probabilities(sent: bytes) -> dict[str, float]:
    """The answers' picture read back: what is said of each answer now."""
    rows = pa.ipc.open_stream(sent).read_all().to_pylist()
    last = list(dict.fromkeys(row["run"] for row in rows))[-1]
    return {row["answer"]: row["p"] for row in rows if row["run"] == last and row["answer"]}


def _answers(data: Mapping[str, Any], lang: str) -> dict[str, float]:
    from probes.locale import say

    return {
        **{one["name"]: one["probability"] for one in data["answers"]},
        say("charts.other", lang): data["other"],
    }


def alike(one: str, other: str) -> bool:
    """Whether two sentences say the same: each word equal, each number within one of its last digit."""
    one, other = one.replace("\\", ""), other.replace("\\", "")
    if _NUMBER.sub("#", one) != _NUMBER.sub("#", other):
        return False
    pairs = zip(_NUMBER.findall(one), _NUMBER.findall(other), strict=True)
    return all(_close(a, b) for a, b in pairs)


def _close(one: str, other: str) -> bool:
    step = 10.0 ** -len(one.partition(".")[2])
    return abs(float(one.replace(",", "")) - float(other.replace(",", ""))) <= 1.01 * step
