"""The tables of all parts, loaded together: one part's foreign keys point into another's."""

from __future__ import annotations

from catalog import models as catalog
from oneform.areas import models as areas
from oneform.audit import models as audit
from oneform.collection import models as collection
from oneform.identity import models as identity
from oneform.kernel import idempotency, outbox
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
