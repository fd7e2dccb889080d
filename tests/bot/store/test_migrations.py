"""Migrations create the tables of tables.py, and refuse a newer database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from bot.sdk.errors import StoreError
from bot.store import Store, engines
from bot.store.tables import metadata
from tests.bot.store.rows import scalar

if TYPE_CHECKING:
    from sqlalchemy import Connection

pytestmark = pytest.mark.anyio


def differences(connection: Connection) -> list[Any]:
    """Return the differences between the database and the tables of the code."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


def partial_indexes(connection: Connection) -> dict[str, bool]:
    """Return the indexes of the database, and whether each is partial."""
    database = connection.dialect.name
    return {
        str(index["name"]): f"{database}_where" in index.get("dialect_options", {})
        for table in metadata.tables
        for index in inspect(connection).get_indexes(table)
        if "duplicates_constraint" not in index
    }


async def test_migrations_create_the_tables_of_the_code(store: Store) -> None:
    """A change to tables.py needs a migration."""
    async with store.begin() as tx:
        assert await tx.connection.run_sync(differences) == []


async def test_migrations_create_the_same_partial_indexes(store: Store) -> None:
    """Alembic does not compare the conditions of indexes; this test does."""
    async with store.begin() as tx:
        found = await tx.connection.run_sync(partial_indexes)
    assert found == {
        index.name: index.dialect_options["sqlite"]["where"] is not None
        for table in metadata.tables.values()
        for index in table.indexes
    }


async def test_newer_database_is_refused_and_left_unchanged(url: str) -> None:
    """An older version does not write to tables that it does not know."""
    store = Store(url)
    await store.open()
    await set_revision(store, "9999")
    await store.close()
    with pytest.raises(StoreError, match="newer jobthread"):
        await store.open()
    await restore_revision(url)


async def set_revision(store: Store, revision: str) -> None:
    """Set the schema revision of the database."""
    async with store.begin() as tx:
        await scalar(tx, "UPDATE alembic_version SET version_num = :it", it=revision)


async def restore_revision(url: str) -> None:
    """Restore the revision: the next test uses the same PostgreSQL database."""
    engine = engines.create_engine(engines.parse_url(url))
    async with engine.begin() as connection:
        newest = text("UPDATE alembic_version SET version_num = :it")
        await connection.execute(newest, {"it": "0001"})
    await engine.dispose()


@pytest.mark.postgres
async def test_concurrent_replicas_migrate_once(postgres_server: Any) -> None:
    """The others wait for the first, and find no migration to run."""
    name = f"fresh_{uuid4().hex}"
    postgres_server.psql(f"CREATE DATABASE {name};")
    stores = [Store(postgres_server.get_uri(name)) for _ in range(3)]
    await asyncio.gather(*(store.open() for store in stores))
    for store in stores:
        await store.close()
