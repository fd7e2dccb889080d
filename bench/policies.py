"""`policies`: messages in one channel on a recorded day, for each notification policy."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.in_memory_bot import InMemoryBot
from bench.in_memory_channel import Channel, ReplayClock
from bench.recorded_day import record_day
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
MAX_CLICKS = 2
POLICIES: dict[str, dict[str, Any]] = {
    "every change": {},
    "outcomes only": {"follow_ups": "outcomes"},
    "failures only": {"follow_ups": "failures"},
    "first failure, back to normal": {"follow_ups": "turns"},
    "board, 20 an hour": {"board": True, "posts_per_hour": 20},
}


@dataclass(frozen=True)
class MessageCounts:
    """Messages that a channel got on the day."""

    posts: int  # new messages: in the channel, or in threads
    roots: int  # of them, in the channel itself
    broadcasts: int  # replies that are also shown in the channel
    busiest: int  # posts in the busiest hour
    edits: int  # messages that were updated in place
    clicks: list[int | None]  # to each job that failed; None: it cannot be reached

    @property
    def lost(self) -> int:
        """Failed jobs that no message leads to within two clicks."""
        return sum(found is None or found > MAX_CLICKS for found in self.clicks)

    @property
    def row(self) -> dict[str, Number]:
        """The figures, by their names."""
        return {
            "posts": self.posts,
            "in_the_channel": self.roots + self.broadcasts,
            "posts_an_hour": self.posts / 24,
            "busiest_hour": self.busiest,
            "edits": self.edits,
            "most_clicks": max((found for found in self.clicks if found is not None), default=0),
            "failed_lost": self.lost,
        }


async def measure(*, tiny: bool = False) -> Report:
    """Replay the day once for each policy."""
    day = record_day(TINY_JOBS if tiny else JOBS, SEED)
    counts: dict[str, MessageCounts] = {}
    for name, policy in POLICIES.items():
        progress(f"a day of {len(day.runs)} jobs under: {name}")
        counts[name] = await run_policy(day, policy)
    return _report(day, counts)


async def run_policy(day: Day, policy: dict[str, Any]) -> MessageCounts:
    """Return the messages of the day under a policy."""
    async with _in_memory_bot(policy) as bot:
        await bot.replay(day)
        return _count(bot.channel, day)


@asynccontextmanager
async def _in_memory_bot(policy: dict[str, Any]) -> AsyncIterator[InMemoryBot]:
    """Build a bot around an in-memory channel."""
    notifier = Notifier(NotifySettings.model_validate(policy))
    clock = ReplayClock()
    with tempfile.TemporaryDirectory(prefix="jobthread-bench-") as folder:
        store = Store(f"sqlite:///{Path(folder) / 'jobthread.db'}")
        await store.open()
        yield InMemoryBot(store, notifier, clock, Channel(clock))
        await store.close()


def _count(channel: Channel, day: Day) -> MessageCounts:
    messages = list(channel.messages.values())
    hours = Counter(one.at.replace(minute=0, second=0, microsecond=0) for one in messages)
    return MessageCounts(
        posts=len(messages),
        roots=sum(one.thread_ts is None for one in messages),
        broadcasts=sum(one.broadcast for one in messages),
        busiest=max(hours.values()),
        edits=sum(one.edits for one in messages),
        clicks=[
            channel.clicks_to_failure(str(run.ref), run.job_at(run.ended).name)
            for run in day.failed
        ],
    )


def _report(day: Day, counts: dict[str, MessageCounts]) -> Report:
    unfiltered = counts["every change"]
    columns = tuple(unfiltered.row)
    return Report(
        name="policies",
        figures={
            f"{name}: {key}": value
            for name, one in counts.items()
            for key, value in one.row.items()
        },
        baseline=unfiltered.row,
        ratios={name: one.posts / unfiltered.posts for name, one in counts.items()},
        targets=tuple(
            Target(f"{name}: failed jobs not reached in {MAX_CLICKS} clicks", one.lost, "==", 0)
            for name, one in counts.items()
        ),
        columns=("", *columns),
        rows=[(name, *one.row.values()) for name, one in counts.items()],
        conditions=(
            f"a day from the seed {SEED}: {len(day.runs)} jobs in {len(day.requests)} commands,",
            f"  {len(day.changes)} changes, {len(day.failed)} jobs fail",
            "posts: new messages, in the channel or in a thread; a card is one",
            "most_clicks: to a message about a failed job; opening its thread is one click",
        ),
    )
