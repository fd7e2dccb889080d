"""A store that is open for the time of a test."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def open_store(database: Path) -> AsyncIterator[Store]:
    """Open the store of a SQLite database, which is created if missing."""
    store = Store(f"sqlite:///{database}")
    await store.open()
    yield store
    await store.close()
