"""All tables of all parts, for migrations and for the test that holds them to the models."""

from __future__ import annotations

import re
from typing import Any

from oneform.kernel.db import Base
from oneform.runtime.tables import PARTS

assert PARTS  # their import is what fills the metadata

metadata = Base.metadata

_PARTITION = re.compile(r"_p\d\d($|_)")


def include_object(
    _object: Any, name: str | None, _type: str, _reflected: bool, _compare_to: Any
) -> bool:
    """Leave partitions to their parents."""
    return name is None or not _PARTITION.search(name)
