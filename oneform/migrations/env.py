"""Alembic's entry: runs migrations online, one migrator at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from oneform import migrations
from oneform.migrations.metadata import include_object, metadata

engine = sa.create_engine(
    context.config.get_main_option("sqlalchemy.url", ""), poolclass=sa.pool.NullPool
)
with engine.connect() as connection:
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
