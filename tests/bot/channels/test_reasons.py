"""Why, asked in Slack: from a message's menu, of a job, and of a channel's week."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.noise.contracts import Origin
from bot.playground import LocalSlack
from bot.settings import NotifySettings
from bot.testing import ManualClock, serve
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import Simulator
from tests.bot.conftest import Stage, settings_for, staged

if TYPE_CHECKING:
    from pathlib import Path

    from bot.playground.messages import Message

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35"
STEPS = (JobStep("PREPARE", 30), JobStep("UPGRADE", 90))


async def followed(stage: Stage, id_: str = ID) -> Message:
    """Ask for a job that runs, and return its card."""
    stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    return await stage.asks(f"/job deploys:{id_}")


async def failed(stage: Stage, card: Message, id_: str = ID) -> Message:
    """Let a followed job fail, and return what its thread hears last."""
    stage.servicestage.fail(id_, 0, "disk full")
    await stage.polls()
    return await stage.replied(card, "failed")


def sections(message: Message) -> str:
    """Return what stands in a message's paragraphs."""
    return "\n".join(b["text"]["text"] for b in message.blocks if b["type"] == "section")


async def test_a_follow_up_tells_whoever_clicks_why_it_is_there(stage: Stage) -> None:
    """The rule, who asked, and where the setting comes from; nobody else sees it."""
    outcome = await failed(stage, await followed(stage))
    await stage.slack.choose(outcome, "more", "why", user="ben")
    said = await stage.whispered("This channel hears every change.", "ben")
    ada = stage.slack.workspace.user("ada").id
    assert "it ended badly" in said.text
    assert f"<@{ada}> asked for the job" in sections(said)
    assert f"`follow_ups`, now *every*: {Origin.BUILT_IN}." in sections(said)
    assert "`broadcast`, now *failure*" in sections(said)
    assert stage.slack.ephemerals("ada") == []


async def test_a_card_tells_that_it_was_asked_for(stage: Stage) -> None:
    """No rule decided about it, and none is named."""
    card = await followed(stage)
    await stage.slack.choose(card, "more", "why")
    said = await stage.whispered("so no setting decided about it")
    assert "It is still followed." in sections(said)


async def test_the_card_of_a_finished_job_tells_whom_it_answers(stage: Stage) -> None:
    """It is an answer, and nothing follows it."""
    stage.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
    stage.servicestage.finish(ID)
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.slack.choose(card, "more", "why")
    await stage.whispered("This answers what <@")


async def test_what_is_pruned_is_said_to_be_too_long_ago(stage: Stage) -> None:
    """A reason that is not known any more is not made up."""
    outcome = await failed(stage, await followed(stage))
    async with stage.bot.store.begin() as tx:
        later = stage.clock.now() + timedelta(days=1)
        await tx.outbox.prune(later)
        await tx.watches.prune(later)
        await tx.decisions.prune(later)
    await stage.slack.choose(outcome, "more", "why")
    await stage.whispered("too long ago: I remember for 30 days")


async def test_following_is_stopped_from_the_menu_of_a_card(stage: Stage) -> None:
    """As with the button, and the menu no longer offers it."""
    card = await followed(stage)
    await stage.slack.choose(card, "more", "stop")
    await stage.whispered("no longer followed")
    await stage.slack.until(lambda: "'stop'" not in str(stage.now(card).blocks))
    assert await stage.watches() == []


async def test_following_is_stopped_from_the_menu_of_a_follow_up(stage: Stage) -> None:
    """The message tells which job is meant, in a thread that others share, too."""
    root = (await stage.slack.says("the release")).message
    assert root is not None
    for id_ in (ID, OTHER):
        stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
        await stage.says(f"@jobthread {id_}", thread_ts=root.ts)
        await stage.replied(root, f"{id_[3:11]} is")
    stage.servicestage.refuse(times=None, status=503)
    await stage.looks(8)
    trouble = await stage.replied(root, f"deploys:{OTHER}")
    await stage.slack.choose(trouble, "more", "stop")
    await stage.whispered("no longer followed")
    assert {ref.id for ref in await stage.watches()} == {ID}


async def test_an_outcome_offers_nothing_to_stop(stage: Stage) -> None:
    """The job is over."""
    outcome = await failed(stage, await followed(stage))
    assert "'why'" in str(outcome.blocks)
    assert "'stop'" not in str(outcome.blocks)


async def test_a_peek_has_no_menu(stage: Stage) -> None:
    """Only the asker sees it, and knows why."""
    stage.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
    await stage.says(f"/job peek deploys:{ID}")
    assert "overflow" not in str((await stage.whispered("Only you see this")).blocks)


async def test_why_tells_what_became_of_a_jobs_news(stage: Stage) -> None:
    """Who asked, what the channel hears, and each decision with its reason."""
    await failed(stage, await followed(stage))
    await stage.says(f"/job why deploys:{ID}")
    said = await stage.whispered("nothing is held back now")
    assert "1 of 1 other decision told by a follow-up." in said.text
    assert "*told* · <!date^" in sections(said)
    assert "A job's thread hears every change. Of single tasks, it hears" in sections(said)


async def test_why_of_a_job_that_nobody_followed_here_says_so(stage: Stage) -> None:
    """And tells how far back it can see."""
    await stage.says(f"/job why deploys:{ID}")
    await stage.whispered("was not followed here in the last 30 days")


async def test_why_without_a_job_asks_which(stage: Stage) -> None:
    """As every verb that wants one."""
    await stage.says("/job why")
    await stage.whispered("Which job?")


def quiet(slack: LocalSlack, url: str, folder: Path, **values: Any) -> Any:
    """Return settings with other defaults for the channels."""
    plain = settings_for(slack, url, folder)
    return plain.model_copy(update={"notify": NotifySettings(**values)})


async def test_what_the_night_holds_back_is_told_to_whoever_asks_why(tmp_path: Path) -> None:
    """Until when, and by which rule."""
    clock = ManualClock()
    begins = clock.now() - timedelta(hours=1)
    hours = {"begins": begins.strftime("%H:%M"), "ends": _later(clock, 5), "zone": "UTC"}
    simulator = Simulator(clock)
    async with LocalSlack(clock=clock) as slack, serve(simulator.app) as url:
        settings = quiet(slack, url, tmp_path, quiet_hours=hours)
        async with Bot(settings, clock=clock) as bot:
            stage = Stage(slack, simulator, clock, settings, bot)
            card = await followed(stage)
            simulator.fail(ID, 0, "disk full")
            await stage.polls()
            await stage.shown(card, "failed")
            await stage.says(f"/job why deploys:{ID}")
            said = await stage.whispered("1 held back now")
            assert "held until <!date^" in sections(said)
            assert "These are quiet hours here until" in sections(said)
            assert str(Origin.SETTINGS) not in sections(said)


def _later(clock: ManualClock, hours: int) -> str:
    return f"{clock.now() + timedelta(hours=hours):%H:%M}"


async def test_noise_of_a_quiet_channel_says_that_nothing_was_posted(stage: Stage) -> None:
    """That is an answer, too."""
    await stage.says("/job noise")
    await stage.whispered("No follow-up was posted in this channel in the last 7 days.")


async def test_noise_counts_the_week_and_offers_what_would_have_spared_most(stage: Stage) -> None:
    """Counts first, then the settings, each with its button."""
    await failed(stage, await followed(stage))
    await stage.says("/job noise")
    said = await stage.whispered("1 follow-up in this channel in the last 7 days, 1 of failures.")
    assert "*Nothing outside the threads:* 1 fewer shown in the channel." in sections(said)
    values = [b["accessory"]["value"] for b in said.blocks if "accessory" in b]
    assert values == ["set broadcast never"]


async def test_a_channel_hears_its_own_figures_only(tmp_path: Path) -> None:
    """What is told next door is nobody's business here."""
    async with staged(tmp_path) as stage:
        await failed(stage, await followed(stage))
        await stage.says("/job noise", channel="im")
        await stage.whispered("No follow-up was posted")


async def test_what_was_held_counts_at_the_moment_at_which_it_was_told(stage: Stage) -> None:
    """A follow-up that waited for a day belongs to the day that heard it."""
    outcome = await failed(stage, await followed(stage))
    async with stage.bot.store.begin() as tx:
        place = stage.slack.workspace.team.id, outcome.channel
        (told,) = await tx.decisions.since(*place, stage.clock.now() - timedelta(days=1))
        later = replace(told, key="other", at=told.at + timedelta(hours=1))
        earlier = replace(told, key="another", at=told.at - timedelta(hours=1))
        for decided in (later, earlier):
            assert await tx.decisions.add(decided)
    await stage.says("/job noise")
    said = await stage.whispered("3 follow-ups in this channel in the last 7 days")
    first = int((told.at - timedelta(hours=1)).replace(minute=0, second=0).timestamp())
    assert f"The busiest hour began <!date^{first}^" in said.text
