"""For any order of steps, a thread gets each message once and in order."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import hypothesis
import pytest
from hypothesis import strategies

if TYPE_CHECKING:
    from bot.store import OutboxMessage, Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio

STEPS = ("add", "add again", "claim", "send", "send late", "postpone", "wait")


@hypothesis.given(
    steps=strategies.lists(
        strategies.tuples(strategies.sampled_from(STEPS), strategies.integers(0, 1)), max_size=25
    )
)
@hypothesis.settings(
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
async def test_thread_gets_each_message_once_and_in_order(
    store: Store, given: Given, steps: list[tuple[str, int]]
) -> None:
    """Despite dead senders, late reports, postponements and repeated keys."""
    scenario = Scenario(store, given)
    for step, thread in steps:
        await scenario.run(step, thread)
    for thread, delivered in enumerate(scenario.delivered):
        assert delivered == scenario.added[thread][: len(delivered)]


class Scenario:
    """Two threads of one workspace, and all claims."""

    def __init__(self, store: Store, given: Given) -> None:
        self.store, self.given = store, given
        self.workspace = uuid4().hex
        self.seconds = 0.0
        self.added: list[list[str]] = [[], []]
        self.delivered: list[list[str]] = [[], []]
        self.claims: list[OutboxMessage] = []

    async def run(self, step: str, thread: int) -> None:
        """Run one step."""
        await getattr(self, "_" + step.replace(" ", "_"))(thread)

    async def _add(self, thread: int) -> None:
        key = uuid4().hex
        self.added[thread].append(key)
        await self._write(thread, key, new=1)

    async def _add_again(self, thread: int) -> None:
        for key in self.added[thread][-1:]:
            await self._write(thread, key, new=0)

    async def _write(self, thread: int, key: str, new: int) -> None:
        message = self.given.message(key, ordering_key=str(thread), workspace=self.workspace)
        assert await self.given.enqueue(self.store, message) == new

    async def _claim(self, _: int) -> None:
        claimed = await self.given.claim(self.store, seconds=self.seconds)
        self.claims += [message for message in claimed if message.workspace == self.workspace]

    async def _send(self, _: int) -> None:
        await self._report(self.claims[-1:])

    async def _send_late(self, _: int) -> None:
        await self._report(self.claims[:1])

    async def _report(self, messages: list[OutboxMessage]) -> None:
        for message in messages:
            async with self.store.begin() as tx:
                ours = await tx.outbox.mark_sent(message, ts="1.0", now=self.given.at(self.seconds))
            if ours:
                self.delivered[int(message.ordering_key)].append(message.idempotency_key)

    async def _postpone(self, _: int) -> None:
        for message in self.claims[-1:]:
            now = self.given.at(self.seconds)
            async with self.store.begin() as tx:
                await tx.outbox.postpone(message, due_at=now, unconfirmed=True, error="", now=now)

    async def _wait(self, _: int) -> None:
        self.seconds += 20
