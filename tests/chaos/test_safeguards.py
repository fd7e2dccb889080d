"""Each safeguard can be disabled in one process, by replacing methods of the bot."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bot.sdk.models import Job, JobRef, Status
from bot.slack.web_api import WebApiTransport
from bot.store.records import Claim, MessageKind, NewMessage
from chaos.safeguards import Safeguard, disable
from tests.open_store import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.store import Store

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
REF = JobRef(connection="deploys", id="JOB1")
JOB = Job(ref=REF, name="api", status=Status.RUNNING)
MESSAGE = NewMessage(
    idempotency_key="key",
    workspace="T1",
    channel="C1",
    ordering_key="thread",
    kind=MessageKind.POST,
    body={"text": "hello"},
    due_at=NOON,
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An open store without rows."""
    async with open_store(tmp_path / "jobthread.db") as store:
        yield store


async def write_twice(tx: Any) -> list[bool]:
    """Store two changes that were found at the same revision; return which were taken."""
    watched = await tx.jobs.track("T1", JOB, due_at=NOON, now=NOON)
    return [
        await tx.jobs.compare_and_set(watched, JOB, due_at=None, now=NOON) for _ in ("first", "old")
    ]


async def test_outdated_change_is_stored_without_cas(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The compare-and-set takes the first change only; without it both notify."""
    async with store.begin() as tx:
        assert await write_twice(tx) == [True, False]
    disable(Safeguard.CAS, monkeypatch.setattr)
    async with store.begin() as tx:
        assert await write_twice(tx) == [True, True]


async def add_request_twice(tx: Any) -> int:
    """Store a request twice; return how many rows there are of it."""
    row = {"workspace": "T1", "key": "key", "kind": "command", "body": {}}
    ids = [await tx.inbox.add(**row, now=NOON, lease_until=NOON) for _ in range(2)]
    return sum(id_ is not None for id_ in ids)


async def add_message_twice(tx: Any) -> int:
    """Store a message twice; return how many rows there are of it."""
    return sum([await tx.outbox.add([MESSAGE], NOON) for _ in range(2)])


async def add_claimed_message_twice(tx: Any) -> int:
    """Store a claimed message twice; return how many rows there are of it."""
    claim = Claim(deadline=NOON, reclaim_at=NOON)
    rows = [await tx.outbox.add_claimed(MESSAGE, claim, NOON) for _ in range(2)]
    return sum(row is not None for row in rows)


async def replace_message_twice(tx: Any) -> int:
    """Store a message and a newer body of it; return how many rows there are of it."""
    for thread in ("one", "another"):
        await tx.outbox.replace(replace(MESSAGE, ordering_key=thread), NOON)
    return len(await tx.outbox.due(lanes=(0, 1), now=NOON, limit=10))


@pytest.mark.parametrize(
    "add_twice",
    [add_request_twice, add_message_twice, add_claimed_message_twice, replace_message_twice],
)
async def test_same_key_is_stored_twice_without_unique_keys(
    add_twice: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the second row of a key is not added."""
    async with store.begin() as tx:
        assert await add_twice(tx) == 1
    disable(Safeguard.KEY, monkeypatch.setattr)
    async with store.begin() as tx:
        added_without = await add_twice(tx)
    assert added_without >= 2


async def test_nothing_is_looked_up_without_the_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dispatcher then takes every unconfirmed message for unsent."""
    disable(Safeguard.LOOKUP, monkeypatch.setattr)
    transport = WebApiTransport(*[None] * 3)  # type: ignore[arg-type]
    assert await transport.find("C1", "key", thread_ts=None, since=NOON) is None


@pytest.mark.parametrize("safeguard", list(Safeguard))
def test_every_safeguard_can_be_disabled(safeguard: Safeguard) -> None:
    """Each replaces at least one method, and each method exists."""
    replaced = []
    disable(safeguard, lambda owner, name, _: replaced.append(getattr(owner, name)))
    assert replaced
