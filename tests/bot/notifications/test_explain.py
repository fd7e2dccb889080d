"""Explanations and reports requested in Slack: of a message, a job and a channel."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.notifications.effective_settings import Origin
from bot.notifications.policy import NotifySettings
from bot.sdk.testing import ManualClock, serve
from localslack import LocalSlack
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import Simulator
from tests.harness import BotHarness, bot_harness, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from localslack.state.messages import Message

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35"
STEPS = (JobStep("PREPARE", 30), JobStep("UPGRADE", 90))


async def follow(harness: BotHarness, id_: str = ID) -> Message:
    """Request a running job, and return its card."""
    harness.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    return await harness.request_card(f"/job deploys:{id_}")


async def fail_job(harness: BotHarness, card: Message, id_: str = ID) -> Message:
    """Let a followed job fail, and return the last thread reply."""
    harness.servicestage.fail(id_, 0, "disk full")
    await harness.advance_poll()
    return await harness.wait_for_reply(card, "failed")


def sections(message: Message) -> str:
    """Return the text of a message's sections."""
    return "\n".join(b["text"]["text"] for b in message.blocks if b["type"] == "section")


async def test_reply_menu_explains_the_reply_to_the_clicker_only(harness: BotHarness) -> None:
    """It has the rule, the asker and the origin of the setting."""
    outcome = await fail_job(harness, await follow(harness))
    await harness.slack.choose(outcome, "more", "why", user="ben")
    reply = await harness.wait_for_ephemeral("This channel hears every change.", "ben")
    ada = harness.slack.workspace.user("ada").id
    assert "it ended badly" in reply.text
    assert f"<@{ada}> asked for the job" in sections(reply)
    assert f"`follow_ups`, now *every*: {Origin.BUILT_IN}." in sections(reply)
    assert "`broadcast`, now *failure*" in sections(reply)
    assert harness.slack.ephemerals("ada") == []


async def test_card_menu_says_that_the_card_was_requested(harness: BotHarness) -> None:
    """No rule decided about it, so none is named."""
    card = await follow(harness)
    await harness.slack.choose(card, "more", "why")
    reply = await harness.wait_for_ephemeral("so no setting decided about it")
    assert "It is still followed." in sections(reply)


async def test_finished_jobs_card_names_whom_it_answers(harness: BotHarness) -> None:
    """It is a reply, and no watch follows the job."""
    harness.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
    harness.servicestage.finish(ID)
    card = await harness.request_card(f"/job deploys:{ID}")
    await harness.slack.choose(card, "more", "why")
    await harness.wait_for_ephemeral("This answers what <@")


async def test_pruned_message_reports_the_retention(harness: BotHarness) -> None:
    """An unknown reason is not invented."""
    outcome = await fail_job(harness, await follow(harness))
    async with harness.bot.store.begin() as tx:
        later = harness.clock.now() + timedelta(days=1)
        await tx.outbox.prune(later)
        await tx.watches.prune(later)
        await tx.decisions.prune(later)
    await harness.slack.choose(outcome, "more", "why")
    await harness.wait_for_ephemeral("too long ago: I remember for 30 days")


async def test_card_menu_unfollows_the_job(harness: BotHarness) -> None:
    """The menu no longer offers it afterwards."""
    card = await follow(harness)
    await harness.slack.choose(card, "more", "stop")
    await harness.wait_for_ephemeral("no longer followed")
    await harness.slack.until(lambda: "'stop'" not in str(harness.current(card).blocks))
    assert await harness.watches() == []


async def test_reply_menu_unfollows_its_job_in_a_shared_thread(harness: BotHarness) -> None:
    """The message determines the job."""
    root = (await harness.slack.says("the release")).message
    assert root is not None
    for id_ in (ID, OTHER):
        harness.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
        await harness.says(f"@jobthread {id_}", thread_ts=root.ts)
        await harness.wait_for_reply(root, f"{id_[3:11]} is")
    harness.servicestage.fail_calls(times=None, status=503)
    await harness.poll_times(8)
    polling_failed = await harness.wait_for_reply(root, f"deploys:{OTHER}")
    await harness.slack.choose(polling_failed, "more", "stop")
    await harness.wait_for_ephemeral("no longer followed")
    assert {ref.id for ref in await harness.watches()} == {ID}


async def test_outcome_menu_does_not_offer_to_unfollow(harness: BotHarness) -> None:
    """The job has ended."""
    outcome = await fail_job(harness, await follow(harness))
    assert "'why'" in str(outcome.blocks)
    assert "'stop'" not in str(outcome.blocks)


async def test_peek_has_no_menu(harness: BotHarness) -> None:
    """Only the asker sees it, and knows the reason."""
    harness.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
    await harness.says(f"/job peek deploys:{ID}")
    assert "overflow" not in str((await harness.wait_for_ephemeral("Only you see this")).blocks)


async def test_why_lists_the_decisions_about_a_job(harness: BotHarness) -> None:
    """It has the asker, the policy, and each decision with its reason."""
    await fail_job(harness, await follow(harness))
    await harness.says(f"/job why deploys:{ID}")
    reply = await harness.wait_for_ephemeral("nothing is deferred now")
    assert "1 of 1 other decision told by a follow-up." in reply.text
    assert "*told* · <!date^" in sections(reply)
    assert "A job's thread hears every change. Of single tasks, it hears" in sections(reply)


async def test_why_of_an_unfollowed_job_reports_the_retention(harness: BotHarness) -> None:
    """Older watches are not stored."""
    await harness.says(f"/job why deploys:{ID}")
    await harness.wait_for_ephemeral("was not followed here in the last 30 days")


async def test_why_without_a_job_asks_for_one(harness: BotHarness) -> None:
    """Every verb that needs a job does."""
    await harness.says("/job why")
    await harness.wait_for_ephemeral("Which job?")


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
            harness = BotHarness(slack, simulator, clock, settings, bot)
            card = await follow(harness)
            simulator.fail(ID, 0, "disk full")
            await harness.advance_poll()
            await harness.wait_for_card(card, "failed")
            await harness.says(f"/job why deploys:{ID}")
            reply = await harness.wait_for_ephemeral("1 deferred now")
            assert "deferred until <!date^" in sections(reply)
            assert "These are quiet hours here until" in sections(reply)
            assert str(Origin.BOT_DEFAULTS) not in sections(reply)


def _later(clock: ManualClock, hours: int) -> str:
    return f"{clock.now() + timedelta(hours=hours):%H:%M}"


async def test_report_of_a_channel_without_posts_says_so(harness: BotHarness) -> None:
    """The request still gets a reply."""
    await harness.says("/job noise")
    await harness.wait_for_ephemeral("No follow-up was posted in this channel in the last 7 days.")


async def test_report_has_counts_and_recommended_settings(harness: BotHarness) -> None:
    """The counts come first, then each setting with its button."""
    await fail_job(harness, await follow(harness))
    await harness.says("/job noise")
    reply = await harness.wait_for_ephemeral(
        "1 follow-up in this channel in the last 7 days, 1 of failures."
    )
    assert "*Nothing outside the threads:* 1 fewer shown in the channel." in sections(reply)
    values = [b["accessory"]["value"] for b in reply.blocks if "accessory" in b]
    assert values == ["set broadcast never"]


async def test_report_covers_its_own_channel_only(tmp_path: Path) -> None:
    """Posts in other channels are not counted."""
    async with bot_harness(tmp_path) as harness:
        await fail_job(harness, await follow(harness))
        await harness.says("/job noise", channel="im")
        await harness.wait_for_ephemeral("No follow-up was posted")


async def test_deferred_reply_counts_at_its_posting_time(harness: BotHarness) -> None:
    """A reply that was deferred for a day counts on the day it was posted."""
    outcome = await fail_job(harness, await follow(harness))
    async with harness.bot.store.begin() as tx:
        place = harness.slack.workspace.team.id, outcome.channel
        (posted,) = await tx.decisions.since(*place, harness.clock.now() - timedelta(days=1))
        later = replace(
            posted, idempotency_key="other", decided_at=posted.decided_at + timedelta(hours=1)
        )
        earlier = replace(
            posted, idempotency_key="another", decided_at=posted.decided_at - timedelta(hours=1)
        )
        for decided in (later, earlier):
            assert await tx.decisions.add(decided)
    await harness.says("/job noise")
    reply = await harness.wait_for_ephemeral("3 follow-ups in this channel in the last 7 days")
    first = int((posted.decided_at - timedelta(hours=1)).replace(minute=0, second=0).timestamp())
    assert f"The busiest hour began <!date^{first}^" in reply.text
