"""One run, put together: Slack, the provider, the people, the bot, the storm; then the verdict."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.simulators import Simulated, as_toml
from bot.playground import LocalSlack
from bot.playground.server import Timing
from bot.testing import serve
from chaos import report, storm
from chaos.crowd import RETRIES, Crowd, everybody, places
from chaos.journal import Journal
from chaos.plan import MOST_OVERTIME
from chaos.provider import Provider
from chaos.supervisor import Supervisor
from chaos.threads import Threads
from chaos.verdict import Verdict, judge, unanswered, untold
from plugins.huaweicloud.simulator import Tenant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from chaos.plan import Plan
    from chaos.report import Figures

PROGRESS_SECONDS = 10.0
LOOK_SECONDS = 0.5  # between looks whether the bot has caught up
# Slack's own rule, one post a second in a channel, and short bursts.
TIMING = Timing(retry_seconds=RETRIES, posts_per_second=1.0, burst=4)
_UNSAID = "SELECT count(*) FROM outbox WHERE state IN ('ready', 'sending') AND kind <> 'update'"
_UNANSWERED = "SELECT count(*) FROM inbox WHERE closed_at IS NULL"


@dataclass
class Stage:
    """Everything that takes part in one run."""

    plan: Plan
    slack: LocalSlack
    journal: Journal
    threads: Threads
    provider: Provider
    crowd: Crowd
    bot: Supervisor
    database: Path
    stormy_calls: int = 0  # of Slack's API, while things went wrong

    def unsaid(self) -> int:
        """Return how many questions and messages the bot still has to see to; cards aside.

        Slack takes 50 edits a minute, so that the cards of a run this quick take far longer.
        """
        address = f"{self.database.as_uri()}?mode=ro"
        with suppress(sqlite3.Error), sqlite3.connect(address, uri=True, timeout=1) as look:
            return sum(look.execute(query).fetchone()[0] for query in (_UNSAID, _UNANSWERED))
        return 1


async def run(plan: Plan) -> tuple[Figures, Verdict]:
    """Do one run; return its figures and what was wrong."""
    async with _staged(plan) as stage:
        progress = asyncio.create_task(_tell(stage))
        try:
            await stage.bot.start()
            await _rage(stage)
            catching_up = await _catch_up(stage)
        finally:
            progress.cancel()
            await stage.crowd.leave()
            await stage.bot.stop()
        verdict = judge(stage.journal, stage.threads, stage.crowd.attempts)
        return _figures(stage, verdict, catching_up), verdict


@asynccontextmanager
async def _staged(plan: Plan) -> AsyncIterator[Stage]:
    people, journal = everybody(plan), Journal()
    slack = LocalSlack(
        timing=TIMING, faults=storm.faults(plan), people=people, channels=places(people)
    )
    threads = Threads.of(slack.workspace)
    provider = Provider(plan, journal)
    crowd = Crowd(plan, slack, provider, threads)
    with tempfile.TemporaryDirectory(prefix="jobthread-chaos-") as folder:
        database, log = Path(folder) / "jobthread.db", Path(plan.log or f"{folder}/bot.log")
        async with slack, serve(provider.simulator.app) as url:
            settings = _write_settings(Path(folder), plan, slack, url, database)
            bot = Supervisor(slack, settings, journal, sabotage=plan.sabotage, log=log)
            yield Stage(plan, slack, journal, threads, provider, crowd, bot, database)


def _write_settings(folder: Path, plan: Plan, slack: LocalSlack, url: str, database: Path) -> Path:
    keys = Tenant().user_settings(url)  # a signature would expire with the clock
    deploys = Simulated("deploys", {"provider": "servicestage", "endpoint": url, **keys}, ())
    lines = [
        "[slack]",
        f'api_url = "{slack.api_url}"',
        "[store]",
        f'url = "sqlite:///{database.as_posix()}"',
        "[follow]",
        f"poll_seconds = {plan.poll_seconds}",
        "coalesce_seconds = 0.5",
        as_toml([deploys]),
    ]
    path = folder / "jobthread.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path


async def _rage(stage: Stage) -> None:
    """Let people ask and jobs move while everything goes wrong; then let it be over."""
    wild = storm.Storm(stage.plan, stage.slack, stage.bot, stage.journal, stage.threads)
    works = [stage.crowd.fidget(), wild.rage()]
    tasks = [asyncio.create_task(work) for work in (*works, stage.provider.run())]
    asking = asyncio.create_task(stage.crowd.ask())
    try:
        await _until(lambda: _found_out(stage), stage.plan.seconds)
        await _until(lambda: _enough(stage), stage.plan.seconds * MOST_OVERTIME)
    finally:
        wild.end()
        stage.stormy_calls = len(stage.slack.calls)
        for task in (*tasks, asking):
            task.cancel()
        found = await asyncio.gather(*tasks, asking, return_exceptions=True)
    for error in found:
        if isinstance(error, Exception):
            raise error
    stage.bot.wake()
    stage.provider.calm_down()


def _enough(stage: Stage) -> bool:
    """Whether so much went wrong, and had to be told, that the judgement means something."""
    if len(stage.journal.kills) >= stage.plan.kills:
        verdict = judge(stage.journal, stage.threads, stage.crowd.attempts)
        return verdict.owed >= stage.plan.owed or _found_out(stage)
    return _found_out(stage)


def _found_out(stage: Stage) -> bool:
    """Whether a run that is to fail has failed: what stands twice will not go away again."""
    if not stage.plan.sabotage:
        return False
    verdict = judge(stage.journal, stage.threads, stage.crowd.attempts)
    return bool(verdict.duplicated or verdict.disordered)


async def _catch_up(stage: Stage) -> float:
    """Wait until all is told and answered, as long as the plan allows; return how long it took."""
    began = time.monotonic()
    calling = asyncio.create_task(stage.crowd.call_in(stage.journal.shut))
    try:
        await _until(
            lambda: _found_out(stage) or not (stage.crowd.busy or _behind(stage)),
            stage.plan.patience_seconds,
        )
    finally:
        calling.cancel()
        found = await asyncio.gather(calling, return_exceptions=True)
    for error in found:
        if isinstance(error, Exception):
            raise error
    return time.monotonic() - began


async def _until(done: Callable[[], bool], seconds: float) -> None:
    """Wait until this holds, or so long; what is waited for is in another process."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not done():  # noqa: ASYNC110
        await asyncio.sleep(LOOK_SECONDS)


def _behind(stage: Stage) -> int:
    questions = unanswered(stage.journal, stage.threads, stage.crowd.attempts)
    return stage.unsaid() + untold(stage.journal, stage.threads) + questions


async def _tell(stage: Stage) -> None:
    """Say every now and then how it goes."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        seconds = time.monotonic() - began
        sys.stderr.write(
            f"{seconds:5.0f} s  kills {len(stage.journal.kills)}, questions"
            f" {len(stage.crowd.attempts)}, watches {len(stage.threads.roots)}, changes"
            f" {stage.journal.changes}, posts {stage.threads.posts}, to be said {stage.unsaid()},"
            f" ends to be told {untold(stage.journal, stage.threads)}, questions open"
            f" {unanswered(stage.journal, stage.threads, stage.crowd.attempts)}\n"
        )
        sys.stderr.flush()


def _figures(stage: Stage, verdict: Verdict, catching_up: float) -> Figures:
    subjects = [fault.subject for fault in stage.slack.faults.done]
    of_calls = sum("." in subject for subject in subjects)  # methods have a dot
    counted = report.Calls(stage.stormy_calls, of_calls, len(subjects) - of_calls)
    return report.figures(
        stage.plan,
        verdict,
        stage.journal,
        stage.threads,
        slack=counted,
        asks=len(stage.crowd.attempts),
        falls=stage.bot.falls,
        catching_up=catching_up,
    )
