"""A catalogue of any size for measuring time: real questions under invented qualifiers.

Deterministic. Of no use for measuring recall: every padded field is a near double of a real one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, product
from typing import Final

from benchmarks.suggestions.questions import Question
from catalog.similarity import FieldText

QUALIFIERS: Final = {
    "城镇": "urban",
    "农村": "rural",
    "男性": "male",
    "女性": "female",
    "60岁以上": "aged 60 and over",
    "65岁以上": "aged 65 and over",
    "80岁以上": "aged 80 and over",
    "18岁以下": "under 18",
    "低保户": "minimum living allowance",
    "特困户": "destitute",
    "脱贫户": "out of poverty",
    "监测户": "monitored",
    "少数民族": "ethnic minority",
    "残疾人家庭": "disabled",
    "退役军人家庭": "veteran",
    "独生子女家庭": "only child",
    "留守": "left behind",
    "外来": "migrant",
    "常住": "resident",
    "户籍": "registered",
    "新增": "new",
    "累计": "cumulative",
    "上年": "previous year",
    "集体所有": "collectively owned",
    "个人所有": "privately owned",
    "财政补助": "subsidised",
    "社会捐助": "donated",
    "镇属": "town owned",
    "村民小组": "villager group",
    "自然村": "hamlet",
    "移民安置区": "resettlement area",
    "易地搬迁": "relocated",
    "示范": "model",
    "在建": "under construction",
    "规划": "planned",
    "闲置": "idle",
    "验收合格": "inspected",
    "损毁": "damaged",
    "边远": "remote",
    "库区": "reservoir area",
}


def padded_fields(questions: Sequence[Question], size: int) -> Iterator[FieldText]:
    """Yield `size` fields, or as many as the questions and qualifiers give (about 16,700)."""
    for number, ((zh, en), question) in enumerate(
        islice(product(QUALIFIERS.items(), questions), size)
    ):
        yield FieldText(
            code=f"padding.{en.replace(' ', '_')}_{question.id.lower()}",
            names={"zh": zh + question.name, "en": f"{en} item {number} of {question.bureau}"},
            synonyms=[f"{question.name}({zh})", f"{zh}的{question.name}"],
            definitions={"zh": f"本村{zh}范围内,按{question.bureau}口径统计的{question.name}"},
            unit=question.unit or None,
            topic=question.topic,
            subject_kind="area",
            owner=question.bureau,
        )
