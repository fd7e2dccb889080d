"""Outbox against a model: any order of steps leaves both in the same state."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from bot.store import MessageKind, MessageState, OutboxMessage
from bot.store.tables import outbox
from tests.bot.store.conftest import NOON, Given
from tests.bot.store.rows import rows
from tests.bot.store.store_model import StoreModel, check_model

if TYPE_CHECKING:
    from collections.abc import Iterator

UNSENT = (MessageState.READY, MessageState.SENDING)
REPLIES = st.sampled_from([f"{thread}:{n}" for thread in "ab" for n in range(4)])
CARDS = st.sampled_from(["card a", "card b"])
CLAIM_SECONDS, RECLAIM_SECONDS = 10, 30
LAST = st.integers(1, 4)  # which claim reports: the last or an older one


@dataclass(frozen=True)
class Row:
    """A message in the model."""

    number: int  # in the order of adding
    due_at: datetime
    state: MessageState = MessageState.READY
    version: int = 1
    unconfirmed: bool = False
    claim: OutboxMessage | None = None
    reclaim_at: datetime = NOON


class OutboxModel(StoreModel):
    """Two threads and two cards; several senders that die and report late."""

    table = outbox

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, Row] = {}
        self.claims: list[OutboxMessage] = []
        self.sent: list[tuple[str, int]] = []

    # Rules.

    @rule(key=REPLIES)
    def add(self, key: str) -> None:
        """Store a reply; one key is stored once."""
        new = key not in self.rows
        assert self.run(self._add(key)) == new
        if new:
            self.rows[key] = Row(len(self.rows), self.now)

    @rule(key=CARDS)
    def redraw(self, key: str) -> None:
        """Store a newer body of a card, in any state of the last one."""
        self.run(self._replace(key))
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = Row(len(self.rows), self.now)
            return
        waits = row.state is MessageState.READY and row.due_at < self.now
        self.rows[key] = replace(
            row,
            version=row.version + 1,
            state=MessageState.SENDING if row.state is MessageState.SENDING else MessageState.READY,
            due_at=row.due_at if waits else self.now,
        )

    @rule()
    def claim(self) -> None:
        """A sender claims all due messages; each has at most one valid claim."""
        claimed = self.run(self._claim())
        due = {key: row for key, row in self.next_messages() if self.is_due(row)}
        assert {message.idempotency_key for message in claimed} == due.keys()
        for message in claimed:
            row = due[message.idempotency_key]
            unconfirmed = row.unconfirmed or row.state is MessageState.SENDING
            assert (message.unconfirmed, message.version) == (unconfirmed, row.version)
            reclaim_at = self.now + timedelta(seconds=RECLAIM_SECONDS)
            self.rows[message.idempotency_key] = replace(
                row,
                state=MessageState.SENDING,
                unconfirmed=unconfirmed,
                claim=message,
                reclaim_at=reclaim_at,
            )
        self.claims += claimed

    @rule(last=LAST)
    def send(self, last: int) -> None:
        """A sender reports that Slack has its message."""
        for message in self.claims[-last:][:1]:
            if self.end_claim(message, "sent", MessageState.SENT):
                self.sent.append((message.idempotency_key, message.version))

    @rule(last=LAST)
    def reject(self, last: int) -> None:
        """A sender reports that Slack rejected its message for good."""
        for message in self.claims[-last:][:1]:
            self.end_claim(message, "reject", MessageState.DEAD_LETTER)

    @rule(last=LAST, unconfirmed=st.booleans(), seconds=st.integers(0, 20))
    def postpone(self, last: int, unconfirmed: bool, seconds: int) -> None:  # noqa: FBT001
        """A sender releases its claim for some seconds."""
        for message in self.claims[-last:][:1]:
            ours = self.is_ours(message)
            due_at = self.now + timedelta(seconds=seconds)
            assert self.run(self._postpone(message, due_at, unconfirmed=unconfirmed)) == ours
            if ours:
                self.rows[message.idempotency_key] = replace(
                    self.rows[message.idempotency_key],
                    state=MessageState.READY,
                    unconfirmed=unconfirmed,
                    due_at=max(due_at, self.now),
                    claim=None,
                )

    @rule(last=LAST)
    def absorb(self, last: int) -> None:
        """A sender coalesces the messages behind its own."""
        for message in self.claims[-last:][:1]:
            ours, own = self.is_ours(message), self.rows[message.idempotency_key]
            behind = [
                key
                for key, row in self.rows.items()
                if _thread(key) == message.ordering_key and row.state is MessageState.READY
                if row.number > own.number
            ]
            absorbed = set(self.run(self._absorb(message)))
            assert absorbed == (set(behind) if ours else set())
            for key in absorbed:
                self.rows[key] = replace(self.rows[key], state=MessageState.DROPPED)

    @rule(thread=st.sampled_from("ab"))
    def dead_letter_thread(self, thread: str) -> None:
        """A thread is unreachable: its unsent messages become dead letters, claimed ones too."""
        self.run(self._dead_letter_thread(thread))
        for key, row in self.rows.items():
            if key[0] == thread and row.state in UNSENT:
                unconfirmed = row.unconfirmed or row.state is MessageState.SENDING
                self.rows[key] = replace(
                    row, state=MessageState.DEAD_LETTER, unconfirmed=unconfirmed, claim=None
                )

    @rule()
    def requeue(self) -> None:
        """All dead letters are requeued."""
        self.run(self._requeue())
        for key, row in self.rows.items():
            if row.state is MessageState.DEAD_LETTER:
                self.rows[key] = replace(row, state=MessageState.READY, due_at=self.now)

    @rule(seconds=st.sampled_from([1, RECLAIM_SECONDS + 1]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    # Invariants.

    @invariant()
    def states_are_equal(self) -> None:
        """State, version and confirmation of each message are equal."""
        found = {
            row.idempotency_key: (row.state, row.version, row.unconfirmed)
            for row in self.stored_rows()
        }
        assert found == {k: (r.state, r.version, r.unconfirmed) for k, r in self.rows.items()}

    @invariant()
    def no_body_is_sent_twice(self) -> None:
        """At most one sender completes each body."""
        assert len(self.sent) == len(set(self.sent))

    # The model.

    def next_messages(self) -> Iterator[tuple[str, Row]]:
        """Yield the oldest unsent message of each thread."""
        threads: dict[str, tuple[str, Row]] = {}
        for key, row in sorted(self.rows.items(), key=lambda item: item[1].number):
            if row.state in UNSENT:
                threads.setdefault(_thread(key), (key, row))
        yield from threads.values()

    def is_due(self, row: Row) -> bool:
        """Whether a next message can be claimed."""
        since = row.due_at if row.state is MessageState.READY else row.reclaim_at
        return since <= self.now

    def is_ours(self, message: OutboxMessage) -> bool:
        """Whether a claim is still valid."""
        row = self.rows[message.idempotency_key]
        return row.state is MessageState.SENDING and row.claim is message

    def end_claim(self, message: OutboxMessage, method: str, state: MessageState) -> bool:
        """End a claim; if there is a newer body, the message is ready."""
        ours = self.is_ours(message)
        assert self.run(self._end_claim(message, method)) == ours
        if ours:
            row = self.rows[message.idempotency_key]
            newest = row.version == message.version
            self.rows[message.idempotency_key] = replace(
                row, state=state if newest else MessageState.READY, unconfirmed=False, claim=None
            )
        return ours

    # The outbox.

    async def _add(self, key: str) -> int:
        message = Given().message(key, ordering_key=_thread(key), watch_id="W", due_at=self.now)
        async with self.store.begin() as tx:
            return await tx.outbox.add([message], self.now)

    async def _replace(self, key: str) -> None:
        body = {"ts": "1.0"}
        message = Given().message(
            key, ordering_key=_thread(key), kind=MessageKind.UPDATE, body=body, due_at=self.now
        )
        async with self.store.begin() as tx:
            await tx.outbox.replace(message, self.now)

    async def _claim(self) -> list[OutboxMessage]:
        async with self.store.begin() as tx:
            due = await tx.outbox.due(lanes=(0, 1), now=self.now, limit=100)
            return await tx.outbox.claim(
                [message.id for message in due],
                now=self.now,
                deadline=self.now + timedelta(seconds=CLAIM_SECONDS),
                reclaim_at=self.now + timedelta(seconds=RECLAIM_SECONDS),
            )

    async def _end_claim(self, message: OutboxMessage, method: str) -> bool:
        async with self.store.begin() as tx:
            if method == "sent":
                return await tx.outbox.mark_sent(message, ts="1.0", now=self.now)
            return await tx.outbox.dead_letter(message, error="no", now=self.now)

    async def _postpone(
        self, message: OutboxMessage, due_at: datetime, *, unconfirmed: bool
    ) -> bool:
        async with self.store.begin() as tx:
            return await tx.outbox.postpone(
                message, due_at=due_at, unconfirmed=unconfirmed, error="", now=self.now
            )

    async def _absorb(self, message: OutboxMessage) -> list[str]:
        async with self.store.begin() as tx:
            behind = await tx.outbox.later_in_thread(message)
            ours = await tx.outbox.absorb(message, {"text": "all"}, behind, self.now)
            return [other.idempotency_key for other in behind] if ours else []

    async def _dead_letter_thread(self, thread: str) -> None:
        async with self.store.begin() as tx:
            await tx.outbox.dead_letter_thread("T1", thread, "is_archived", self.now)

    async def _requeue(self) -> None:
        async with self.store.begin() as tx:
            messages = [_message(row.id) for row in await rows(tx, outbox)]
            await tx.dead_letters.requeue(messages, self.now)


def _thread(key: str) -> str:
    """Return the thread of a key: its first letter; a card has a thread of its own."""
    return key if key.startswith("card") else key[0]


def _message(id_: int) -> OutboxMessage:
    """Return a message of which only the id matters."""
    new = Given().message()
    defaults = {field.name: getattr(new, field.name) for field in fields(new)}
    return OutboxMessage(
        id=id_, lane=0, state=MessageState.DEAD_LETTER, version=1, created_at=NOON, **defaults
    )


def test_outbox_behaves_like_its_model() -> None:
    """Unique keys, ordered threads, exclusive claims, no lost body, doubt kept."""
    check_model(OutboxModel)
