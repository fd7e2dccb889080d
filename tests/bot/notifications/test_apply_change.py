"""Settings changes re-evaluate deferred notifications at once, without loss or repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.commands.request import Request, RequestKind
from bot.sdk.testing import ManualClock, serve
from bot.store import DeliveryAction
from localslack import LocalSlack
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import Simulator
from tests.harness import BotHarness, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from bot.store import DecisionRecord
    from localslack.state.messages import Message

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
ALL_DAY = "/job set quiet_hours 00:00-23:59 UTC"


async def deferred(harness: BotHarness) -> list[DecisionRecord]:
    """Return the deferred decisions of #deploys."""
    workspace = harness.slack.workspace
    async with harness.bot.store.begin() as tx:
        return await tx.decisions.deferred(workspace.team.id, workspace.channel("deploys").id)


async def end_in_quiet_hours(harness: BotHarness) -> Message:
    """End a job successfully during quiet hours, and return its card."""
    await harness.says(ALL_DAY)
    await harness.wait_for_ephemeral("nothing is told")
    harness.servicestage.add(JobScript(ID, (JobStep("PREPARE", 90),), queued_seconds=0))
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.servicestage.finish(ID)
    await harness.advance_poll()
    await harness.wait_for_card(card, "succeeded after")
    assert harness.thread(card) == []
    assert await deferred(harness)
    return card


async def test_ending_quiet_hours_posts_deferred_replies(
    harness: BotHarness,
) -> None:
    """Each is posted once, in order."""
    card = await end_in_quiet_hours(harness)
    texts = [decided.text for decided in await deferred(harness)]
    await harness.says("/job set quiet_hours off")
    await harness.wait_for_reply(card, texts[-1])
    assert [message.text for message in harness.thread(card)] == texts
    assert await deferred(harness) == []


async def test_repeated_changes_post_deferred_replies_once(
    harness: BotHarness,
) -> None:
    """Quiet hours are disabled, enabled and disabled again."""
    card = await end_in_quiet_hours(harness)
    texts = [decided.text for decided in await deferred(harness)]
    for command in ("/job set quiet_hours off", ALL_DAY, "/job set quiet_hours off"):
        await harness.says(command)
        await harness.settle()
    await harness.wait_for_reply(card, texts[-1])
    assert [message.text for message in harness.thread(card)] == texts


async def test_unwanted_deferred_reply_updates_the_card_only(harness: BotHarness) -> None:
    """The decision has the new rule."""
    card = await end_in_quiet_hours(harness)
    (waiting,) = await deferred(harness)
    await harness.says("/job set follow_ups failures")
    await harness.wait_for_ephemeral("failures only")
    assert await deferred(harness) == []
    async with harness.bot.store.begin() as tx:
        result = await tx.decisions.get(harness.slack.workspace.team.id, waiting.idempotency_key)
    assert result
    assert (result.action, result.rule) == (DeliveryAction.UPDATE, "follow_ups")
    assert harness.thread(card) == []


async def test_stored_change_is_applied_after_a_crash(tmp_path: Path) -> None:
    """Settings and deferred notifications change in one transaction."""
    clock = ManualClock()
    simulator = Simulator(clock)
    async with LocalSlack(clock=clock) as slack, serve(simulator.app) as url:
        settings = settings_for(slack, url, tmp_path)
        async with Bot(settings, clock=clock) as bot:
            harness = BotHarness(slack, simulator, clock, settings, bot)
            card = await end_in_quiet_hours(harness)
            texts = [decided.text for decided in await deferred(harness)]
            await store_request(harness, "set quiet_hours off")
        async with Bot(settings, clock=clock) as bot:
            harness = BotHarness(slack, simulator, clock, settings, bot)
            await harness.wait_for_reply(card, texts[-1])
            assert [message.text for message in harness.thread(card)] == texts
            assert await deferred(harness) == []


async def store_request(harness: BotHarness, text: str) -> None:
    """Store a request, as a process does that crashes before it replies."""
    workspace = harness.slack.workspace
    now = harness.clock.now()
    request = Request(
        kind=RequestKind.COMMAND,
        user=workspace.user("ada").id,
        channel=workspace.channel("deploys").id,
        requested_at=now,
        text=text,
    )
    async with harness.bot.store.begin() as tx:
        await tx.inbox.add(
            workspace=workspace.team.id,
            key="command:1",
            kind=request.kind,
            body=request.model_dump(mode="json"),
            now=now,
            lease_until=now,
        )


async def test_failed_reevaluation_rolls_the_change_back(
    harness: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old settings stay in effect until the next attempt."""
    await end_in_quiet_hours(harness)

    async def fail(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr("bot.notifications.apply_change.reevaluate", fail)
    await harness.says("/job set quiet_hours off")
    for _ in range(20):
        await harness.clock.advance(0.05)
    workspace = harness.slack.workspace
    async with harness.bot.store.begin() as tx:
        result = await harness.bot.notifier.channel_settings(
            tx, workspace.team.id, workspace.channel("deploys").id
        )
    assert result.policy.quiet_hours is not None
    assert await deferred(harness)


async def test_concurrent_changes_of_two_fields_both_apply(harness: BotHarness) -> None:
    """Neither overwrites the other."""
    await harness.says("/job set board on")
    await harness.says("/job set tasks all", user="ben")
    await harness.wait_for_ephemeral("Changed what is told here")
    await harness.wait_for_ephemeral("Changed what is told here", user="ben")
    workspace = harness.slack.workspace
    async with harness.bot.store.begin() as tx:
        overrides = await tx.channel_settings.get(
            workspace.team.id, workspace.channel("deploys").id
        )
    assert overrides
    assert overrides.values == {"board": True, "tasks": "all"}


async def test_default_without_overrides_changes_nothing(harness: BotHarness) -> None:
    """No row is stored, so no user is shown as the last editor."""
    await harness.says("/job default")
    await harness.wait_for_ephemeral("nothing was changed")
    workspace = harness.slack.workspace
    async with harness.bot.store.begin() as tx:
        assert (
            await tx.channel_settings.get(workspace.team.id, workspace.channel("deploys").id)
            is None
        )
