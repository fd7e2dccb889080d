"""A second process beside the bot: it looks, it may leave one question, it changes nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import StoreError
from bot.store import Store
from bot.store.visit import visit
from tests.bot.store.test_migrations import restamp, stamp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def test_a_visitor_sees_what_the_bot_wrote_while_the_bot_has_it_open(
    store: Store, url: str, given: Given
) -> None:
    """The lock keeps a second bot out, not a look."""
    await given.posts(store, given.post(), given.post())
    async with visit(url) as tx:
        assert (await tx.outbox.backlog(given.now))[0] == 2


async def test_a_visitor_sees_what_a_stopped_bot_left(url: str, given: Given) -> None:
    """Without a bot there is no write-ahead log, and still something to read."""
    store = Store(url)
    await store.open()
    await given.posts(store, given.post())
    await store.close()
    async with visit(url) as tx:
        assert (await tx.outbox.backlog(given.now))[0] == 1


async def test_a_visitor_who_only_looks_cannot_write(store: Store, url: str, given: Given) -> None:
    """The database itself refuses."""
    assert store.exclusive in (True, False)
    with pytest.raises(StoreError):
        async with visit(url) as tx:
            await tx.outbox.add([given.post()], given.now)


async def test_a_visitor_may_leave_a_question_beside_the_bot(
    store: Store, url: str, given: Given
) -> None:
    """The bot finds it as it finds every question that nobody holds."""
    async with visit(url, writes=True) as tx:
        await tx.inbox.add(
            workspace="T1",
            key="operator:1",
            kind="operator",
            body={},
            now=given.now,
            lease_until=given.now,
        )
    async with store.begin() as tx:
        [question] = await tx.inbox.claim(now=given.now, lease_until=given.at(60), limit=5)
    assert question.kind == "operator"


async def test_a_visitor_keeps_nobody_from_writing(store: Store, url: str, given: Given) -> None:
    """A long look sees one moment, and the bot goes on."""
    async with visit(url) as tx:
        before = await tx.outbox.backlog(given.now)
        await given.posts(store, given.post())
        if store.exclusive:  # PostgreSQL's "read committed" may see it at once
            assert await tx.outbox.backlog(given.now) == before


async def test_where_there_is_no_database_a_visitor_makes_none(tmp_path: Path) -> None:
    """A misspelt path is a sentence and no new file."""
    with pytest.raises(StoreError, match="no database file"):
        async with visit(f"sqlite:///{tmp_path / 'none.db'}"):
            pass
    assert list(tmp_path.iterdir()) == []


async def test_a_visitor_is_refused_by_a_newer_database(store: Store, url: str) -> None:
    """What is not understood is not read."""
    await stamp(store, "9999")
    with pytest.raises(StoreError, match="newer jobthread"):
        async with visit(url):
            pass
    await restamp(url)


async def test_a_visitor_brings_no_table_up_to_date(tmp_path: Path) -> None:
    """An older database waits for its bot."""
    (tmp_path / "old.db").touch()
    with pytest.raises(StoreError, match="older jobthread"):
        async with visit(f"sqlite:///{tmp_path / 'old.db'}"):
            pass
