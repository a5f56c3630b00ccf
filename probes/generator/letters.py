"""Letters and characters that invented words are made of."""

from __future__ import annotations

from functools import cache

MEANINGFUL = frozenset(
    "进入到去来出回过往向离抵达返走没不无未非勿别想要决打算计划准备希望差几险梦我你他她它们谁人又再次趟回"
    "零一二两三四五六七八九十了着的地得"
    "门店馆院场园里外在从和跟随死杀毒奸枪炸尸妓淫屎尿屁娼嫖赌血鬼贱蠢笨骂奴寇匪屠"
    "提感等看听谈说见找遇碰闻拍收猜料问讲念盼待轮直"
)
"""Of what an invented word must not be made: going, denying, counting, persons, noticing and speaking (提到
and 等到 are no arrivals), and what is unpleasant.
"""
TURNED = frozenset("少白时断停单光仅由禁免")
"""Behind 没 and 不 these say that something was done after all, or something else: 没少, 不断, 不禁."""
SILENT_H = frozenset({"hour", "honest", "heir"})
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"


@cache
def characters() -> str:
    """The 3,755 common characters of GB 2312, level 1."""
    rows = (bytes([row, cell]) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    return "".join(code.decode("gb2312", errors="ignore") for code in rows)


@cache
def odd_characters() -> str:
    """Those of them that an invented word may be made of."""
    return "".join(letter for letter in characters() if letter not in MEANINGFUL)
