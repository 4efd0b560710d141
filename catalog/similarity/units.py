"""Units of measure as forms print them, and whether two of them can stand for the same fact.

Nothing is converted here: 亩 and 公顷 measure the same thing and are still two different answers.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from catalog.similarity.plain_text import plain


class Agreement(StrEnum):
    """How two units, or what two wordings count, go together."""

    SAME = "same"
    SAME_DIMENSION = "same_dimension"
    UNKNOWN = "unknown"
    DIFFERENT = "different"


_DIMENSIONS: Final = {
    "人": "人 名 口人",
    "户": "户",
    "金额": "元 元/年 角 分 美元 yuan cny rmb 元/人 元/月",
    "面积": "平方米 m2 平米 平方公里 km2 亩 公顷 ha 顷 平方千米",
    "长度": "米 m 公里 km 千米 里 延米",
    "比率": "% ‰ 百分比",
    "次": "次 人次 场 场次 期 人天",
    "重量": "吨 公斤 千克 斤 kg t 担",
    "体积": "立方米 m3 方 升 毫升",
    "能量": "千瓦时 度 kwh 千瓦 kw",
    "时间": "年 月 天 日 小时 分钟 岁",
    "是否": "是/否 有/无",
    "件": "个 座 处 所 间 条 盏 台 辆 件 份 只 头 对 眼 口 张 家企业 套 栋 幢 艘 棵 株 家 支 项 例 部 册 头只 村 组 起 宗",
}
_CATTLE: Final = frozenset({"头", "头只"})
_MULTIPLES: Final = ("百万", "十万", "千万", "万", "千", "百", "亿")
"""The longer ones first, since they end in the others' signs or begin with them."""

DIMENSION: Final[dict[str, str]] = {}
for _dimension, _names in _DIMENSIONS.items():
    for _name in _names.split():
        DIMENSION.setdefault(_name, _dimension)
        for _multiple in _MULTIPLES:
            DIMENSION.setdefault(_multiple + _name, _dimension)
"""From a unit to what it measures; 公里 and 万公里 both to 长度."""

_SAME: Final = {
    "千米": "公里",
    "km": "公里",
    "m": "米",
    "m2": "平方米",
    "平米": "平方米",
    "km2": "平方公里",
    "平方千米": "平方公里",
    "m3": "立方米",
    "ha": "公顷",
    "kg": "公斤",
    "千克": "公斤",
    "t": "吨",
    "kw": "千瓦",
    "kwh": "千瓦时",
    "名": "人",
    "口人": "人",
    "百分比": "%",
    "yuan": "元",
    "cny": "元",
    "rmb": "元",
}


def read_unit(text: str | None) -> str | None:
    """Return the unit in one spelling, or None if the text is no unit known here."""
    if not text:
        return None
    name = _spelled(plain(text).strip().removeprefix("单位").strip(": "))
    return name if name in DIMENSION else None


def _spelled(name: str) -> str:
    # As a whole first: 千米 and 千克 are not a thousand of something.
    if name in _SAME:
        return _SAME[name]
    for multiple in _MULTIPLES:
        unit = name.removeprefix(multiple)
        if unit != name and unit in _SAME:
            name = multiple + _SAME[unit]
            break
    return _SAME.get(name, name)


def agreement(one: str | None, other: str | None) -> Agreement:
    """Compare two units as `read_unit` returns them."""
    if one is None or other is None:
        return Agreement.UNKNOWN
    if one == other:
        return Agreement.SAME
    return dimensions_agree(DIMENSION[one], DIMENSION[other])


def dimensions_agree(one: str | None, other: str | None) -> Agreement:
    """Compare two dimensions (人, 户, 面积…); None says nothing."""
    if one is None or other is None:
        return Agreement.UNKNOWN
    return Agreement.SAME_DIMENSION if one == other else Agreement.DIFFERENT


def people_and_cattle(dimension: str | None, unit: str | None, other: str | None) -> bool:
    """Whether one of a wording (what it counts, its unit) and another unit is of people, one of beasts."""
    if unit in _CATTLE:
        return DIMENSION.get(other or "") == "人"
    return dimension == "人" and other in _CATTLE
