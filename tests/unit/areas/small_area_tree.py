"""A small tree: a province, a prefecture, two counties with townships and villages."""

from __future__ import annotations

import datetime as dt
import itertools

from oneform.areas.tree import Node, Tree

TODAY = dt.date(2026, 3, 16)

SMALL = [
    ("420000000000", None, 1, "省"),
    ("420100000000", "420000000000", 2, "市"),
    ("420102000000", "420100000000", 3, "甲县"),
    ("420103000000", "420100000000", 3, "乙县"),
    ("420102001000", "420102000000", 4, "甲一镇"),
    ("420102002000", "420102000000", 4, "甲二镇"),
    ("420103001000", "420103000000", 4, "乙一镇"),
    ("420102001001", "420102001000", 5, "一村"),
    ("420102001002", "420102001000", 5, "二村"),
    ("420102002001", "420102002000", 5, "三村"),
    ("420103001001", "420103001000", 5, "四村"),
]


def small_tree(released: dict[str, dt.date] | None = None) -> Tree:
    ids: dict[str | None, int] = {code: i for i, (code, *_) in enumerate(SMALL, start=1)}
    paths: dict[str | None, str] = {None: "/"}
    nodes = []
    for code, parent, level, name in SMALL:
        paths[code] = f"{paths[parent]}{ids[code]}/"
        county = [int(part) for part in paths[code].split("/")[3:4] if part]
        nodes.append(
            Node(
                id=ids[code],
                code=code,
                name=name,
                level=level,
                parent_id=ids.get(parent),
                region_id=county[0] if county else ids[code],
                path=paths[code],
            )
        )
    return Tree(nodes, itertools.count(100), released)
