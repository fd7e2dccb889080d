"""One run: starts Slack, provider, users, bot and faults; returns figures and verdict."""

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

from bot.cli.demo.simulators import Simulated, as_toml
from bot.sdk.testing import serve
from chaos import random_faults, report
from chaos.journal import Journal
from chaos.plan import MAX_OVERTIME
from chaos.provider import SimulatedProvider
from chaos.simulated_users import RETRIES, SimulatedUsers, all_channels, all_users
from chaos.supervisor import Supervisor
from chaos.threads import BotMessages
from chaos.verdict import Verdict, judge, missing_outcomes, unanswered_requests
from localslack import LocalSlack, Timing
from plugins.huaweicloud.simulator import Tenant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from chaos.plan import Plan
    from chaos.report import Figures

PROGRESS_SECONDS = 10.0
CHECK_SECONDS = 0.5  # between checks of a condition
# Slack's limit: one post a second per channel, with short bursts.
TIMING = Timing(retry_seconds=RETRIES, posts_per_second=1.0, burst=4)
_UNSENT = "SELECT count(*) FROM outbox WHERE state IN ('ready', 'sending') AND kind <> 'update'"
_UNANSWERED = "SELECT count(*) FROM inbox WHERE closed_at IS NULL"


@dataclass
class RunContext:
    """The participants of one run."""

    plan: Plan
    slack: LocalSlack
    journal: Journal
    threads: BotMessages
    provider: SimulatedProvider
    users: SimulatedUsers
    bot: Supervisor
    database: Path
    calls_during_faults: int = 0  # of Slack's API

    def count_unsent(self) -> int:
        """Return the number of open requests and unsent messages, without card updates.

        Slack accepts 50 edits a minute, so the card updates of a short run take far longer.
        """
        address = f"{self.database.as_uri()}?mode=ro"
        with suppress(sqlite3.Error), sqlite3.connect(address, uri=True, timeout=1) as connection:
            return sum(connection.execute(query).fetchone()[0] for query in (_UNSENT, _UNANSWERED))
        return 1


async def run(plan: Plan) -> tuple[Figures, Verdict]:
    """Execute one run; return its figures and the verdict."""
    async with _start_participants(plan) as context:
        progress = asyncio.create_task(_print_progress(context))
        try:
            await context.bot.start()
            await _inject_faults(context)
            catch_up_seconds = await _catch_up(context)
        finally:
            progress.cancel()
            await context.users.close()
            await context.bot.stop()
        verdict = judge(context.journal, context.threads, context.users.attempts)
        return _figures(context, verdict, catch_up_seconds), verdict


@asynccontextmanager
async def _start_participants(plan: Plan) -> AsyncIterator[RunContext]:
    people, journal = all_users(plan), Journal()
    slack = LocalSlack(
        timing=TIMING,
        faults=random_faults.slack_faults(plan),
        users=people,
        channels=all_channels(people),
    )
    threads = BotMessages.subscribe(slack.workspace)
    provider = SimulatedProvider(plan, journal)
    users = SimulatedUsers(plan, slack, provider, threads)
    with tempfile.TemporaryDirectory(prefix="jobthread-chaos-") as folder:
        database, log = Path(folder) / "jobthread.db", Path(plan.log or f"{folder}/bot.log")
        async with slack, serve(provider.simulator.app) as url:
            settings = _write_settings(Path(folder), plan, slack, url, database)
            bot = Supervisor(
                slack, settings, journal, disabled_safeguard=plan.disabled_safeguard, log=log
            )
            yield RunContext(plan, slack, journal, threads, provider, users, bot, database)


def _write_settings(folder: Path, plan: Plan, slack: LocalSlack, url: str, database: Path) -> Path:
    keys = Tenant().user_settings(url)  # signed requests would expire after a clock step
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


async def _inject_faults(context: RunContext) -> None:
    """Send requests and move jobs under faults; then stop the faults."""
    faults = random_faults.RandomFaults(
        context.plan, context.slack, context.bot, context.journal, context.threads
    )
    coroutines = [context.users.click_at_random(), faults.run()]
    tasks = [asyncio.create_task(work) for work in (*coroutines, context.provider.run())]
    requesting = asyncio.create_task(context.users.send_requests())
    try:
        await _until(lambda: _failed_as_intended(context), context.plan.seconds)
        await _until(lambda: _is_conclusive(context), context.plan.seconds * MAX_OVERTIME)
    finally:
        faults.clear()
        context.calls_during_faults = len(context.slack.calls)
        for task in (*tasks, requesting):
            task.cancel()
        found = await asyncio.gather(*tasks, requesting, return_exceptions=True)
    for error in found:
        if isinstance(error, Exception):
            raise error
    context.bot.resume()
    context.provider.stop_faults()


def _is_conclusive(context: RunContext) -> bool:
    """Return whether there were enough kills and expected replies for a verdict."""
    if len(context.journal.kills) >= context.plan.min_kills:
        verdict = judge(context.journal, context.threads, context.users.attempts)
        return verdict.expected >= context.plan.min_expected or _failed_as_intended(context)
    return _failed_as_intended(context)


def _failed_as_intended(context: RunContext) -> bool:
    """Return whether a run with a disabled safeguard has produced a permanent violation."""
    if not context.plan.disabled_safeguard:
        return False
    verdict = judge(context.journal, context.threads, context.users.attempts)
    return bool(verdict.duplicated or verdict.out_of_order)


async def _catch_up(context: RunContext) -> float:
    """Wait, up to the plan's timeout, until all is posted and answered; return the seconds."""
    began = time.monotonic()
    list_commands = asyncio.create_task(
        context.users.send_list_commands(context.journal.closed_channels)
    )
    try:
        await _until(
            lambda: (
                _failed_as_intended(context) or not (context.users.busy or _count_pending(context))
            ),
            context.plan.catch_up_timeout_seconds,
        )
    finally:
        list_commands.cancel()
        found = await asyncio.gather(list_commands, return_exceptions=True)
    for error in found:
        if isinstance(error, Exception):
            raise error
    return time.monotonic() - began


async def _until(done: Callable[[], bool], seconds: float) -> None:
    """Poll a condition, with a timeout; it depends on another process."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not done():  # noqa: ASYNC110
        await asyncio.sleep(CHECK_SECONDS)


def _count_pending(context: RunContext) -> int:
    open_requests = unanswered_requests(context.journal, context.threads, context.users.attempts)
    return (
        context.count_unsent() + missing_outcomes(context.journal, context.threads) + open_requests
    )


async def _print_progress(context: RunContext) -> None:
    """Print the progress to stderr, until cancelled."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        seconds = time.monotonic() - began
        sys.stderr.write(
            f"{seconds:5.0f} s  kills {len(context.journal.kills)}, requests"
            f" {len(context.users.attempts)}, watches {len(context.threads.cards)}, changes"
            f" {context.journal.changes}, posts {context.threads.posts}, unsent"
            f" {context.count_unsent()}, missing outcomes"
            f" {missing_outcomes(context.journal, context.threads)}, open requests"
            f" {unanswered_requests(context.journal, context.threads, context.users.attempts)}\n"
        )
        sys.stderr.flush()


def _figures(context: RunContext, verdict: Verdict, catch_up_seconds: float) -> Figures:
    subjects = [fault.subject for fault in context.slack.faults.injected]
    call_faults = sum("." in subject for subject in subjects)  # methods have a dot
    counts = report.CallCounts(
        context.calls_during_faults, call_faults, len(subjects) - call_faults
    )
    return report.figures(
        context.plan,
        verdict,
        context.journal,
        context.threads,
        slack=counts,
        requests=len(context.users.attempts),
        crashes=context.bot.crashes,
        catch_up_seconds=catch_up_seconds,
    )
