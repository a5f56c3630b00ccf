"""A passage as long as wanted, with one sentence that the answer hangs on: generated stories around it."""

from __future__ import annotations

from dataclasses import dataclass

from probes.text.passage import Passage

AT = 1 / 3
"""Where the sentence stands in the passage."""


@dataclass(frozen=True)
class Asked:
    """A sentence that is hidden in a passage, and what is asked about it."""

    key: str
    question: str
    answers: str
    prefix: str


KITCHEN = Asked(
    key="Maria keeps the blue key in the kitchen drawer.",
    question="Where does Maria keep the blue key?",
    answers="kitchen;garage;attic;garden",
    prefix="Maria keeps the blue key in the",
)
VISIT = Asked(
    key="On Monday I walked into the coffee shop.",
    question="How many times did I go to the coffee shop?",
    answers="0=never;1=once;2=twice;3=three times",
    prefix="I went to the coffee shop",
)
SHORTEST = 4
"""Words of the shortest sentence that there are many of: fewer are never left to fill."""
COMMON = {"the", "in", "into", "On", "I", "walked"}
"""Words of these sentences that others may have too."""


def long_passage(words: int, asked: Asked, seed: int = 0) -> str:
    """`words` words: sentences of generated stories, none with a word that tells of what is asked, and
    the key sentence among them.
    """
    from probes.generator import Composer

    composer = Composer("en", seed)
    told = {word.text for word in Passage(asked.key).words} - COMMON
    left = words - len(Passage(asked.key).words)
    sentences: list[str] = []
    for _ in range(10 * words):
        for sentence in Passage(composer.story().text).sentences:
            own = [word.text for word in Passage(sentence.text).words]
            then = left - len(own)
            fits = then == 0 or then >= SHORTEST
            if fits and not told & set(own) and sentence.text not in sentences:
                sentences.append(sentence.text)
                left = then
        if not left:
            break
    at = round(AT * len(sentences))
    return " ".join([*sentences[:at], asked.key, *sentences[at:]])
