"""A channel at night, without Slack and providers: looks are written down, and rows are read."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from bot.channels import held
from bot.channels.digests import Digests
from bot.channels.notices import Notices
from bot.following import Following, Look
from bot.home import Home
from bot.models import Job, JobRef, Status, Task
from bot.store import Store, Watch
from bot.store.tables import decisions, outbox
from bot.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy import Row

MIDNIGHT = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
PLACE = ("T1", "C1")
NIGHT = {"begins": "22:00", "ends": "07:00", "zone": "UTC"}


class Night:
    """A store, the jobs of one channel, and the digests, which tick when they are told to."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = ManualClock(MIDNIGHT)
        self.notices = Notices()
        self.following = Following(10.0, self.notices)

    async def agree(self, **values: Any) -> None:
        """Change the contract, and decide anew about what is held."""
        async with self.store.begin() as tx:
            own = await tx.contracts.get(*PLACE)
            over = own.revision if own else 0
            await tx.contracts.set(*PLACE, values, "U1", self.clock.now(), over=over)
            await held.redecide(tx, self.notices, *PLACE, self.clock.now())

    async def follow(self, id_: str = "api", **but: Any) -> Watch:
        """Follow a running job, whose card stands."""
        ref = JobRef(connection="deploys", id=id_)
        plain = {"id": f"w-{id_}", "ref": ref, "asker": "U1", "card_ts": "1.0"}
        here = {"workspace": PLACE[0], "channel": PLACE[1], "asked_at": self.clock.now()}
        watch = Watch(**(plain | here | but))
        async with self.store.begin() as tx:
            await tx.watches.add(watch)
            running = Job(ref=ref, name=id_, status=Status.RUNNING)
            await tx.jobs.track(PLACE[0], running, due_at=MIDNIGHT, now=self.clock.now())
        return watch

    async def looks(self, status: Status, id_: str = "api", word: str = "", step: str = "") -> None:
        """Write down what a look at a job found, a second later."""
        await self.clock.advance(1)
        ref = JobRef(connection="deploys", id=id_)
        tasks = (Task(id=step, name=step, status=Status.FAILED),) if step else ()
        found = Job(ref=ref, name=id_, status=status, native_status=word, tasks=tasks)
        async with self.store.begin() as tx:
            watched = (await tx.jobs.get(PLACE[0], [ref]))[ref]
            await self.following.write(tx, None, [Look(watched, found, self.clock.now())])

    async def stop(self, id_: str = "api") -> None:
        """Let a person stop the following."""
        async with self.store.begin() as tx:
            await tx.watches.end([f"w-{id_}"], now=self.clock.now(), reason="stopped by U1")

    async def morning(self) -> None:
        """Let the time pass until the quiet hours are over."""
        await self.clock.advance((MIDNIGHT + timedelta(hours=7, seconds=1) - self.now).seconds)

    @property
    def now(self) -> datetime:
        """What time it is."""
        return self.clock.now()

    async def tick(self) -> None:
        """Let the digests of a process look once."""
        digests = Digests(
            store=self.store,
            notices=self.notices,
            home=Home(url="https://acme.slack.com/"),
            clock=self.clock,
            ring=lambda: None,
        )
        digests.ring()  # so that it does not wait for more
        await digests.tick()

    async def posts(self, *kinds: str) -> list[Row[Any]]:
        """Return the rows of the outbox of these kinds, in their order."""
        async with self.store.begin() as tx:
            rows = await tx.outbox._connection.execute(select(outbox).order_by(outbox.c.id))
            return [row for row in rows if row.kind in kinds]

    async def texts(self) -> list[str]:
        """Return what is posted anew, threads and digests, in its order."""
        return [row.body["message"]["text"] for row in await self.posts("post")]

    async def decided(self) -> list[Row[Any]]:
        """Return all decisions in their order."""
        async with self.store.begin() as tx:
            rows = await tx.decisions._connection.execute(
                select(decisions).order_by(decisions.c.id)
            )
            return list(rows)

    async def actions(self) -> list[str]:
        """Return what was decided, in its order."""
        return [str(row.action) for row in await self.decided()]


@asynccontextmanager
async def night(folder: Path) -> AsyncIterator[Night]:
    """Open a night on a database in this folder, a new one or one that was left."""
    store = Store(f"sqlite+aiosqlite:///{folder / 'night.db'}")
    await store.open()
    try:
        yield Night(store)
    finally:
        await store.close()
