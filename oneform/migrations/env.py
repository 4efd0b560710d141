"""Alembic's entry: runs migrations online, one migrator at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from oneform import migrations
from oneform.kernel.db import day_option
from oneform.migrations.metadata import include_object, metadata

timezone = context.config.get_main_option("timezone_of_days", "")
engine = sa.create_engine(
    context.config.get_main_option("sqlalchemy.url", ""),
    poolclass=sa.pool.NullPool,
    connect_args={"options": day_option(timezone)},
)
with engine.connect() as connection:
    migrations.check_timezone(connection, timezone)
    connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": migrations.LOCK})
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=include_object,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": migrations.LOCK})
    connection.commit()
engine.dispose()
