"""Explanations and reports requested in Slack: of a message, a job and a channel."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.notifications.effective_settings import Origin
from bot.sdk.testing import ManualClock, serve
from bot.settings import NotifySettings
from localslack import LocalSlack
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import Simulator
from tests.bot.conftest import Stage, settings_for, staged

if TYPE_CHECKING:
    from pathlib import Path

    from localslack.state.messages import Message

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35"
STEPS = (JobStep("PREPARE", 30), JobStep("UPGRADE", 90))


async def follow(stage: Stage, id_: str = ID) -> Message:
    """Request a running job, and return its card."""
    stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    return await stage.asks(f"/job deploys:{id_}")


async def fail_job(stage: Stage, card: Message, id_: str = ID) -> Message:
    """Let a followed job fail, and return the last thread reply."""
    stage.servicestage.fail(id_, 0, "disk full")
    await stage.polls()
    return await stage.replied(card, "failed")


def sections(message: Message) -> str:
    """Return the text of a message's sections."""
    return "\n".join(b["text"]["text"] for b in message.blocks if b["type"] == "section")


async def test_reply_menu_explains_the_reply_to_the_clicker_only(stage: Stage) -> None:
    """It has the rule, the asker and the origin of the setting."""
    outcome = await fail_job(stage, await follow(stage))
    await stage.slack.choose(outcome, "more", "why", user="ben")
    reply = await stage.whispered("This channel hears every change.", "ben")
    ada = stage.slack.workspace.user("ada").id
    assert "it ended badly" in reply.text
    assert f"<@{ada}> asked for the job" in sections(reply)
    assert f"`follow_ups`, now *every*: {Origin.BUILT_IN}." in sections(reply)
    assert "`broadcast`, now *failure*" in sections(reply)
    assert stage.slack.ephemerals("ada") == []


async def test_card_menu_says_that_the_card_was_requested(stage: Stage) -> None:
    """No rule decided about it, so none is named."""
    card = await follow(stage)
    await stage.slack.choose(card, "more", "why")
    reply = await stage.whispered("so no setting decided about it")
    assert "It is still followed." in sections(reply)


async def test_finished_jobs_card_names_whom_it_answers(stage: Stage) -> None:
    """It is a reply, and no watch follows the job."""
    stage.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
    stage.servicestage.finish(ID)
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.slack.choose(card, "more", "why")
    await stage.whispered("This answers what <@")


async def test_pruned_message_reports_the_retention(stage: Stage) -> None:
    """An unknown reason is not invented."""
    outcome = await fail_job(stage, await follow(stage))
    async with stage.bot.store.begin() as tx:
        later = stage.clock.now() + timedelta(days=1)
        await tx.outbox.prune(later)
        await tx.watches.prune(later)
        await tx.decisions.prune(later)
    await stage.slack.choose(outcome, "more", "why")
    await stage.whispered("too long ago: I remember for 30 days")


async def test_card_menu_unfollows_the_job(stage: Stage) -> None:
    """The menu no longer offers it afterwards."""
    card = await follow(stage)
    await stage.slack.choose(card, "more", "stop")
    await stage.whispered("no longer followed")
    await stage.slack.until(lambda: "'stop'" not in str(stage.now(card).blocks))
    assert await stage.watches() == []


async def test_reply_menu_unfollows_its_job_in_a_shared_thread(stage: Stage) -> None:
    """The message determines the job."""
    root = (await stage.slack.says("the release")).message
    assert root is not None
    for id_ in (ID, OTHER):
        stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
        await stage.says(f"@jobthread {id_}", thread_ts=root.ts)
        await stage.replied(root, f"{id_[3:11]} is")
    stage.servicestage.refuse(times=None, status=503)
    await stage.looks(8)
    polling_failed = await stage.replied(root, f"deploys:{OTHER}")
    await stage.slack.choose(polling_failed, "more", "stop")
    await stage.whispered("no longer followed")
    assert {ref.id for ref in await stage.watches()} == {ID}


async def test_outcome_menu_does_not_offer_to_unfollow(stage: Stage) -> None:
    """The job has ended."""
    outcome = await fail_job(stage, await follow(stage))
    assert "'why'" in str(outcome.blocks)
    assert "'stop'" not in str(outcome.blocks)


async def test_peek_has_no_menu(stage: Stage) -> None:
    """Only the asker sees it, and knows the reason."""
    stage.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
    await stage.says(f"/job peek deploys:{ID}")
    assert "overflow" not in str((await stage.whispered("Only you see this")).blocks)


async def test_why_lists_the_decisions_about_a_job(stage: Stage) -> None:
    """It has the asker, the policy, and each decision with its reason."""
    await fail_job(stage, await follow(stage))
    await stage.says(f"/job why deploys:{ID}")
    reply = await stage.whispered("nothing is deferred now")
    assert "1 of 1 other decision told by a follow-up." in reply.text
    assert "*told* · <!date^" in sections(reply)
    assert "A job's thread hears every change. Of single tasks, it hears" in sections(reply)


async def test_why_of_an_unfollowed_job_reports_the_retention(stage: Stage) -> None:
    """Older watches are not stored."""
    await stage.says(f"/job why deploys:{ID}")
    await stage.whispered("was not followed here in the last 30 days")


async def test_why_without_a_job_asks_for_one(stage: Stage) -> None:
    """Every verb that needs a job does."""
    await stage.says("/job why")
    await stage.whispered("Which job?")


def settings_with(slack: LocalSlack, url: str, folder: Path, **values: Any) -> Any:
    """Return settings with these `[notify]` values."""
    settings = settings_for(slack, url, folder)
    return settings.model_copy(update={"notify": NotifySettings(**values)})


async def test_why_shows_deferred_notifications(tmp_path: Path) -> None:
    """It has the end of the quiet hours and the rule."""
    clock = ManualClock()
    begins = clock.now() - timedelta(hours=1)
    hours = {"begins": begins.strftime("%H:%M"), "ends": _later(clock, 5), "zone": "UTC"}
    simulator = Simulator(clock)
    async with LocalSlack(clock=clock) as slack, serve(simulator.app) as url:
        settings = settings_with(slack, url, tmp_path, quiet_hours=hours)
        async with Bot(settings, clock=clock) as bot:
            stage = Stage(slack, simulator, clock, settings, bot)
            card = await follow(stage)
            simulator.fail(ID, 0, "disk full")
            await stage.polls()
            await stage.shown(card, "failed")
            await stage.says(f"/job why deploys:{ID}")
            reply = await stage.whispered("1 deferred now")
            assert "deferred until <!date^" in sections(reply)
            assert "These are quiet hours here until" in sections(reply)
            assert str(Origin.SETTINGS) not in sections(reply)


def _later(clock: ManualClock, hours: int) -> str:
    return f"{clock.now() + timedelta(hours=hours):%H:%M}"


async def test_report_of_a_channel_without_posts_says_so(stage: Stage) -> None:
    """The request still gets a reply."""
    await stage.says("/job noise")
    await stage.whispered("No follow-up was posted in this channel in the last 7 days.")


async def test_report_has_counts_and_recommended_settings(stage: Stage) -> None:
    """The counts come first, then each setting with its button."""
    await fail_job(stage, await follow(stage))
    await stage.says("/job noise")
    reply = await stage.whispered("1 follow-up in this channel in the last 7 days, 1 of failures.")
    assert "*Nothing outside the threads:* 1 fewer shown in the channel." in sections(reply)
    values = [b["accessory"]["value"] for b in reply.blocks if "accessory" in b]
    assert values == ["set broadcast never"]


async def test_report_covers_its_own_channel_only(tmp_path: Path) -> None:
    """Posts in other channels are not counted."""
    async with staged(tmp_path) as stage:
        await fail_job(stage, await follow(stage))
        await stage.says("/job noise", channel="im")
        await stage.whispered("No follow-up was posted")


async def test_deferred_reply_counts_at_its_posting_time(stage: Stage) -> None:
    """A reply that was deferred for a day counts on the day it was posted."""
    outcome = await fail_job(stage, await follow(stage))
    async with stage.bot.store.begin() as tx:
        place = stage.slack.workspace.team.id, outcome.channel
        (posted,) = await tx.decisions.since(*place, stage.clock.now() - timedelta(days=1))
        later = replace(posted, key="other", at=posted.at + timedelta(hours=1))
        earlier = replace(posted, key="another", at=posted.at - timedelta(hours=1))
        for decided in (later, earlier):
            assert await tx.decisions.add(decided)
    await stage.says("/job noise")
    reply = await stage.whispered("3 follow-ups in this channel in the last 7 days")
    first = int((posted.at - timedelta(hours=1)).replace(minute=0, second=0).timestamp())
    assert f"The busiest hour began <!date^{first}^" in reply.text
