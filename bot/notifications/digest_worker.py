"""Digest worker: posts deferred notifications when they are due, each of them once.

The end of quiet hours yields one new message. Notifications beyond the hourly limit go into a
message that is extended for an hour. A digest and its decisions are written in one transaction.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.notifications import deferred, digest
from bot.notifications.digest import DigestItem
from bot.notifications.policy import HOUR
from bot.sdk.cards import overflow_menu
from bot.sdk.clock import Clock, Wakeup, seconds_until
from bot.sdk.errors import StoreError, origin
from bot.store import Board, BoardKind, DeliveryAction, MessageKind, NewMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.delivery.permalinks import Workspace
    from bot.notifications.notifier import Notifier
    from bot.notifications.policy import NotificationPolicy
    from bot.sdk.models import JobRef, Message
    from bot.store import DecisionRecord, Store, Transaction, Watch, WatchedJob

log = logging.getLogger(__name__)

POLL_SECONDS = 15.0  # the longest wait between two polls without a wake-up
RETRY_SECONDS = 60.0  # before a channel whose digest failed is tried again
GROWTH_PERIOD = HOUR  # how long a digest beyond the hourly limit is extended
_COALESCING_WINDOW = timedelta(seconds=3)  # changes of a digest within it are coalesced


class DigestWorker:
    """Posts deferred notifications when they are due."""

    def __init__(
        self,
        *,
        store: Store,
        notifier: Notifier,
        slack_workspace: Workspace,
        clock: Clock,
        wake_dispatcher: Callable[[], None],
    ) -> None:
        self._store = store
        self._notices = notifier
        self._home = slack_workspace
        self._clock = clock
        self._wake_dispatcher = wake_dispatcher  # wakes the outbox dispatcher
        self._wakeup = Wakeup(clock)

    def wake(self) -> None:
        """Poll at once: the deferred notifications may have changed."""
        self._wakeup.notify()

    def close(self) -> None:
        """End the current wait."""
        self._wakeup.notify()

    async def tick(self) -> float:
        """Post what is due, wait for more, and return the seconds until the next tick."""
        now = self._clock.now()
        async with self._store.begin() as tx:
            channels = await tx.decisions.channels_with_due(now)
            await _close(tx, now)
        succeeded = [await self._process_channel(*channel) for channel in channels]
        if any(succeeded):
            self._wake_dispatcher()
        async with self._store.begin() as tx:
            next_due = await tx.decisions.next_due()
        wait = (
            seconds_until(next_due, self._clock.now(), POLL_SECONDS)
            if all(succeeded)
            else RETRY_SECONDS
        )
        await self._wakeup.wait(wait)
        return 0.0

    async def _process_channel(self, workspace: str, channel: str) -> bool:
        """Post what is due in one channel. Return False on an error: other channels go on."""
        try:
            async with self._store.begin() as tx:
                await self._enqueue_due(tx, workspace, channel, self._clock.now())
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  the edge of a tick
            log.error("digest of channel %s failed, retrying later: %s", channel, origin(error))
            return False
        return True

    async def _enqueue_due(
        self, tx: Transaction, workspace: str, channel: str, now: datetime
    ) -> None:
        """Enqueue one digest, or settle its notifications without it, in one transaction."""
        policy = (await self._notices.channel_settings(tx, workspace, channel)).policy
        if policy.quiet_hours and policy.quiet_hours.end_after(now):
            # The quiet hours have changed: post only what the new ones allow.
            await deferred.reevaluate(tx, self._notices, workspace, channel, now)
        due = await tx.decisions.due(workspace, channel, now)
        records = await deferred.select_for_digest(tx, due, now)
        if any(decided.action is DeliveryAction.DEFER for decided in records):
            await self._post_quiet_hours_digest(tx, policy, records, now)
        elif records:
            await self._update_overflow_digest(tx, policy, records, now)

    async def _post_quiet_hours_digest(
        self,
        tx: Transaction,
        policy: NotificationPolicy,
        records: Sequence[DecisionRecord],
        now: datetime,
    ) -> None:
        """Enqueue the digest of the quiet hours that have ended."""
        end = max(decided.deferred_until for decided in records if decided.deferred_until)
        zone = ZoneInfo(policy.quiet_hours.zone) if policy.quiet_hours else None
        board = replace(_new_digest(records[0], now), closes_at=now, closed_at=now)
        if claimed := await _claim(tx, records, board):
            why = digest.quiet_hours_reason(end, zone)
            await _enqueue_new(
                tx, board, claimed, await self._message(tx, policy, claimed, why, now)
            )

    async def _update_overflow_digest(
        self,
        tx: Transaction,
        policy: NotificationPolicy,
        records: Sequence[DecisionRecord],
        now: datetime,
    ) -> None:
        """Extend the digest of what is beyond the hourly limit, or open a new one."""
        first = records[0]
        board = await tx.boards.latest_open(first.workspace, first.channel, BoardKind.DIGEST)
        extends = board is not None and board.closes_at is not None and board.closes_at > now
        board = board if board and extends else _new_digest(first, now)
        claimed = await _claim(tx, records, board)
        if not claimed:
            return
        why = digest.budget_reason(policy.posts_per_hour, board.closes_at or now)
        all_records = await tx.decisions.of_board(board.id)
        message = await self._message(tx, policy, all_records, why, now)
        if extends:
            await tx.outbox.replace(_update(board, message, now), now)
        else:
            await _enqueue_new(tx, board, claimed, message)

    async def _message(
        self,
        tx: Transaction,
        policy: NotificationPolicy,
        records: Sequence[DecisionRecord],
        why: str,
        now: datetime,
    ) -> Message:
        watches = await tx.watches.get_many({decided.watch_id for decided in records})
        jobs = await tx.jobs.get(records[0].workspace, {decided.ref for decided in records})
        items = [self._item(group, watches, jobs) for group in _group_by_job(records).values()]
        return overflow_menu.with_menu(
            digest.render_digest(items, why, digest.mentioned(items, policy), now)
        )

    def _item(
        self,
        group: tuple[DecisionRecord, ...],
        watches: dict[str, Watch],
        jobs: dict[JobRef, WatchedJob],
    ) -> DigestItem:
        watch, tracked = watches.get(group[-1].watch_id), jobs.get(group[-1].ref)
        link = (
            self._home.permalink(watch.channel, watch.card_ts, watch.thread_ts) if watch else None
        )
        return DigestItem(
            decisions=group,
            job=tracked.snapshot if tracked else None,
            link=link,
            asker=watch.asker if watch else "",
        )


def _group_by_job(records: Sequence[DecisionRecord]) -> dict[JobRef, tuple[DecisionRecord, ...]]:
    groups: dict[JobRef, tuple[DecisionRecord, ...]] = {}
    for decided in records:
        groups[decided.ref] = (*groups.get(decided.ref, ()), decided)
    return groups


def _new_digest(first: DecisionRecord, now: datetime) -> Board:
    return Board(
        id=uuid.uuid4().hex,
        workspace=first.workspace,
        channel=first.channel,
        kind=BoardKind.DIGEST,
        asker="",
        opened_at=now,
        closes_at=now + GROWTH_PERIOD,
    )


async def _claim(
    tx: Transaction, records: Sequence[DecisionRecord], board: Board
) -> list[DecisionRecord]:
    """Claim decisions for this digest. Return those whose compare-and-set succeeded."""
    return [
        decided
        for decided in records
        if await tx.decisions.redecide(replace(decided, deferred_until=None, board_id=board.id))
    ]


async def _enqueue_new(
    tx: Transaction, board: Board, claimed: Sequence[DecisionRecord], message: Message
) -> None:
    """Enqueue a digest with the keys of its decisions."""
    key = deferred.digest_idempotency_key(board)
    post = NewMessage(
        idempotency_key=key,
        workspace=board.workspace,
        channel=board.channel,
        ordering_key=key,
        kind=MessageKind.POST,
        body={
            "message": message.model_dump(),
            "tells": [decided.idempotency_key for decided in claimed],
        },
        board_id=board.id,
        creates_card=True,
        urgent=any(decided.failed for decided in claimed),
        due_at=board.opened_at,
        reason="deferred updates are posted",
    )
    await tx.boards.add(board)
    await tx.outbox.add([post], board.opened_at)


def _update(board: Board, message: Message, now: datetime) -> NewMessage:
    """Return the update of an extended digest; it is sent after the first message."""
    key = deferred.digest_idempotency_key(board)
    return NewMessage(
        idempotency_key=f"{key}:grown",
        workspace=board.workspace,
        channel=board.channel,
        ordering_key=key,
        kind=MessageKind.UPDATE,
        body={"message": message.model_dump()},
        board_id=board.id,
        due_at=now + _COALESCING_WINDOW,
        reason="more updates are beyond the hourly limit",
    )


async def _close(tx: Transaction, now: datetime) -> None:
    """Close the digests that are not extended any more."""
    for board in await tx.boards.due_to_close(now):
        if board.kind is BoardKind.DIGEST:
            await tx.boards.close(board.id, now)
