"""Statements that the database keeps, and those that are planned for what they are given."""

from __future__ import annotations

from oneform.kernel.context import Context
from oneform.kernel.plans import PREPARED_AFTER, plan_afresh
from oneform.runtime import Runtime

ASK = "SELECT CAST(:n AS int) AS asked"


def is_kept(ctx: Context) -> bool:
    """Whether the statement is kept after it has come often enough."""
    for n in range(2 * PREPARED_AFTER):
        ctx.sql(ASK, n=n)
    return bool(
        ctx.sql(
            "SELECT EXISTS (SELECT FROM pg_prepared_statements WHERE statement LIKE '%AS asked')"
        ).scalar_one()
    )


def test_only_the_transaction_that_wants_it_has_its_statements_planned_afresh(
    runtime: Runtime,
) -> None:
    with runtime.context() as ctx:
        plan_afresh(ctx)
        assert not is_kept(ctx)
    with runtime.context() as ctx:
        assert is_kept(ctx)
