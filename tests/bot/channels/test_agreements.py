"""A contract changed: what is held is decided anew at once, neither lost nor told twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.asks import Ask, Kind
from bot.noise.decision import Action
from bot.playground import LocalSlack
from bot.testing import ManualClock, serve
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import Simulator
from tests.bot.conftest import Stage, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from bot.playground.messages import Message
    from bot.store import Decided

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
ALL_DAY = "/job set quiet_hours 00:00-23:59 UTC"


async def held(stage: Stage) -> list[Decided]:
    """Return what is held back in #deploys."""
    workspace = stage.slack.workspace
    async with stage.bot.store.begin() as tx:
        return await tx.decisions.held(workspace.team.id, workspace.channel("deploys").id)


async def silenced(stage: Stage) -> Message:
    """Let a job end well in quiet hours, and return its card."""
    await stage.says(ALL_DAY)
    await stage.whispered("nothing is told")
    stage.servicestage.add(JobScript(ID, (JobStep("PREPARE", 90),), queued_seconds=0))
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.finish(ID)
    await stage.polls()
    await stage.shown(card, "succeeded after")
    assert stage.thread(card) == []
    assert await held(stage)
    return card


async def test_what_is_held_is_told_as_soon_as_the_quiet_hours_are_called_off(
    stage: Stage,
) -> None:
    """Each piece of it once, in its order."""
    card = await silenced(stage)
    kept = [decided.text for decided in await held(stage)]
    await stage.says("/job set quiet_hours off")
    await stage.replied(card, kept[-1])
    assert [message.text for message in stage.thread(card)] == kept
    assert await held(stage) == []


async def test_what_is_held_is_not_told_twice_however_often_the_contract_changes(
    stage: Stage,
) -> None:
    """Off, on and off again."""
    card = await silenced(stage)
    kept = [decided.text for decided in await held(stage)]
    for command in ("/job set quiet_hours off", ALL_DAY, "/job set quiet_hours off"):
        await stage.says(command)
        await stage.at_rest()
    await stage.replied(card, kept[-1])
    assert [message.text for message in stage.thread(card)] == kept


async def test_what_the_new_contract_does_not_want_is_left_to_the_card(stage: Stage) -> None:
    """It is decided by the new rule, not forgotten."""
    card = await silenced(stage)
    (waiting,) = await held(stage)
    await stage.says("/job set follow_ups failures")
    await stage.whispered("failures only")
    assert await held(stage) == []
    async with stage.bot.store.begin() as tx:
        found = await tx.decisions.get(stage.slack.workspace.team.id, waiting.key)
    assert found
    assert (found.action, found.rule) == (Action.UPDATE, "follow_ups")
    assert stage.thread(card) == []


async def test_a_change_that_was_stored_before_a_crash_is_made_after_it(tmp_path: Path) -> None:
    """Together with what is held: one transaction has both."""
    clock = ManualClock()
    simulator = Simulator(clock)
    async with LocalSlack(clock=clock) as slack, serve(simulator.app) as url:
        settings = settings_for(slack, url, tmp_path)
        async with Bot(settings, clock=clock) as bot:
            stage = Stage(slack, simulator, clock, settings, bot)
            card = await silenced(stage)
            kept = [decided.text for decided in await held(stage)]
            await left_open(stage, "set quiet_hours off")
        async with Bot(settings, clock=clock) as bot:
            stage = Stage(slack, simulator, clock, settings, bot)
            await stage.replied(card, kept[-1])
            assert [message.text for message in stage.thread(card)] == kept
            assert await held(stage) == []


async def left_open(stage: Stage, text: str) -> None:
    """Store a question as a process does that dies before it answers."""
    workspace = stage.slack.workspace
    now = stage.clock.now()
    ask = Ask(
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
            kind=ask.kind,
            body=ask.model_dump(mode="json"),
            now=now,
            lease_until=now,
        )


async def test_a_change_that_cannot_be_written_whole_is_not_written_at_all(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where what is held cannot be decided anew, the old contract holds until the next try."""
    await silenced(stage)

    async def breaks(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr("bot.channels.agreements.redecide", breaks)
    await stage.says("/job set quiet_hours off")
    for _ in range(20):
        await stage.clock.advance(0.05)
    workspace = stage.slack.workspace
    async with stage.bot.store.begin() as tx:
        found = await stage.bot.notices.contract(
            tx, workspace.team.id, workspace.channel("deploys").id
        )
    assert found.policy.quiet_hours is not None
    assert await held(stage)


async def test_two_changes_of_two_clauses_at_the_same_moment_both_hold(stage: Stage) -> None:
    """Neither overwrites the other's."""
    await stage.says("/job set board on")
    await stage.says("/job set tasks all", user="ben")
    await stage.whispered("Changed what is told here")
    await stage.whispered("Changed what is told here", user="ben")
    workspace = stage.slack.workspace
    async with stage.bot.store.begin() as tx:
        own = await tx.contracts.get(workspace.team.id, workspace.channel("deploys").id)
    assert own
    assert own.values == {"board": True, "tasks": "all"}


async def test_going_back_where_nothing_was_set_changes_nothing(stage: Stage) -> None:
    """Nobody stands there as having changed it."""
    await stage.says("/job default")
    await stage.whispered("nothing was changed")
    workspace = stage.slack.workspace
    async with stage.bot.store.begin() as tx:
        assert await tx.contracts.get(workspace.team.id, workspace.channel("deploys").id) is None
