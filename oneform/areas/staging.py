"""Bulk ways into the database: COPY into a table, or into a temporary one to join with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psycopg import sql

from oneform.kernel.context import Context


def copy_rows(
    ctx: Context, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """COPY rows into a table, in this transaction; order them by key where others write too."""
    # The dialect's connection speaks no COPY; the driver's own one is in the same transaction.
    connection = ctx.session.connection().connection.driver_connection
    assert connection is not None
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def stage(
    ctx: Context, table: str, columns: dict[str, str], rows: Iterable[Sequence[object]]
) -> None:
    """Fill a temporary table of these columns and types; it goes with the transaction."""
    ctx.sql(f"DROP TABLE IF EXISTS pg_temp.{table}")
    shape = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    ctx.sql(f"CREATE TEMPORARY TABLE {table} ({shape}) ON COMMIT DROP")
    copy_rows(ctx, table, list(columns), rows)
    ctx.sql(f"ANALYZE {table}")
