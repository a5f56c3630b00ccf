"""Names before times: 小明早上去 is 小明, 早上, 去, where a dictionary without names sees 小, 明早, 上去."""

from __future__ import annotations

import regex

_GIVEN = (
    "明红华强刚芳丽军伟静敏美玲娟霞梅兰英杰勇涛超鹏辉磊洋艳萍燕雪莉莲东冬春秋月星晨阳光亮天宁平安云雨龙虎文武"
)
_SURNAMES = (
    "王李张刘陈杨赵吴徐孙胡朱郭何罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁余叶蒋杜苏魏程吕丁沈姚卢姜崔钟谭陆"
    "汪范廖贾韦邱侯邹熊孟秦薛阎段雷龚"
)
NICKNAME = regex.compile(rf"[小阿老][{_GIVEN}{_SURNAMES}]")
_TIMES = (
    "早[上晨就已早饭餐点]|晚[上饭餐点间]|清[早晨]|凌晨|上午|中午|正午|下午|傍晚|半夜"
    "|夜[里晚间]|白天|今[天早晚年]|昨[天晚夜]"
    "|前[天年]|后[天年]|明[天早晚年]|天天(?![气空])|每[天周月年]|年[年底初]|月[初底]|去年|周[一二三四五六日末]|星期|日常"
)
_NAMED = regex.compile(
    rf"(?:(?<!年纪|岁数|个子|个头)[小阿老][{_GIVEN}{_SURNAMES}]|(?<![小老阿大姓])[{_SURNAMES}][{_GIVEN}])(?={_TIMES})"
)


def name_spans(run: str) -> list[tuple[int, int]]:
    """The names in a run of Chinese characters that a time follows."""
    return [match.span() for match in _NAMED.finditer(run)]
