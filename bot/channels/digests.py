"""What a tick of the digests does: tell what was held back, each piece of it once.

After quiet hours all of it is one new message. What is beyond a channel's budget is a message that
grows for an hour. One transaction holds the message and what it tells.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.cards import menu
from bot.channels import digest, held
from bot.channels.digest import Item
from bot.clock import Bell, Clock, until
from bot.errors import StoreError, trail
from bot.noise.decision import Action
from bot.noise.policy import HOUR
from bot.store import Board, BoardKind, NewPost, PostKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.channels.notices import Notices
    from bot.home import Home
    from bot.models import JobRef, Message
    from bot.noise.policy import NoisePolicy
    from bot.store import Decided, Store, Transaction, Watch, WatchedJob

log = logging.getLogger(__name__)

PAUSE_SECONDS = 15.0  # the longest between two looks, when nobody rings
FAILED_SECONDS = 60.0  # until a channel whose digest failed is tried again
GROWS = HOUR  # how long a digest beyond the budget takes more
_GATHERED = timedelta(seconds=3)  # in which several changes of a digest become one


class Digests:
    """Tells what is held back when its time has come."""

    def __init__(
        self,
        *,
        store: Store,
        notices: Notices,
        home: Home,
        clock: Clock,
        ring: Callable[[], None],
    ) -> None:
        self._store = store
        self._notices = notices
        self._home = home
        self._clock = clock
        self._ring = ring  # wakes the delivery
        self._bell = Bell(clock)

    def ring(self) -> None:
        """Look at once: something may be held, or held otherwise."""
        self._bell.ring()

    def close(self) -> None:
        """Let the tick end."""
        self._bell.ring()

    async def tick(self) -> float:
        """Tell what is ripe, wait for more, and return the seconds until the next tick."""
        now = self._clock.now()
        async with self._store.begin() as tx:
            places = await tx.decisions.ripe_places(now)
            await _close(tx, now)
        told = [await self._tell(*place) for place in places]
        if any(told):
            self._ring()
        async with self._store.begin() as tx:
            next_ripe = await tx.decisions.next_ripe()
        wait = until(next_ripe, self._clock.now(), PAUSE_SECONDS) if all(told) else FAILED_SECONDS
        await self._bell.wait(wait)
        return 0.0

    async def _tell(self, workspace: str, channel: str) -> bool:
        """Tell what is ripe in one channel; False if that failed, which holds up no other."""
        try:
            async with self._store.begin() as tx:
                await self._write(tx, workspace, channel, self._clock.now())
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  the edge of a tick
            log.error("the digest of %s waits: %s", channel, trail(error))
            return False
        return True

    async def _write(self, tx: Transaction, workspace: str, channel: str, now: datetime) -> None:
        """Write one digest down, or what becomes of it, in one transaction."""
        policy = (await self._notices.contract(tx, workspace, channel)).policy
        if policy.quiet_hours and policy.quiet_hours.end_after(now):
            # Other quiet hours than those it was held for: only what they let pass is told.
            await held.redecide(tx, self._notices, workspace, channel, now)
        ripe = await tx.decisions.ripe(workspace, channel, now)
        told = await held.fit(tx, ripe, now)
        if any(decided.action is Action.HOLD for decided in told):
            await self._once(tx, policy, told, now)
        elif told:
            await self._rolling(tx, policy, told, now)

    async def _once(
        self, tx: Transaction, policy: NoisePolicy, told: Sequence[Decided], now: datetime
    ) -> None:
        """Post the digest of the quiet hours that are over."""
        end = max(decided.until for decided in told if decided.until)
        zone = ZoneInfo(policy.quiet_hours.zone) if policy.quiet_hours else None
        board = replace(_board(told[0], now), closes_at=now, closed_at=now)
        if taken := await _take(tx, told, board):
            why = digest.quiet(end, zone)
            await _open(tx, board, taken, await self._message(tx, policy, taken, why, now))

    async def _rolling(
        self, tx: Transaction, policy: NoisePolicy, told: Sequence[Decided], now: datetime
    ) -> None:
        """Add to the digest of what is beyond the budget, or begin it."""
        first = told[0]
        board = await tx.boards.newest(first.workspace, first.channel, BoardKind.DIGEST)
        grows = board is not None and board.closes_at is not None and board.closes_at > now
        board = board if board and grows else _board(first, now)
        taken = await _take(tx, told, board)
        if not taken:
            return
        why = digest.budget(policy.posts_per_hour, board.closes_at or now)
        whole = await tx.decisions.of_board(board.id)
        message = await self._message(tx, policy, whole, why, now)
        if grows:
            await tx.outbox.replace(_update(board, message, now), now)
        else:
            await _open(tx, board, taken, message)

    async def _message(
        self,
        tx: Transaction,
        policy: NoisePolicy,
        told: Sequence[Decided],
        why: str,
        now: datetime,
    ) -> Message:
        watches = await tx.watches.those({decided.watch_id for decided in told})
        jobs = await tx.jobs.get(told[0].workspace, {decided.ref for decided in told})
        items = [self._item(group, watches, jobs) for group in _by_job(told).values()]
        return menu.under(digest.message(items, why, digest.called(items, policy), now))

    def _item(
        self,
        group: tuple[Decided, ...],
        watches: dict[str, Watch],
        jobs: dict[JobRef, WatchedJob],
    ) -> Item:
        watch, tracked = watches.get(group[-1].watch_id), jobs.get(group[-1].ref)
        link = self._home.link(watch.channel, watch.card_ts, watch.thread_ts) if watch else None
        return Item(
            held=group,
            job=tracked.seen if tracked else None,
            link=link,
            asker=watch.asker if watch else "",
        )


def _by_job(told: Sequence[Decided]) -> dict[JobRef, tuple[Decided, ...]]:
    groups: dict[JobRef, tuple[Decided, ...]] = {}
    for decided in told:
        groups[decided.ref] = (*groups.get(decided.ref, ()), decided)
    return groups


def _board(first: Decided, now: datetime) -> Board:
    return Board(
        id=uuid.uuid4().hex,
        workspace=first.workspace,
        channel=first.channel,
        kind=BoardKind.DIGEST,
        asker="",
        opened_at=now,
        closes_at=now + GROWS,
    )


async def _take(tx: Transaction, told: Sequence[Decided], board: Board) -> list[Decided]:
    """Return what is ours to tell on this board: nobody else tells it any more."""
    return [
        decided
        for decided in told
        if await tx.decisions.again(replace(decided, until=None, board_id=board.id))
    ]


async def _open(tx: Transaction, board: Board, taken: Sequence[Decided], message: Message) -> None:
    """Write a digest down, with the keys of what it tells."""
    key = held.digest_key(board)
    post = NewPost(
        key=key,
        workspace=board.workspace,
        channel=board.channel,
        thread=key,
        kind=PostKind.POST,
        body={"message": message.model_dump(), "tells": [decided.key for decided in taken]},
        board_id=board.id,
        roots_watch=True,
        urgent=any(decided.bad for decided in taken),
        due_at=board.opened_at,
        reason="what was held back is told",
    )
    await tx.boards.add(board)
    await tx.outbox.add([post], board.opened_at)


def _update(board: Board, message: Message, now: datetime) -> NewPost:
    """Return the newest body of a digest that grows; it waits for the first to stand."""
    key = held.digest_key(board)
    return NewPost(
        key=f"{key}:grown",
        workspace=board.workspace,
        channel=board.channel,
        thread=key,
        kind=PostKind.UPDATE,
        body={"message": message.model_dump()},
        board_id=board.id,
        due_at=now + _GATHERED,
        reason="more is held back beyond the budget",
    )


async def _close(tx: Transaction, now: datetime) -> None:
    """Close the digests that have grown for long enough."""
    for board in await tx.boards.closing(now):
        if board.kind is BoardKind.DIGEST:
            await tx.boards.close(board.id, now)
