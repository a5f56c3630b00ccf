"""A record whose every text is an attack on the page that quotes it."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from probes import run
from probes.asking.answers import Answer, AnswerSet
from probes.asking.question import Question
from probes.record.results import ProbeResult
from probes.text.passage import Passage
from tests.rules import Ruled

SET = "window.hacked=1"
ATTACKS = (
    f"</script><script>{SET}</script>",
    f"<!--<script>{SET}//",
    f"<img src=x onerror={SET}>",
    f"<svg/onload={SET}>",
    f"\"'><a href=javascript:{SET}>go</a>",
    f"'+({SET})+'",
    f'"]}}]}};{SET};//',
    f"{{{{ {SET} }}}} {{% raw %}}",
    "<link rel=stylesheet href=http://evil.example/a.css>",
    "<style>@import url(http://evil.example/b.css)</style>",
    '{"signal":"warn(datum)"} datum.constructor.constructor',
    "]]> &lt;script&gt; &#60;b&#62; \\u003cscript\\u003e \u2028 \u2029 \u202e\u0007",
)
WHOLE = " ".join(ATTACKS)


@cache
def _made(study: str) -> ProbeResult:
    """Of `pairs`, which has a row for any two words, with the first few attacks."""
    text = " ".join(ATTACKS[:2] if study == "pairs" else ATTACKS)
    question = Question(
        Passage(f"I walked into the shop. {text} Then I left."),
        f"How often did I go to {text}?",
        AnswerSet((Answer(f"0{ATTACKS[0]}", (ATTACKS[5], "never")), Answer("1", (ATTACKS[6], "once")))),
    )
    return run(study, Ruled(_walked), question, {"drop": "walked"} if study == "ask" else {})


def _walked(passage: str) -> float:
    """Any word moves the answer, one of them much."""
    return 2.0 * ("walked" in passage) + len(passage) / 300 - 2.0


STUDIES = ("words", "ask", "pairs", "minimal")


def hostile(study: str = "words") -> dict[str, Any]:
    """The record of such a question, its provenance no better."""
    data: dict[str, Any] = copy.deepcopy(dict(_made(study).data))
    data["headline"] = WHOLE
    made = data["provenance"]
    made["model"] = {**made["model"], "model": WHOLE, "fingerprint": WHOLE, "device": ATTACKS[2]}
    made["processor"] = made["crux"] = made["command_line"] = WHOLE
    made["versions"] = {WHOLE: WHOLE}
    made["options"] = {**made["options"], WHOLE: WHOLE}
    return data
