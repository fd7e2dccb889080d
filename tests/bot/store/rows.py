"""Reads and deletes rows of the store, and runs SQL, in a transaction of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, text

if TYPE_CHECKING:
    from sqlalchemy import Row, Table

    from bot.store import Transaction


async def rows(tx: Transaction, table: Table) -> list[Row[Any]]:
    """Return all rows of a table, in the order of its primary key."""
    return list(await tx.connection.execute(select(table).order_by(*table.primary_key)))


async def delete_rows(tx: Transaction, table: Table) -> None:
    """Delete all rows of a table."""
    await tx.connection.execute(delete(table))


async def scalar(tx: Transaction, sql: str, **params: Any) -> Any:
    """Run a statement; return the first value of its first row, if it returns rows."""
    result = await tx.connection.execute(text(sql), params)
    return result.scalar() if result.returns_rows else None
