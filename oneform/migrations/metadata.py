"""All tables of all parts, for migrations and for the test that holds them to the models."""

from __future__ import annotations

import re
from typing import Any

import oneform.areas.models
import oneform.audit.models
import oneform.collection.models
import oneform.identity.models
import oneform.kernel.idempotency
import oneform.kernel.outbox
import oneform.requests.models
import oneform.sources.models
import oneform.values.models  # noqa: F401 - imported for its tables, as all of these
from oneform.kernel.db import Base

metadata = Base.metadata

_PARTITION = re.compile(r"_p\d\d($|_)")


def include_object(
    _object: Any, name: str | None, _type: str, _reflected: bool, _compare_to: Any
) -> bool:
    """Leave partitions to their parents."""
    return name is None or not _PARTITION.search(name)
