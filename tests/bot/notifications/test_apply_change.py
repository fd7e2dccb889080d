"""Settings changes re-evaluate deferred notifications at once, without loss or repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.commands.request import Ask, Kind
from bot.notifications.decision import Action
from bot.sdk.testing import ManualClock, serve
from localslack import LocalSlack
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import Simulator
from tests.bot.conftest import Stage, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from bot.store import Decided
    from localslack.state.messages import Message

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
ALL_DAY = "/job set quiet_hours 00:00-23:59 UTC"


async def deferred(stage: Stage) -> list[Decided]:
    """Return the deferred decisions of #deploys."""
    workspace = stage.slack.workspace
    async with stage.bot.store.begin() as tx:
        return await tx.decisions.held(workspace.team.id, workspace.channel("deploys").id)


async def end_in_quiet_hours(stage: Stage) -> Message:
    """End a job successfully during quiet hours, and return its card."""
    await stage.says(ALL_DAY)
    await stage.whispered("nothing is told")
    stage.servicestage.add(JobScript(ID, (JobStep("PREPARE", 90),), queued_seconds=0))
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.finish(ID)
    await stage.polls()
    await stage.shown(card, "succeeded after")
    assert stage.thread(card) == []
    assert await deferred(stage)
    return card


async def test_ending_quiet_hours_posts_deferred_replies(
    stage: Stage,
) -> None:
    """Each is posted once, in order."""
    card = await end_in_quiet_hours(stage)
    texts = [decided.text for decided in await deferred(stage)]
    await stage.says("/job set quiet_hours off")
    await stage.replied(card, texts[-1])
    assert [message.text for message in stage.thread(card)] == texts
    assert await deferred(stage) == []


async def test_repeated_changes_post_deferred_replies_once(
    stage: Stage,
) -> None:
    """Quiet hours are disabled, enabled and disabled again."""
    card = await end_in_quiet_hours(stage)
    texts = [decided.text for decided in await deferred(stage)]
    for command in ("/job set quiet_hours off", ALL_DAY, "/job set quiet_hours off"):
        await stage.says(command)
        await stage.at_rest()
    await stage.replied(card, texts[-1])
    assert [message.text for message in stage.thread(card)] == texts


async def test_unwanted_deferred_reply_updates_the_card_only(stage: Stage) -> None:
    """The decision has the new rule."""
    card = await end_in_quiet_hours(stage)
    (waiting,) = await deferred(stage)
    await stage.says("/job set follow_ups failures")
    await stage.whispered("failures only")
    assert await deferred(stage) == []
    async with stage.bot.store.begin() as tx:
        result = await tx.decisions.get(stage.slack.workspace.team.id, waiting.key)
    assert result
    assert (result.action, result.rule) == (Action.UPDATE, "follow_ups")
    assert stage.thread(card) == []


async def test_stored_change_is_applied_after_a_crash(tmp_path: Path) -> None:
    """Settings and deferred notifications change in one transaction."""
    clock = ManualClock()
    simulator = Simulator(clock)
    async with LocalSlack(clock=clock) as slack, serve(simulator.app) as url:
        settings = settings_for(slack, url, tmp_path)
        async with Bot(settings, clock=clock) as bot:
            stage = Stage(slack, simulator, clock, settings, bot)
            card = await end_in_quiet_hours(stage)
            texts = [decided.text for decided in await deferred(stage)]
            await store_request(stage, "set quiet_hours off")
        async with Bot(settings, clock=clock) as bot:
            stage = Stage(slack, simulator, clock, settings, bot)
            await stage.replied(card, texts[-1])
            assert [message.text for message in stage.thread(card)] == texts
            assert await deferred(stage) == []


async def store_request(stage: Stage, text: str) -> None:
    """Store a request, as a process does that crashes before it replies."""
    workspace = stage.slack.workspace
    now = stage.clock.now()
    request = Ask(
        kind=Kind.COMMAND,
        user=workspace.user("ada").id,
        channel=workspace.channel("deploys").id,
        at=now,
        text=text,
    )
    async with stage.bot.store.begin() as tx:
        await tx.inbox.add(
            workspace=workspace.team.id,
            key="command:1",
            kind=request.kind,
            body=request.model_dump(mode="json"),
            now=now,
            lease_until=now,
        )


async def test_failed_reevaluation_rolls_the_change_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old settings stay in effect until the next attempt."""
    await end_in_quiet_hours(stage)

    async def fail(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr("bot.notifications.apply_change.redecide", fail)
    await stage.says("/job set quiet_hours off")
    for _ in range(20):
        await stage.clock.advance(0.05)
    workspace = stage.slack.workspace
    async with stage.bot.store.begin() as tx:
        result = await stage.bot.notices.contract(
            tx, workspace.team.id, workspace.channel("deploys").id
        )
    assert result.policy.quiet_hours is not None
    assert await deferred(stage)


async def test_concurrent_changes_of_two_fields_both_apply(stage: Stage) -> None:
    """Neither overwrites the other."""
    await stage.says("/job set board on")
    await stage.says("/job set tasks all", user="ben")
    await stage.whispered("Changed what is told here")
    await stage.whispered("Changed what is told here", user="ben")
    workspace = stage.slack.workspace
    async with stage.bot.store.begin() as tx:
        overrides = await tx.contracts.get(workspace.team.id, workspace.channel("deploys").id)
    assert overrides
    assert overrides.values == {"board": True, "tasks": "all"}


async def test_default_without_overrides_changes_nothing(stage: Stage) -> None:
    """No row is stored, so no user is shown as the last editor."""
    await stage.says("/job default")
    await stage.whispered("nothing was changed")
    workspace = stage.slack.workspace
    async with stage.bot.store.begin() as tx:
        assert await tx.contracts.get(workspace.team.id, workspace.channel("deploys").id) is None
