"""All tables of all parts, for migrations and for the test that holds them to the models."""

from __future__ import annotations

import re
from typing import Any

from catalog import models as catalog
from oneform.areas import models as areas
from oneform.audit import models as audit
from oneform.collection import models as collection
from oneform.identity import models as identity
from oneform.kernel import idempotency, outbox
from oneform.kernel.db import Base
from oneform.requests import models as requests
from oneform.sources import models as sources
from oneform.values import models as values

PARTS = (
    areas,
    audit,
    catalog,
    collection,
    idempotency,
    identity,
    outbox,
    requests,
    sources,
    values,
)
"""Imported for their tables."""

metadata = Base.metadata

_PARTITION = re.compile(r"_p\d\d($|_)")


def include_object(
    _object: Any, name: str | None, _type: str, _reflected: bool, _compare_to: Any
) -> bool:
    """Leave partitions to their parents."""
    return name is None or not _PARTITION.search(name)
