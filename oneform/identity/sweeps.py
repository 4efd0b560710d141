"""What time does to credentials."""

from __future__ import annotations

from oneform.kernel.context import Context


def forget_expired_sessions(ctx: Context) -> int:
    """Delete sessions and access tokens past their time; how many."""
    return sum(
        ctx.sql(f"DELETE FROM {table} WHERE expires_at < now()").rowcount
        for table in ("session_token", "access_token")
    )
