"""Arrivals told in a passage, found by rule as before language models: a verb of arriving that stands before
the place, in its clause. Who arrives, in which order things happen and what is meant the rule does not know.

The lists were written down from the language, not fitted to any passage that comes with Crux.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

import regex

from probes.text.passage import Passage, Unit
from probes.text.segment import Span

FEW = 5
"""Words that may stand between the verb and the place: "my favourite", 我最喜欢的那家."""
RUN = 4
"""Words that one entry of a list may have."""
_CLAUSE_END = regex.compile(r"[,.;:!?，。；：！？…—–()（）\n]")

_GO = """go goes going went gone walk walks walked walking come comes came coming run runs ran running rush
rushes rushed rushing hurry hurries hurried hurrying step steps stepped stepping drive drives drove driven
driving ride rides rode ridden riding cycle cycles cycled cycling travel travels travelled travelling get gets
got getting return returns returned returning pop pops popped popping wander wanders wandered wandering stroll
strolls strolled strolling"""
_VIA = ("", "back", "over", "down", "up", "out", "straight", "again", "across")
_STOP = "arrive arrives arrived arriving stop stops stopped stopping call calls called calling"
_ENTER = "enter enters entered entering visit visits visited visiting reach reaches reached reaching"
_VERBS_ZH = """去 去到 来 来到 到 到达 抵达 赶到 跑到 走到 骑到 开到 进 进到 进入 走进 走入 跑进 跨进 踏进
迈进 冲进 钻进 回到 返回 逛 光顾 参观 拜访"""
_CUES_EN = """not|never|no longer|almost|nearly|instead of|without|if|would|should|could|might|will|about to
decide to|decided to|deciding to|want to|wants to|wanted to|wanting to|hope to|hoped to|wish to|wished to
plan to|planned to|planning to|mean to|meant to|intend to|intended to|refuse to|refused to|try to|tried to
fail to|failed to|forget to|forgot to|promise to|promised to|need to|needed to|going to|like to|thought of
thought about|dreamt of|dreamed of|talked of|talked about"""
_CUES_ZH = """没 没有 不 不想 不要 别 未 从未 从没 从来没 从不 想 想要 要 打算 决定 计划 准备 希望 盼望 盼着
差点 差一点 差点儿 几乎 本来 原本 本想 拒绝 如果 要是 假如 忘 忘了 忘记 梦见 梦到 应该 也许 可能 可以 能 会
舍不得 懒得"""
_BREAKS = """and but then so because although though while when until since
然后 但 但是 可 可是 而 而是 于是 后来 接着 因为 所以 不过"""
"""Words that begin a clause of their own."""
_BETWEEN = """of from past near opposite behind beside by with without at in into on to for or that which who
where before after than like 从 在 离 路过 经过 看 看到 看见 和 跟 与 把 被 对 向 往"""
"""Words that part a verb from a place: what follows is not where it leads."""


@dataclass(frozen=True)
class Arrival:
    """A mention of the place that a verb of arriving leads to.

    Attributes:
        span: from the verb to the end of the place, characters of the passage.
        cue: the word of denial, wish or plan before the verb in its clause; None where the arrival is stated.
    """

    span: Span
    cue: str | None


def arrivals(passage: Passage, places: Sequence[Span]) -> list[Arrival]:
    """The mentions that a verb of arriving leads to, in order.

    Args:
        places: where the place is mentioned, characters of the passage.
    """
    return [found for place in places if (found := _arrival(passage, place))]


def _arrival(passage: Passage, place: Span) -> Arrival | None:
    lang, before = passage.language, _clause(passage, place[0])
    folded = [word.text.casefold().replace("’", "'") for word in before]
    for start, end, _ in _matches(folded, _verbs(lang), lang):
        between = folded[end:]
        if len(between) <= FEW and not words_of(_BETWEEN) & set(between):
            span, cue = (before[start].start, place[1]), _cue(folded[:start], lang)
            return Arrival(span, cue)
    return None


def _clause(passage: Passage, at: int) -> list[Unit]:
    """The words from the beginning of the clause up to `at`."""
    words = [word for word in passage.words if word.end <= at]
    first, follows = len(words), at
    while first:
        word = words[first - 1]
        ended = _CLAUSE_END.search(passage.text, word.end, follows)
        if ended or word.text.casefold() in words_of(_BREAKS):
            break
        first, follows = first - 1, word.start
    return words[first:]


def _cue(words: Sequence[str], lang: str) -> str | None:
    """The last word of denial, wish or plan."""
    found = next(_matches(words, _cues(lang), lang), None)
    denied = next((word for word in reversed(words) if word.endswith("n't")), None)
    return found[2] if found else denied


def _matches(words: Sequence[str], known: Collection[str], lang: str) -> Iterator[tuple[int, int, str]]:
    """Runs of words that are an entry of a list, those that end last first, of these the longest."""
    space = " " if lang == "en" else ""
    for end in range(len(words), 0, -1):
        for start in range(max(0, end - RUN), end):
            if (run := space.join(words[start:end])) in known:
                yield start, end, run


@cache
def words_of(listed: str) -> frozenset[str]:
    """A list of words as a set."""
    return frozenset(listed.split())


@cache
def _verbs(lang: str) -> frozenset[str]:
    if lang == "zh":
        return frozenset(verb + done for verb in _VERBS_ZH.split() for done in ("", "了", "过"))
    go = product(_GO.split(), _VIA, ("to", "into", "inside"))
    stop = product(_STOP.split(), ("at", "in", "by"))
    return frozenset(
        (*(" ".join(filter(None, parts)) for parts in go), *map(" ".join, stop), *_ENTER.split())
    )


@cache
def _cues(lang: str) -> frozenset[str]:
    return frozenset(_CUES_ZH.split() if lang == "zh" else _CUES_EN.replace("\n", "|").split("|"))
