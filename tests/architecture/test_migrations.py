"""Migrations and models say the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from oneform import migrations
from oneform.migrations.metadata import include_object, metadata


def test_migrations_make_what_the_models_say(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": include_object}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    migrations.upgrade(database_url)
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        assert migrations.current(connection) == migrations.head()
    engine.dispose()


def test_every_big_table_has_its_partitions(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        parts = dict(
            connection.execute(
                sa.text(
                    "SELECT p.relname, count(i.inhrelid) FROM pg_class p "
                    "LEFT JOIN pg_inherits i ON i.inhparent = p.oid "
                    "WHERE p.relkind = 'p' GROUP BY 1"
                )
            ).all()
        )
    engine.dispose()
    assert parts == dict.fromkeys(
        ("subject", "subject_history", "cell_value", "cell_value_history", "ask", "answer"), 16
    )
