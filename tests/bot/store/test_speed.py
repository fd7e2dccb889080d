"""Frequent statements on SQLite use an index and never scan a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from bot.sdk.models import JobRef
from bot.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from bot.store import Transaction
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio

REF = JobRef(connection="deploys", id="JOB1")
CALLS: dict[str, Callable[[Transaction, Given], Coroutine[Any, Any, object]]] = {
    "inbox.claim": lambda tx, g: tx.inbox.claim(now=g.now, lease_until=g.now, limit=9),
    "inbox.claim one": lambda tx, g: tx.inbox.claim(now=g.now, lease_until=g.now, limit=1, id=1),
    "inbox.close": lambda tx, g: tx.inbox.close(1, g.now),
    "inbox.release": lambda tx, g: tx.inbox.release(1, g.now),
    "inbox.expire_leases": lambda tx, g: tx.inbox.expire_leases(g.now),
    "inbox.next_due": lambda tx, _: tx.inbox.next_due(),
    "inbox.prune": lambda tx, g: tx.inbox.prune(g.now),
    "inbox.backlog": lambda tx, g: tx.inbox.backlog(g.now),
    "outbox.due": lambda tx, g: tx.outbox.due(lanes=(0, 4), now=g.now, limit=9),
    "outbox.claim": lambda tx, g: tx.outbox.claim(
        [1, 2], now=g.now, deadline=g.now, reclaim_at=g.now
    ),
    "outbox.next_due": lambda tx, g: tx.outbox.next_due((0, 4), g.now),
    "outbox.dead_letter_thread": lambda tx, g: tx.outbox.dead_letter_thread(
        "T1", "thread", "", g.now
    ),
    "outbox.expire_claims": lambda tx, g: tx.outbox.expire_claims(g.now),
    "outbox.prune": lambda tx, g: tx.outbox.prune(g.now),
    "outbox.backlog": lambda tx, g: tx.outbox.backlog(g.now),
    "watches.find": lambda tx, _: tx.watches.find("T1", "C1", REF),
    "watches.get": lambda tx, _: tx.watches.get("id"),
    "watches.by_card": lambda tx, _: tx.watches.by_card("T1", "C1", "1.0"),
    "watches.in_channel": lambda tx, _: tx.watches.in_channel("T1", "C1"),
    "watches.of_jobs": lambda tx, _: tx.watches.of_jobs("T1", [REF]),
    "watches.latest_jobs": lambda tx, _: tx.watches.latest_jobs("T1"),
    "watches.latest_jobs in a channel": lambda tx, _: tx.watches.latest_jobs("T1", "C1"),
    "watches.end": lambda tx, g: tx.watches.end(["id"], now=g.now, reason=""),
    "watches.count": lambda tx, _: tx.watches.count(),
    "watches.prune": lambda tx, g: tx.watches.prune(g.now),
    "watches.list_open": lambda tx, _: tx.watches.list_open("C1"),
    "dead_letters.watches": lambda tx, _: tx.dead_letters.watches(),
    "dead_letters.messages": lambda tx, g: tx.dead_letters.messages(g.watch()),
    "dead_letters.sent_bodies": lambda tx, g: tx.dead_letters.sent_bodies(g.watch()),
    "dead_letters.count_unsent": lambda tx, g: tx.dead_letters.count_unsent(g.watch()),
    "dead_letters.count_of_board": lambda tx, _: tx.dead_letters.count_of_board("T1", "id"),
    "boards.latest_request": lambda tx, g: tx.boards.latest_request("T1", "C1", None, "U1", g.now),
    "boards.watches_with_pending": lambda tx, _: tx.boards.watches_with_pending("T1", "watch:id"),
    "boards.latest_body": lambda tx, _: tx.boards.latest_body("T1", ["id:root", "id:card"]),
    "boards.count_rows": lambda tx, _: tx.boards.count_rows("id"),
    "watches.of_board": lambda tx, _: tx.watches.of_board("id"),
    "metrics.requests": lambda tx, _: tx.metrics.requests(),
    "metrics.messages": lambda tx, _: tx.metrics.messages(),
    "metrics.dead_letters": lambda tx, _: tx.metrics.dead_letters(),
    "metrics.overdue_jobs": lambda tx, g: tx.metrics.overdue_jobs(g.now),
    "jobs.get": lambda tx, _: tx.jobs.get("T1", [REF]),
    "jobs.due": lambda tx, g: tx.jobs.due("deploys", shards=(0, 4), now=g.now, limit=9),
    "jobs.next_due": lambda tx, g: tx.jobs.next_due("deploys", (0, 4), g.now),
    "jobs.sleep_unwatched": lambda tx, _: tx.jobs.sleep_unwatched(),
    "jobs.sleep_unwatched one": lambda tx, _: tx.jobs.sleep_unwatched("T1", [REF]),
    "jobs.connections": lambda tx, _: tx.jobs.connections(),
    "jobs.prune": lambda tx, g: tx.jobs.prune(g.now),
    "watches.latest": lambda tx, _: tx.watches.latest("T1", "C1", REF),
    "watches.requested_since": lambda tx, g: tx.watches.requested_since("T1", "C1", g.now),
    "decisions.sent_message": lambda tx, _: tx.decisions.sent_message("T1", "C1", "1.2"),
    "decisions.of_job": lambda tx, _: tx.decisions.of_job("T1", "C1", REF, 15),
    "decisions.since": lambda tx, g: tx.decisions.since("T1", "C1", g.now),
    "decisions.last_outcomes": lambda tx, g: tx.decisions.last_outcomes("T1", "C1", g.now),
    "decisions.watches_with_reactions": lambda tx, g: tx.decisions.watches_with_reactions(
        "T1", "C1", g.now
    ),
}


@pytest.fixture
async def sqlite(tmp_path: Path) -> Any:
    """An open SQLite store."""
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    await store.open()
    yield store
    await store.close()


async def test_no_statement_scans_a_whole_table(sqlite: Store, given: Given) -> None:
    """The query plan says SEARCH, or SCAN of an index or a subquery."""
    async with sqlite.begin() as tx:
        connection = tx.connection
        for name, call in CALLS.items():
            executed: list[tuple[str, Any]] = []
            record = _recorder(executed)
            event.listen(connection.sync_connection, "before_cursor_execute", record)
            await call(tx, given)
            event.remove(connection.sync_connection, "before_cursor_execute", record)
            for statement, parameters in executed:
                rows = await connection.exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {statement}", parameters
                )
                for step in (row[3] for row in rows):
                    assert not _scans_table(step), f"{name}: {step}\n{statement}"


def _recorder(executed: list[tuple[str, Any]]) -> Callable[..., None]:
    def record(*args: Any) -> None:
        executed.append((args[2], args[3]))

    return record


def _scans_table(step: str) -> bool:
    tables = ("inbox", "outbox", "watches", "jobs", "decisions")
    return step.removeprefix("SCAN ") in tables
