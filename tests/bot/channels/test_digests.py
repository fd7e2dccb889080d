"""Quiet hours and budgets: what is held back is told in one message, and once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.channels import held
from bot.store import WatchState
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.playground.messages import Message
    from bot.store import Decided
    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB27cb1778-07b1-4c8f-a183-c86cffbe8f9e"
THIRD = "JOB37cb1778-07b1-4c8f-a183-c86cffbe8f9e"
STEPS = (JobStep("PREPARE", 30_000), JobStep("UPGRADE", 90_000))


def place(stage: Stage) -> tuple[str, str]:
    """Return the workspace and the channel."""
    workspace = stage.slack.workspace
    return workspace.team.id, workspace.channel("deploys").id


async def agree(stage: Stage, **values: Any) -> None:
    """Let the channel change its contract, and wake whoever it concerns."""
    now = stage.clock.now()
    async with stage.bot.store.begin() as tx:
        await tx.contracts.set(*place(stage), values, "U1", now)
        await held.redecide(tx, stage.bot.notices, *place(stage), now)
    stage.bot.ring()


def quiet(stage: Stage, minutes: int = 30, **more: Any) -> dict[str, Any]:
    """Return quiet hours that have begun and end in so many minutes."""
    now = stage.clock.now()
    end = now + timedelta(minutes=minutes)
    hours = {"begins": f"{now - timedelta(hours=1):%H:%M}", "ends": f"{end:%H:%M}"}
    return {**hours, "zone": "UTC", **more}


async def follow(stage: Stage, id_: str = ID) -> Message:
    """Let a long job be followed in the channel."""
    stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    return await stage.asks(f"/job deploys:{id_}")


async def ends(stage: Stage, id_: str = ID, word: str = "SUCCEEDED") -> None:
    """Let a job end, and the bot see it."""
    if word == "FAILED":
        stage.servicestage.fail(id_, 0, "disk full")
    else:
        stage.servicestage.finish(id_, word)
    await stage.looks(1)
    await stage.at_rest()


async def pass_by(stage: Stage, minutes: float) -> None:
    """Let the time pass, and the bot do what it does."""
    for _ in range(round(minutes * 4)):
        await stage.clock.advance(15)
        await stage.at_rest()


def digests(stage: Stage) -> list[Message]:
    """Return the bot's messages in the channel that are no cards."""
    return [
        m
        for m in stage.slack.messages()
        if m.user == stage.slack.workspace.bot.id and " done" in m.text.split("\n")[0][:20]
    ]


async def waiting(stage: Stage) -> list[Decided]:
    """Return what is held."""
    async with stage.bot.store.begin() as tx:
        return await tx.decisions.held(*place(stage))


async def test_what_quiet_hours_held_back_is_one_message_when_they_end(stage: Stage) -> None:
    """Counts first, then a line for each job with the link to its card; the threads stay silent."""
    cards = [await follow(stage), await follow(stage, OTHER), await follow(stage, THIRD)]
    await agree(stage, quiet_hours=quiet(stage))
    await ends(stage)
    await ends(stage, OTHER, "FAILED")
    await stage.clock.advance(20 * 60)
    assert digests(stage) == []
    await pass_by(stage, 12)
    [told] = digests(stage)
    assert told.text.startswith("2 of 2 done, 1 failed: ")
    assert "at step PREPARE" in told.text.split("\n")[0]
    assert f"<@{stage.slack.workspace.user('ada').id}>" in told.text
    assert "Quiet hours until" in told.text
    for card in cards[:2]:
        assert card.ts.replace(".", "") in str(told.blocks)
    assert [stage.thread(card) for card in cards] == [[], [], []]
    assert await waiting(stage) == []


async def test_failures_may_pass_through_quiet_hours(stage: Stage) -> None:
    """They are told at once in their thread, and not again in the digest."""
    card = await follow(stage)
    other = await follow(stage, OTHER)
    await agree(stage, quiet_hours=quiet(stage, failures_pass=True))
    await ends(stage, ID, "FAILED")
    await ends(stage, OTHER)
    await stage.replied(card, "failed")
    await pass_by(stage, 32)
    [told] = digests(stage)
    assert told.text.startswith("1 of 1 done.")
    assert stage.thread(other) == []


async def test_beyond_the_budget_one_message_grows_in_place(stage: Stage) -> None:
    """The first is a follow-up, the rest one message, however much comes."""
    card = await follow(stage)
    await follow(stage, OTHER)
    await follow(stage, THIRD)
    await agree(stage, posts_per_hour=1)
    await ends(stage)
    await stage.replied(card, "succeeded")
    await ends(stage, OTHER, "FAILED")
    await pass_by(stage, 1)
    [told] = digests(stage)
    assert told.text.startswith("1 of 1 done, 1 failed: ")
    assert "This channel takes 1 follow-up an hour" in told.text
    await ends(stage, THIRD)
    await pass_by(stage, 1)
    [grown] = digests(stage)
    assert grown.ts == told.ts
    assert grown.text.startswith("2 of 2 done, 1 failed: ")


async def test_an_hour_after_it_was_opened_a_digest_grows_no_more(stage: Stage) -> None:
    """What comes then opens the next."""
    ids = [f"JOB{n}7cb1778-07b1-4c8f-a183-c86cffbe8f9e" for n in range(4)]
    for id_ in ids:
        await follow(stage, id_)
    await agree(stage, posts_per_hour=1)
    for id_ in ids[:2]:
        await ends(stage, id_)
    await pass_by(stage, 1)
    assert len(digests(stage)) == 1
    await pass_by(stage, 62)
    await ends(stage, ids[2])
    await ends(stage, ids[3])
    await pass_by(stage, 1)
    assert len(digests(stage)) == 2


async def test_a_change_of_a_digest_waits_until_its_message_stands(stage: Stage) -> None:
    """Slack is slow with the first: what comes meanwhile makes no second message."""
    for id_ in (ID, OTHER, THIRD):
        await follow(stage, id_)
    await agree(stage, posts_per_hour=1)
    await ends(stage)
    stage.slack.faults.rate_limit("chat.postMessage", retry_after=60)
    for id_ in (OTHER, THIRD):
        stage.servicestage.finish(id_)
        await stage.looks(1)
    await pass_by(stage, 2)
    [told] = digests(stage)
    assert told.text.startswith("2 of 2 done.")


async def test_a_digest_whose_answer_is_lost_is_found_and_not_repeated(stage: Stage) -> None:
    """It carries its key like every other post."""
    await follow(stage)
    await agree(stage, quiet_hours=quiet(stage))
    await ends(stage)
    stage.slack.faults.lose_answer("chat.postMessage")
    await pass_by(stage, 40)
    assert len(digests(stage)) == 1
    assert stage.slack.called("conversations.history")


async def test_a_bot_that_was_away_when_the_quiet_hours_ended_tells_the_digest_when_it_is_back(
    stage: Stage,
) -> None:
    """One message all the same, and only one however often it starts."""
    card = await follow(stage)
    await follow(stage, OTHER)
    await agree(stage, quiet_hours=quiet(stage))
    await ends(stage)
    await ends(stage, OTHER)
    await stage.bot.__aexit__(None, None, None)
    await stage.clock.advance(40 * 60)
    for _ in range(2):
        async with Bot(stage.settings, clock=stage.clock) as stage.bot:
            await pass_by(stage, 1)
    [told] = digests(stage)
    assert told.text.startswith("2 of 2 done.")
    assert stage.thread(card) == []


async def test_other_quiet_hours_in_the_settings_hold_at_the_next_start(stage: Stage) -> None:
    """What was held by the old ones is decided anew: without any, it is said in its thread."""
    card = await follow(stage)
    night = stage.settings.model_copy(
        update={
            "notify": stage.settings.notify.model_copy(
                update={"channels": {place(stage)[1]: {"quiet_hours": quiet(stage)}}}
            )
        }
    )
    await stage.bot.__aexit__(None, None, None)
    async with Bot(night, clock=stage.clock) as stage.bot:
        await ends(stage)
        assert len(await waiting(stage)) == 1
    async with Bot(stage.settings, clock=stage.clock) as stage.bot:
        await stage.replied(card, "succeeded")
    assert len(stage.thread(card)) == 1


async def test_a_job_that_nobody_follows_any_more_is_in_no_digest(stage: Stage) -> None:
    """Whoever stops it in the night is not told of it in the morning."""
    card = await follow(stage)
    await agree(stage, quiet_hours=quiet(stage))
    stage.servicestage.finish(ID, "ROLLBACKING")
    await stage.looks(1)
    await stage.slack.click(stage.now(card), "unfollow")
    await stage.whispered("no longer followed")
    await pass_by(stage, 32)
    assert digests(stage) == []
    async with stage.bot.store.begin() as tx:
        [decided] = await tx.decisions.since(*place(stage), datetime.min.replace(tzinfo=UTC))
    assert decided.rule == "stopped"


async def test_the_digest_tells_how_a_job_stands_by_then(stage: Stage) -> None:
    """Two changes of one job are one line: the newest."""
    await follow(stage)
    await agree(stage, quiet_hours=quiet(stage))
    await ends(stage, ID, "ROLLBACKING")
    await ends(stage, ID, "ROLLBACKED")
    await pass_by(stage, 32)
    [told] = digests(stage)
    assert told.text.startswith("1 of 1 done")
    assert "rolled back" in told.text
    assert "rolling back" not in told.text


async def test_a_refused_digest_goes_to_the_threads_and_comes_back_with_them(
    stage: Stage,
) -> None:
    """Nothing is lost with a channel: each asker hears once, each thread catches up once."""
    card = await follow(stage)
    await agree(stage, quiet_hours=quiet(stage))
    await ends(stage, ID, "FAILED")
    stage.slack.archive("deploys")
    await pass_by(stage, 32)
    [said] = [m for m in stage.slack.messages("im") if "no longer post" in m.text]
    assert ID in said.text
    async with stage.bot.store.begin() as tx:
        [(_, kept)] = await tx.parked.watches()
    assert kept == 1
    stage.slack.workspace.unarchive("deploys")
    await pass_by(stage, 75)
    [told] = stage.thread(card)
    assert "failed" in told.text
    assert digests(stage) == []


async def test_what_is_held_for_a_silent_thread_comes_back_with_it(stage: Stage) -> None:
    """The card was refused in the night already: no digest is tried, and nobody is told again."""
    card = await follow(stage)
    await agree(stage, quiet_hours=quiet(stage))
    stage.slack.archive("deploys")
    stage.servicestage.finish(ID, "ROLLBACKING")
    await stage.looks(1)
    await stage.at_rest()
    posts = len(stage.slack.called("chat.postMessage"))
    await pass_by(stage, 32)
    mouth = [m for m in stage.slack.messages("im") if "no longer post" in m.text]
    assert (len(stage.slack.called("chat.postMessage")) - posts, len(mouth)) == (0, 1)
    async with stage.bot.store.begin() as tx:
        [(watch, _)] = await tx.parked.watches()
    assert watch.state is WatchState.PARKED
    stage.slack.workspace.unarchive("deploys")
    await pass_by(stage, 75)
    [told] = stage.thread(card)
    assert "ROLLBACKING" in told.text


async def test_a_deleted_digest_is_told_anew_when_there_is_more(stage: Stage) -> None:
    """It cannot grow any more, so that a new one tells it all."""
    for id_ in (ID, OTHER, THIRD):
        await follow(stage, id_)
    await agree(stage, posts_per_hour=1)
    await ends(stage)
    await ends(stage, OTHER)
    await pass_by(stage, 1)
    [told] = digests(stage)
    stage.slack.delete(told)
    await ends(stage, THIRD)
    await pass_by(stage, 2)
    [again] = [m for m in digests(stage) if m.ts != told.ts]
    assert again.text.startswith("2 of 2 done.")


@asynccontextmanager
async def as_another(stage: Stage) -> AsyncIterator[Stage]:
    """Let another bot take the database over."""
    await stage.bot.__aexit__(None, None, None)
    async with Bot(stage.settings, clock=stage.clock) as stage.bot:
        yield stage


async def test_a_digest_that_was_written_down_survives_the_process(stage: Stage) -> None:
    """Whoever starts next sends it; what it tells is held no longer."""
    await follow(stage)
    await agree(stage, quiet_hours=quiet(stage))
    await ends(stage)
    stage.slack.faults.fail("chat.postMessage", status=503, times=3)
    await stage.clock.advance(30 * 60 + 1)
    assert await waiting(stage) == []
    async with as_another(stage):
        await pass_by(stage, 2)
    assert len(digests(stage)) == 1
