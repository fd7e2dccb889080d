"""A recorded day in one channel, under one noise policy after the other: what it hears."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.in_memory_bot import Room
from bench.in_memory_channel import Channel, Moment
from bench.recorded_day import recorded
from bench.report import Report, Target, progress
from bot.notifications.notifier import Notifier
from bot.notifications.policy import NotifySettings
from bot.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.recorded_day import Day
    from bench.report import Number

SEED = 7
JOBS, TINY_JOBS = 500, 4
MOST_CLICKS = 2
POLICIES: dict[str, dict[str, Any]] = {
    "every change": {},
    "outcomes only": {"follow_ups": "outcomes"},
    "failures only": {"follow_ups": "failures"},
    "first failure, back to normal": {"follow_ups": "turns"},
    "board, 20 an hour": {"board": True, "posts_per_hour": 20},
}


@dataclass(frozen=True)
class Heard:
    """What a channel heard of the day."""

    posts: int  # new messages: in the channel, or in threads
    roots: int  # of them, in the channel itself
    loud: int  # replies shown in the channel as well
    busiest: int  # posts in the busiest hour
    edits: int  # messages that were updated in place
    clicks: list[int | None]  # to each job that failed; None: it cannot be reached

    @property
    def lost(self) -> int:
        """How many failed jobs no message leads to in two clicks."""
        return sum(found is None or found > MOST_CLICKS for found in self.clicks)

    @property
    def row(self) -> dict[str, Number]:
        """The figures, by their names."""
        return {
            "posts": self.posts,
            "in_the_channel": self.roots + self.loud,
            "posts_an_hour": self.posts / 24,
            "busiest_hour": self.busiest,
            "edits": self.edits,
            "most_clicks": max((found for found in self.clicks if found is not None), default=0),
            "failed_lost": self.lost,
        }


async def measure(*, tiny: bool = False) -> Report:
    """Live the day once for each policy."""
    day = recorded(TINY_JOBS if tiny else JOBS, SEED)
    heard: dict[str, Heard] = {}
    for name, policy in POLICIES.items():
        progress(f"a day of {len(day.runs)} jobs under: {name}")
        heard[name] = await lived(day, policy)
    return _report(day, heard)


async def lived(day: Day, policy: dict[str, Any]) -> Heard:
    """Return what the channel heard of the day under a policy."""
    async with _room(policy) as room:
        await room.live(day)
        return _heard(room.channel, day)


@asynccontextmanager
async def _room(policy: dict[str, Any]) -> AsyncIterator[Room]:
    """Put the bot's own parts together, around a channel in memory."""
    notices = Notifier(NotifySettings.model_validate(policy))
    clock = Moment()
    with tempfile.TemporaryDirectory(prefix="jobthread-bench-") as folder:
        store = Store(f"sqlite:///{Path(folder) / 'jobthread.db'}")
        await store.open()
        yield Room(store, notices, clock, Channel(clock))
        await store.close()


def _heard(channel: Channel, day: Day) -> Heard:
    said = list(channel.said.values())
    hours = Counter(one.at.replace(minute=0, second=0, microsecond=0) for one in said)
    return Heard(
        posts=len(said),
        roots=sum(one.thread_ts is None for one in said),
        loud=sum(one.loud for one in said),
        busiest=max(hours.values()),
        edits=sum(one.edits for one in said),
        clicks=[
            channel.clicks_to_failure(str(run.ref), run.seen(run.ended).name) for run in day.failed
        ],
    )


def _report(day: Day, heard: dict[str, Heard]) -> Report:
    loudest = heard["every change"]
    columns = tuple(loudest.row)
    return Report(
        name="noise",
        figures={
            f"{name}: {key}": value for name, one in heard.items() for key, value in one.row.items()
        },
        baseline=loudest.row,
        ratios={name: one.posts / loudest.posts for name, one in heard.items()},
        targets=tuple(
            Target(f"{name}: failed jobs not reached in {MOST_CLICKS} clicks", one.lost, "==", 0)
            for name, one in heard.items()
        ),
        columns=("", *columns),
        rows=[(name, *one.row.values()) for name, one in heard.items()],
        conditions=(
            f"a day from the seed {SEED}: {len(day.runs)} jobs in {len(day.asks)} commands,",
            f"  {len(day.changes)} changes, {len(day.failed)} jobs fail",
            "posts: new messages, in the channel or in a thread; a card is one",
            "most_clicks: to the message that tells of a failed job; its thread is one click",
        ),
    )
