"""What people call sources, where their values are shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context


def read_names(ctx: Context, codes: Collection[str]) -> dict[str, Mapping[str, str]]:
    """Names by language of the sources that there are among these codes: their own, or else that
    of the agency whose store it is."""
    policy.require(ctx, Permission.READ_FORM)
    if not codes:
        return {}
    rows = ctx.sql(
        "SELECT s.code, coalesce(s.name, g.name) AS name "
        "FROM source AS s JOIN agency AS g ON g.id = s.agency_id WHERE s.code = ANY(:codes)",
        codes=list(codes),
    )
    return {row.code: row.name for row in rows}
