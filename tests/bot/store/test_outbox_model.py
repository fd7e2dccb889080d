"""The outbox against a small model of it: any order of steps leaves both the same."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import delete, select

from bot.store import Post, PostKind, PostState, Store
from bot.store.tables import outbox
from tests.bot.store.conftest import NOON, Given

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

UNSENT = (PostState.READY, PostState.SENDING)
POSTS = st.sampled_from([f"{thread}:{n}" for thread in "ab" for n in range(4)])
CARDS = st.sampled_from(["card a", "card b"])
CLAIM_SECONDS, ADOPT_SECONDS = 10, 30
LAST = st.integers(1, 4)  # which claim reports: the last, or an older one


@dataclass(frozen=True)
class Row:
    """A message as the model knows it."""

    number: int  # in the order of adding
    due_at: datetime
    state: PostState = PostState.READY
    version: int = 1
    doubtful: bool = False
    claim: Post | None = None
    adopt_at: datetime = NOON


class Model(RuleBasedStateMachine):
    """Two threads and two cards, several senders that fall silent and report late."""

    store: Store
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.rows: dict[str, Row] = {}
        self.claims: list[Post] = []
        self.said: list[tuple[str, int]] = []
        self.run(self._clear())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do one step; no two steps happen at the same moment."""
        self.now += timedelta(milliseconds=1)
        return self.runner.run(work)

    # What happens.

    @rule(key=POSTS)
    def add(self, key: str) -> None:
        """A follow-up is written down; one key is written once."""
        new = key not in self.rows
        assert self.run(self._add(key)) == new
        if new:
            self.rows[key] = Row(len(self.rows), self.now)

    @rule(key=CARDS)
    def redraw(self, key: str) -> None:
        """A card gets a newer body, whatever became of the last one."""
        self.run(self._replace(key))
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = Row(len(self.rows), self.now)
            return
        waits = row.state is PostState.READY and row.due_at < self.now
        self.rows[key] = replace(
            row,
            version=row.version + 1,
            state=PostState.SENDING if row.state is PostState.SENDING else PostState.READY,
            due_at=row.due_at if waits else self.now,
        )

    @rule()
    def claim(self) -> None:
        """A sender takes all that is due: the heads, and of each at most one claim holds."""
        claimed = self.run(self._claim())
        ripe = {key: row for key, row in self.heads() if self.is_ripe(row)}
        assert {post.key for post in claimed} == ripe.keys()
        for post in claimed:
            row = ripe[post.key]
            doubtful = row.doubtful or row.state is PostState.SENDING
            assert (post.doubtful, post.version) == (doubtful, row.version)
            adopt_at = self.now + timedelta(seconds=ADOPT_SECONDS)
            self.rows[post.key] = replace(
                row, state=PostState.SENDING, doubtful=doubtful, claim=post, adopt_at=adopt_at
            )
        self.claims += claimed

    @rule(last=LAST)
    def send(self, last: int) -> None:
        """A sender reports that Slack has its message."""
        for post in self.claims[-last:][:1]:
            if self.settled(post, "sent", PostState.SENT):
                self.said.append((post.key, post.version))

    @rule(last=LAST)
    def give_up(self, last: int) -> None:
        """A sender reports that Slack will never take its message."""
        for post in self.claims[-last:][:1]:
            self.settled(post, "park", PostState.PARKED)

    @rule(last=LAST, doubtful=st.booleans(), seconds=st.integers(0, 20))
    def postpone(self, last: int, doubtful: bool, seconds: int) -> None:  # noqa: FBT001
        """A sender gives its claim back for a while."""
        for post in self.claims[-last:][:1]:
            ours = self.is_ours(post)
            due_at = self.now + timedelta(seconds=seconds)
            assert self.run(self._postpone(post, due_at, doubtful=doubtful)) == ours
            if ours:
                self.rows[post.key] = replace(
                    self.rows[post.key],
                    state=PostState.READY,
                    doubtful=doubtful,
                    due_at=max(due_at, self.now),
                    claim=None,
                )

    @rule(last=LAST)
    def gather(self, last: int) -> None:
        """A sender says in one message what waits behind its own."""
        for post in self.claims[-last:][:1]:
            ours, own = self.is_ours(post), self.rows[post.key]
            behind = [
                key
                for key, row in self.rows.items()
                if _thread(key) == post.thread and row.state is PostState.READY
                if row.number > own.number
            ]
            told = set(self.run(self._gather(post)))
            assert told == (set(behind) if ours else set())
            for key in told:
                self.rows[key] = replace(self.rows[key], state=PostState.DROPPED)

    @rule(thread=st.sampled_from("ab"))
    def park_thread(self, thread: str) -> None:
        """A thread cannot be reached: all that it waits for is set aside, claims too."""
        self.run(self._park_thread(thread))
        for key, row in self.rows.items():
            if key[0] == thread and row.state in UNSENT:
                maybe = row.doubtful or row.state is PostState.SENDING
                self.rows[key] = replace(row, state=PostState.PARKED, doubtful=maybe, claim=None)

    @rule()
    def again(self) -> None:
        """All that is parked is tried again."""
        self.run(self._again())
        for key, row in self.rows.items():
            if row.state is PostState.PARKED:
                self.rows[key] = replace(row, state=PostState.READY, due_at=self.now)

    @rule(seconds=st.sampled_from([1, ADOPT_SECONDS + 1]))
    def wait(self, seconds: int) -> None:
        """The time passes."""
        self.now += timedelta(seconds=seconds)

    # What holds.

    @invariant()
    def both_are_the_same(self) -> None:
        """State, version and doubt of each message."""
        found = self.runner.run(self._rows())
        assert found == {k: (r.state, r.version, r.doubtful) for k, r in self.rows.items()}

    @invariant()
    def nothing_is_said_twice(self) -> None:
        """Of each body, one sender at most is told that it is done."""
        assert len(self.said) == len(set(self.said))

    # The model's words.

    def heads(self) -> Iterator[tuple[str, Row]]:
        """Give the oldest unsent message of each thread."""
        threads: dict[str, tuple[str, Row]] = {}
        for key, row in sorted(self.rows.items(), key=lambda item: item[1].number):
            if row.state in UNSENT:
                threads.setdefault(_thread(key), (key, row))
        yield from threads.values()

    def is_ripe(self, row: Row) -> bool:
        """Whether a head may be claimed."""
        since = row.due_at if row.state is PostState.READY else row.adopt_at
        return since <= self.now

    def is_ours(self, post: Post) -> bool:
        """Whether a claim still holds."""
        row = self.rows[post.key]
        return row.state is PostState.SENDING and row.claim is post

    def settled(self, post: Post, how: str, state: PostState) -> bool:
        """Report the end of a claim; a newer body is ready then."""
        ours = self.is_ours(post)
        assert self.run(self._settle(post, how)) == ours
        if ours:
            row = self.rows[post.key]
            newest = row.version == post.version
            self.rows[post.key] = replace(
                row, state=state if newest else PostState.READY, doubtful=False, claim=None
            )
        return ours

    # The outbox's words.

    async def _clear(self) -> None:
        async with self.store.begin() as tx:
            await tx.outbox._connection.execute(delete(outbox))

    async def _rows(self) -> dict[str, tuple[PostState, int, bool]]:
        columns = (outbox.c.key, outbox.c.state, outbox.c.version, outbox.c.doubtful)
        async with self.store.begin() as tx:
            rows = await tx.outbox._connection.execute(select(*columns))
            return {row.key: (row.state, row.version, row.doubtful) for row in rows}

    async def _add(self, key: str) -> int:
        post = Given().post(key, thread=_thread(key), watch_id="W", due_at=self.now)
        async with self.store.begin() as tx:
            return await tx.outbox.add([post], self.now)

    async def _replace(self, key: str) -> None:
        body = {"ts": "1.0"}
        post = Given().post(
            key, thread=_thread(key), kind=PostKind.UPDATE, body=body, due_at=self.now
        )
        async with self.store.begin() as tx:
            await tx.outbox.replace(post, self.now)

    async def _claim(self) -> list[Post]:
        async with self.store.begin() as tx:
            due = await tx.outbox.due(lanes=(0, 1), now=self.now, limit=100)
            return await tx.outbox.claim(
                [post.id for post in due],
                now=self.now,
                deadline=self.now + timedelta(seconds=CLAIM_SECONDS),
                adopt_at=self.now + timedelta(seconds=ADOPT_SECONDS),
            )

    async def _settle(self, post: Post, how: str) -> bool:
        async with self.store.begin() as tx:
            if how == "sent":
                return await tx.outbox.sent(post, ts="1.0", now=self.now)
            return await tx.outbox.park(post, error="no", now=self.now)

    async def _postpone(self, post: Post, due_at: datetime, *, doubtful: bool) -> bool:
        async with self.store.begin() as tx:
            return await tx.outbox.postpone(
                post, due_at=due_at, doubtful=doubtful, error="", now=self.now
            )

    async def _gather(self, post: Post) -> list[str]:
        async with self.store.begin() as tx:
            behind = await tx.outbox.behind(post)
            ours = await tx.outbox.gather(post, {"text": "all"}, behind, self.now)
            return [other.key for other in behind] if ours else []

    async def _park_thread(self, thread: str) -> None:
        async with self.store.begin() as tx:
            await tx.outbox.park_thread("T1", thread, "is_archived", self.now)

    async def _again(self) -> None:
        async with self.store.begin() as tx:
            ids = await tx.outbox._connection.execute(select(outbox.c.id))
            await tx.parked.again([_post(id_) for id_ in ids.scalars()], self.now)


def _thread(key: str) -> str:
    """Messages of one thread begin with its letter; a card is a thread of its own."""
    return key if key.startswith("card") else key[0]


def _post(id_: int) -> Post:
    """Return a message of which only the id matters."""
    new = Given().post()
    plain = {field.name: getattr(new, field.name) for field in fields(new)}
    return Post(id=id_, lane=0, state=PostState.PARKED, version=1, created_at=NOON, **plain)


@pytest.fixture(scope="module")
def memory() -> Iterator[type[Model]]:
    """The machine, over one store in memory."""
    with asyncio.Runner() as runner:
        store = Store("sqlite:///:memory:")
        runner.run(store.open())
        yield type("OverMemory", (Model,), {"store": store, "runner": runner})
        runner.run(store.close())


def test_the_outbox_does_what_its_model_does(memory: type[Model]) -> None:
    """Keys once, threads in order, claims exclusive, no newer body lost, doubt kept."""
    hypothesis.stateful.run_state_machine_as_test(
        memory,
        settings=hypothesis.settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
