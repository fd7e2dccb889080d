"""Whatever happens in whatever order: a thread is told once and in order."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import hypothesis
import pytest
from hypothesis import strategies

if TYPE_CHECKING:
    from bot.store import Post, Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio

STEPS = ("add", "add again", "claim", "send", "send late", "postpone", "wait")


@hypothesis.given(
    steps=strategies.lists(
        strategies.tuples(strategies.sampled_from(STEPS), strategies.integers(0, 1)), max_size=25
    )
)
@hypothesis.settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
async def test_a_thread_is_told_once_and_in_its_order(
    store: Store, given: Given, steps: list[tuple[str, int]]
) -> None:
    """Silent senders, late reports, postponements and repeated keys change nothing of it."""
    story = Story(store, given)
    for step, thread in steps:
        await story.take(step, thread)
    for thread, told in enumerate(story.told):
        assert told == story.added[thread][: len(told)]


class Story:
    """Two threads of one workspace, and every claim that was ever given out."""

    def __init__(self, store: Store, given: Given) -> None:
        self.store, self.given = store, given
        self.workspace = uuid4().hex
        self.seconds = 0.0
        self.added: list[list[str]] = [[], []]
        self.told: list[list[str]] = [[], []]
        self.claims: list[Post] = []

    async def take(self, step: str, thread: int) -> None:
        """Let one thing happen."""
        await getattr(self, "_" + step.replace(" ", "_"))(thread)

    async def _add(self, thread: int) -> None:
        key = uuid4().hex
        self.added[thread].append(key)
        await self._write(thread, key, new=1)

    async def _add_again(self, thread: int) -> None:
        for key in self.added[thread][-1:]:
            await self._write(thread, key, new=0)

    async def _write(self, thread: int, key: str, new: int) -> None:
        post = self.given.post(key, thread=str(thread), workspace=self.workspace)
        assert await self.given.posts(self.store, post) == new

    async def _claim(self, _: int) -> None:
        claimed = await self.given.claim(self.store, seconds=self.seconds)
        self.claims += [post for post in claimed if post.workspace == self.workspace]

    async def _send(self, _: int) -> None:
        await self._report(self.claims[-1:])

    async def _send_late(self, _: int) -> None:
        await self._report(self.claims[:1])

    async def _report(self, posts: list[Post]) -> None:
        for post in posts:
            async with self.store.begin() as tx:
                ours = await tx.outbox.sent(post, ts="1.0", now=self.given.at(self.seconds))
            if ours:
                self.told[int(post.thread)].append(post.key)

    async def _postpone(self, _: int) -> None:
        for post in self.claims[-1:]:
            now = self.given.at(self.seconds)
            async with self.store.begin() as tx:
                await tx.outbox.postpone(post, due_at=now, doubtful=True, error="", now=now)

    async def _wait(self, _: int) -> None:
        self.seconds += 20
