"""How much a word of a passage says, by methods from before language models: its frequency, TF-IDF, TextRank.

No method reads the question; words that are equal but for case have one score. Every word is scored, function
words too: what is laid beside them is every word's effect.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from itertools import pairwise
from unicodedata import normalize

from probes.asking.question import Question, preset, presets

RANKINGS = ("frequency", "tfidf", "textrank")
DAMPING = 0.85
DIGITS = 6
"""Scores of TextRank are found by iteration: words whose scores are the same so far tie."""


def word_scores(words: Sequence[str], corpus: Sequence[Collection[str]]) -> dict[str, list[float]]:
    """Each ranking's scores, one a word of the passage.

    Args:
        words: the passage's, in order.
        corpus: the words of each passage that TF-IDF is told by, this passage's own among them.
    """
    folded = [fold(word) for word in words]
    counts, weights = Counter(folded), tfidf(folded, corpus)
    linked = textrank(folded)
    by_word: dict[str, Mapping[str, float]] = {"frequency": counts, "tfidf": weights, "textrank": linked}
    return {name: [float(by_word[name][word]) for word in folded] for name in RANKINGS}


def corpus_of(question: Question) -> tuple[list[str], list[frozenset[str]]]:
    """The passages that come with Crux in the passage's language, and it: their ids and their words. The one
    it was made from is left out, for that would be itself again.
    """
    passage = question.passage
    names = [
        name
        for name in presets()
        if preset(name).language == passage.language
        and name != question.preset
        and preset(name).text != passage.text
    ]
    own = frozenset(fold(word.text) for word in passage.words)
    return names, [own, *map(_words_of, names)]


@cache
def _words_of(name: str) -> frozenset[str]:
    return frozenset(fold(word.text) for word in preset(name).passage.words)


def fold(word: str) -> str:
    """What equal words have in common; units count their occurrences so, too."""
    return normalize("NFC", word).casefold()


def tfidf(words: Sequence[str], corpus: Sequence[Collection[str]]) -> dict[str, float]:
    """How often each word stands here, times ln((1 + n) / (1 + passages that have it)) + 1 of n passages.

    Term frequency by inverse document frequency (Salton & Buckley 1988, doi 10.1016/0306-4573(88)90021-0),
    smoothed as scikit-learn does it. That library is not used: this line is all that is needed of it, and it
    would bring SciPy along.
    """
    found = {}
    for word, count in Counter(words).items():
        having = sum(word in one for one in corpus)
        found[word] = count * (math.log((1 + len(corpus)) / (1 + having)) + 1)
    return found


def textrank(words: Sequence[str]) -> dict[str, float]:
    """TextRank (Mihalcea & Tarau 2004, aclanthology.org/W04-3252): words that stand beside each other vote
    for each other, S(a) = (1 − d) + d · Σ S(b) / degree(b) over the neighbours b, d = 0.85.

    The window is two words, the paper's best; its filter by part of speech is left out. The sum is Katz's
    centrality of the graph whose links are shared out evenly: networkx's own PageRank would ask for SciPy.
    """
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(words)
    graph.add_edges_from((one, other) for one, other in pairwise(words) if one != other)
    shared = nx.stochastic_graph(graph.to_directed())
    options = {"alpha": DAMPING, "beta": 1 - DAMPING, "tol": 1e-9, "normalized": False, "weight": "weight"}
    scores: dict[str, float] = nx.katz_centrality(shared, **options)
    return {word: round(score, DIGITS) for word, score in scores.items()}
