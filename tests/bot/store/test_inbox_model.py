"""Inbox against a model: any order of steps leaves both in the same state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from bot.store.tables import inbox
from tests.bot.store.store_model import StoreModel, check_model

if TYPE_CHECKING:
    from bot.store import InboxItem

LEASE = timedelta(seconds=120)
KEYS = st.sampled_from([f"command:{n}" for n in range(5)])


@dataclass(frozen=True)
class Row:
    """A request in the model."""

    id: int
    received_at: datetime
    lease_until: datetime
    attempts: int = 0
    closed: bool = False


class InboxModel(StoreModel):
    """One inbox; processes that claim requests, answer them, die and restart."""

    table = inbox

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, Row] = {}
        self.answered: list[str] = []

    @rule(key=KEYS)
    def receive(self, key: str) -> None:
        """Slack delivers a request, perhaps again; it is stored once."""
        id_ = self.run(self._add(key))
        assert (id_ is None) == (key in self.rows)
        if id_ is not None:
            self.rows[key] = Row(id_, self.now, self.now + LEASE)

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        """A process claims requests without a lease, the oldest first."""
        claimed = self.run(self._claim(limit))
        free = [k for k, r in self.rows.items() if not r.closed and r.lease_until <= self.now]
        oldest = sorted(free, key=lambda key: (self.rows[key].received_at, self.rows[key].id))
        assert [item.idempotency_key for item in claimed] == oldest[:limit]
        for item in claimed:
            row = self.rows[item.idempotency_key]
            assert item.attempts == row.attempts + 1
            self.rows[item.idempotency_key] = replace(
                row, attempts=item.attempts, lease_until=self.now + LEASE
            )

    @rule(key=KEYS)
    def answer(self, key: str) -> None:
        """One process closes a request, once."""
        if key in self.rows:
            first = not self.rows[key].closed
            assert self.run(self._close(self.rows[key].id)) == first
            self.rows[key] = replace(self.rows[key], closed=True)
            self.answered += [key] if first else []

    @rule(key=KEYS)
    def release(self, key: str) -> None:
        """A process releases a request for some seconds."""
        if key in self.rows:
            until = self.now + timedelta(seconds=10)
            self.run(self._release(self.rows[key].id, until))
            if not self.rows[key].closed:
                self.rows[key] = replace(self.rows[key], lease_until=until)

    @rule()
    def restart(self) -> None:
        """The only process restarts: all leases are of dead processes."""
        self.run(self._reopen())
        for key, row in self.rows.items():
            if not row.closed:
                self.rows[key] = replace(row, lease_until=min(row.lease_until, self.now))

    @rule(seconds=st.sampled_from([1, 11, 121]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    @invariant()
    def states_are_equal(self) -> None:
        """Closed state, attempts and leases are equal."""
        found = {
            row.idempotency_key: (row.closed_at is not None, row.attempts, row.lease_until)
            for row in self.stored_rows()
        }
        assert found == {k: (r.closed, r.attempts, r.lease_until) for k, r in self.rows.items()}

    @invariant()
    def each_request_is_answered_once(self) -> None:
        """Every request is open, or was answered once."""
        assert len(self.answered) == len(set(self.answered))
        assert set(self.answered) == {key for key, row in self.rows.items() if row.closed}

    async def _add(self, key: str) -> int | None:
        async with self.store.begin() as tx:
            return await tx.inbox.add(
                workspace="T1",
                key=key,
                kind="command",
                body={},
                now=self.now,
                lease_until=self.now + LEASE,
            )

    async def _claim(self, limit: int) -> list[InboxItem]:
        async with self.store.begin() as tx:
            return await tx.inbox.claim(now=self.now, lease_until=self.now + LEASE, limit=limit)

    async def _close(self, id_: int) -> bool:
        async with self.store.begin() as tx:
            return await tx.inbox.close(id_, self.now)

    async def _release(self, id_: int, until: datetime) -> None:
        async with self.store.begin() as tx:
            await tx.inbox.release(id_, until)

    async def _reopen(self) -> None:
        async with self.store.begin() as tx:
            await tx.inbox.expire_leases(self.now)


def test_inbox_behaves_like_its_model() -> None:
    """Requests are stored once, leased to one, answered once, never lost."""
    check_model(InboxModel)
