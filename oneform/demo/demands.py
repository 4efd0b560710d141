"""What the three departments ask for. Fields and laws are real, the departments' plans are not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oneform.demo.county import COUNTY
from oneform.demo.world import World

DAYS_TO_ANSWER = 30

OFF_LIST = "工作群打卡次数"
"""What no law lets anybody ask: check-ins to a chat group."""

LOOSE_NAME, ON_LIST = "60岁以上老人数", "elderly.aged_60_plus"
"""A department's own wording, and the field that it means."""

WATER, ROADS, MIGRANTS = (
    "water.tap_households",
    "transport.hardened_road_km",
    "employment.migrant_workers",
)
FIRST_FIELDS = (
    "population.resident_total",
    "population.resident_households",
    "elderly.care_facilities",
    "assistance.allowance_households",
    "assistance.allowance_persons",
    "land.cultivated_area",
    MIGRANTS,
    WATER,
    ROADS,
    "digital.broadband_households",
)
SECOND_FIELDS = (
    "population.resident_total",
    ON_LIST,
    WATER,
    "environment.sanitary_toilet_households",
)
THIRD_FIELDS = ("land.cultivated_area", ON_LIST, "elderly.care_facilities")


@dataclass(frozen=True, slots=True)
class Demand:
    """What a department says to have a request."""

    title: str
    purpose: str
    legal_basis: str

    def body(self, world: World, fields: Sequence[str]) -> dict[str, Any]:
        year = world.year
        return {
            "title": f"{year}年度{self.title}（示例）",
            "purpose": f"{self.purpose}（示例）",
            "legal_basis": self.legal_basis,
            "fields": list(fields),
            "scope": {"areas": [COUNTY], "kind": "area", "level": "village"},
            "period": str(year),
            "due": (world.today + dt.timedelta(days=DAYS_TO_ANSWER)).isoformat(),
        }


SURVEY = Demand("乡村建设情况调查", "编制乡村建设项目计划", "《中华人民共和国乡村振兴促进法》")
SANITATION = Demand("农村饮水与改厕情况调查", "安排农村改厕补助", "《中华人民共和国基本医疗卫生与健康促进法》")  # fmt: skip
SERVICES = Demand("养老服务设施布局测算", "测算养老服务设施布局", "《中华人民共和国老年人权益保障法》")  # fmt: skip
