"""A channel with quiet hours, without Slack or providers: applies poll results, reads rows."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.delivery.permalinks import Workspace
from bot.notifications import deferred
from bot.notifications.digest_worker import DigestWorker
from bot.notifications.notifier import Notifier
from bot.providers.renderer import JobRenderer
from bot.sdk.models import Job, JobRef, Status, Task
from bot.sdk.testing import ManualClock
from bot.store import Store, Watch
from bot.store.tables import decisions, outbox
from bot.tracking.job_updates import JobUpdates, PollResult
from tests.bot.store.rows import rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy import Row

MIDNIGHT = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
CHANNEL_KEY = ("T1", "C1")
QUIET_HOURS = {"begins": "22:00", "ends": "07:00", "zone": "UTC"}


class QuietHoursHarness:
    """A store, the jobs of one channel and a digest worker that ticks on request."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = ManualClock(MIDNIGHT)
        self.notices = Notifier()
        self.following = JobUpdates(10.0, self.notices)

    async def change_settings(self, **values: Any) -> None:
        """Change the channel settings and re-evaluate the deferred notifications."""
        async with self.store.begin() as tx:
            own = await tx.channel_settings.get(*CHANNEL_KEY)
            over = own.revision if own else 0
            await tx.channel_settings.replace(
                *CHANNEL_KEY, values, "U1", self.clock.now(), expected_revision=over
            )
            await deferred.reevaluate(tx, self.notices, *CHANNEL_KEY, self.clock.now())

    async def follow(self, id_: str = "api", **fields: Any) -> Watch:
        """Follow a running job whose card is posted."""
        ref = JobRef(connection="deploys", id=id_)
        defaults = {"id": f"w-{id_}", "ref": ref, "asker": "U1", "card_ts": "1.0"}
        common = {
            "workspace": CHANNEL_KEY[0],
            "channel": CHANNEL_KEY[1],
            "requested_at": self.clock.now(),
        }
        watch = Watch(**(defaults | common | fields))
        async with self.store.begin() as tx:
            await tx.watches.add(watch)
            running = Job(ref=ref, name=id_, status=Status.RUNNING)
            await tx.jobs.track(CHANNEL_KEY[0], running, due_at=MIDNIGHT, now=self.clock.now())
        return watch

    async def poll(
        self, status: Status, id_: str = "api", native_status: str = "", step: str = ""
    ) -> None:
        """Apply the result of a poll, one second later."""
        await self.clock.advance(1)
        ref = JobRef(connection="deploys", id=id_)
        tasks = (Task(id=step, name=step, status=Status.FAILED),) if step else ()
        job = Job(ref=ref, name=id_, status=status, native_status=native_status, tasks=tasks)
        async with self.store.begin() as tx:
            watched = (await tx.jobs.get(CHANNEL_KEY[0], [ref]))[ref]
            await self.following.apply(
                tx, JobRenderer(), [PollResult(watched, job, self.clock.now())]
            )

    async def unfollow(self, id_: str = "api") -> None:
        """End the watch of a job, as when a user stops following it."""
        async with self.store.begin() as tx:
            await tx.watches.end([f"w-{id_}"], now=self.clock.now(), reason="stopped by U1")

    async def advance_to_morning(self) -> None:
        """Advance the clock to one second after the quiet hours."""
        await self.clock.advance((MIDNIGHT + timedelta(hours=7, seconds=1) - self.now).seconds)

    @property
    def now(self) -> datetime:
        """The current time."""
        return self.clock.now()

    async def tick(self) -> None:
        """Run one tick of a new digest worker."""
        worker = DigestWorker(
            store=self.store,
            notifier=self.notices,
            slack_workspace=Workspace(url="https://acme.slack.com/"),
            clock=self.clock,
            wake_dispatcher=lambda: None,
        )
        worker.wake()  # skips the wait at the end of the tick
        await worker.tick()

    async def posts(self, *kinds: str) -> list[Row[Any]]:
        """Return the outbox rows of these kinds, in order."""
        async with self.store.begin() as tx:
            return [row for row in await rows(tx, outbox) if row.kind in kinds]

    async def texts(self) -> list[str]:
        """Return the texts of new messages, thread replies and digests, in order."""
        return [row.body["message"]["text"] for row in await self.posts("post")]

    async def decision_rows(self) -> list[Row[Any]]:
        """Return the rows of all decisions, in order."""
        async with self.store.begin() as tx:
            return await rows(tx, decisions)

    async def actions(self) -> list[str]:
        """Return the actions of all decisions, in order."""
        return [str(row.action) for row in await self.decision_rows()]


@asynccontextmanager
async def open_harness(folder: Path) -> AsyncIterator[QuietHoursHarness]:
    """Open a harness on the database in this folder, which is created if missing."""
    store = Store(f"sqlite+aiosqlite:///{folder / 'night.db'}")
    await store.open()
    try:
        yield QuietHoursHarness(store)
    finally:
        await store.close()
