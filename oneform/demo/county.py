"""The names of the demo: its places, departments, accounts and questions. Nothing is done here.

Places and fields are real. The departments stand for those of any county, and
everything that they hold or want is invented; their names say so.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from oneform.identity.policy import Role

AREAS_FILE = Path(__file__).parent / "data" / "areas.csv"

INVENTED = "示例数据（虚构）"
"""Stands in every file, table and name that could be mistaken for the truth."""

COUNTY, COUNTY_NAME = "420527000000", "秭归县"
VILLAGE, VILLAGE_NAME = "420527103208", "屈原村"
TOWNSHIP = "420527103000"
"""The village's. Its file of this year is not in the statistics bureau's folder."""

VILLAGE_LEVEL = "5"


@dataclass(frozen=True, slots=True)
class Place:
    """A village or community of the county."""

    code: str
    name: str
    township: str

    @property
    def is_community(self) -> bool:
        return "社区" in self.name


def villages() -> list[Place]:
    """All villages and communities, in the order of their codes."""
    with AREAS_FILE.open(encoding="utf-8", newline="") as file:
        return [
            Place(row["code"], row["name"], row["parent_code"])
            for row in csv.DictReader(file)
            if row["level"] == VILLAGE_LEVEL
        ]


@dataclass(frozen=True, slots=True)
class Department:
    code: str
    name: str


def _department(code: str, name: str) -> Department:
    return Department(code, f"{COUNTY_NAME}{name}（示例）")


STATISTICS = _department("stats", "统计局")
CIVIL_AFFAIRS = _department("civil_affairs", "民政局")
LAND = _department("natural_resources", "自然资源局")
AGRICULTURE = _department("agriculture", "农业农村局")
HEALTH = _department("health", "卫生健康局")
PLANNING = _department("development_reform", "发展和改革局")
DEPARTMENTS = (STATISTICS, CIVIL_AFFAIRS, LAND, AGRICULTURE, HEALTH, PLANNING)
ASKING = (AGRICULTURE, HEALTH, PLANNING)
"""Those that have a key."""


@dataclass(frozen=True, slots=True)
class Account:
    username: str
    name: str
    role: Role
    area: str
    agency: str | None = None


STAFF = Account("village", "村干部（示例）", Role.STAFF, VILLAGE)
ACCOUNTS = (
    STAFF,
    Account("township", "乡镇审核员（示例）", Role.TOWNSHIP_REVIEWER, TOWNSHIP),
    Account("supervisor", "监督员（示例）", Role.SUPERVISOR, COUNTY),
    Account("catalogue", "目录管理员（示例）", Role.CATALOG_ADMIN, COUNTY),
    Account("clerk", "部门办事员（示例）", Role.AGENCY_CLERK, COUNTY, AGRICULTURE.code),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A field, and the heading under which a store keeps it."""

    field: str
    heading: str


STATISTICS_COLUMNS = (
    Column("population.resident_total", "常住人口数"),
    Column("population.resident_households", "常住户数"),
)
CIVIL_AFFAIRS_COLUMNS = (
    Column("elderly.aged_60_plus", "六十岁以上人数"),
    Column("elderly.care_facilities", "养老服务设施数"),
    Column("assistance.allowance_households", "低保户数"),
    Column("assistance.allowance_persons", "低保人数"),
)
LAND_COLUMNS = (Column("land.cultivated_area", "耕地面积_亩"),)
ASKED_COLUMNS = (
    Column("employment.migrant_workers", "外出务工人数"),
    Column("water.tap_households", "自来水受益户数"),
    Column("transport.hardened_road_km", "村内硬化道路里程_公里"),
    Column("digital.broadband_households", "通宽带户数"),
    Column("environment.sanitary_toilet_households", "卫生厕所户数"),
)
"""What no store has: villages gave it last year, and are asked for it again."""

LAST_YEAR_COLUMNS = (*STATISTICS_COLUMNS, *ASKED_COLUMNS)
LAST_YEAR_TITLE = {"zh": "上年年报（示例数据）", "en": "Last year's report (sample data)"}
