"""A job's status as a reaction on the request's message, if the channel settings say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugins.servicestage.script import JobScript, JobStep
from tests.harness import BotHarness, bot_harness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from localslack.state.messages import Message

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35"
STEPS = (JobStep("PREPARE", 5), JobStep("UPGRADE", 90))


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotHarness]:
    """A bot whose channels use reactions."""
    async with bot_harness(tmp_path, notify={"reaction": True}) as harness:
        for id_ in (ID, OTHER):
            harness.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
        yield harness


async def mention_bot(harness: BotHarness, text: str) -> Message:
    """Mention the bot as Ada; return her message."""
    answer = await harness.slack.says(f"@jobthread {text}")
    assert answer.message is not None
    return answer.message


async def wait_for_reactions(harness: BotHarness, asked: Message, *names: str) -> None:
    """Wait until the message has exactly these reactions."""

    def reactions() -> set[str]:
        [now] = [m for m in harness.slack.messages() if m.ts == asked.ts]
        return {reaction.name for reaction in now.reactions}

    await harness.slack.until(lambda: reactions() == set(names))


def bot_messages(harness: BotHarness) -> list[Message]:
    """Return the bot's messages in the channel and its threads."""
    roots = harness.slack.messages()
    threads = [reply for m in roots for reply in harness.slack.thread(m.channel, m.ts)[1:]]
    return [m for m in (*roots, *threads) if m.user == harness.slack.workspace.bot.id]


async def test_reaction_shows_the_status_and_nothing_is_posted(harness: BotHarness) -> None:
    """Each new reaction replaces the one before."""
    asked = await mention_bot(harness, ID)
    await wait_for_reactions(harness, asked, "arrow_forward")
    harness.servicestage.finish(ID)
    await harness.advance_poll()
    await wait_for_reactions(harness, asked, "white_check_mark")
    await harness.settle()
    assert bot_messages(harness) == []
    assert await harness.watches() == []


async def test_ended_job_gets_a_reaction(harness: BotHarness) -> None:
    """It is not followed."""
    harness.servicestage.fail(ID, 0, "disk full")
    asked = await mention_bot(harness, ID)
    await wait_for_reactions(harness, asked, "x")
    assert await harness.watches() == []


async def test_command_gets_a_card_instead_of_a_reaction(harness: BotHarness) -> None:
    """A slash command has no message to react to; its thread gets the outcome."""
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.servicestage.finish(ID)
    await harness.advance_poll()
    await harness.wait_for_reply(card, "succeeded after")


async def test_several_jobs_in_one_message_get_cards(harness: BotHarness) -> None:
    """One reaction could not show several statuses."""
    await mention_bot(harness, f"{ID} and {OTHER}")
    await harness.slack.until(lambda: len(bot_messages(harness)) == 2)


async def test_repeated_request_links_to_the_message_with_the_reaction(
    harness: BotHarness,
) -> None:
    """There is no second watch."""
    asked = await mention_bot(harness, ID)
    await wait_for_reactions(harness, asked, "arrow_forward")
    await harness.settle()
    await mention_bot(harness, ID)
    said = await harness.wait_for_ephemeral("followed here already")
    assert asked.ts.replace(".", "") in str(said.blocks)


async def test_unfollowed_job_keeps_its_reaction(harness: BotHarness) -> None:
    """The watch ends, and no outbox message waits for a card that never comes."""
    asked = await mention_bot(harness, ID)
    await wait_for_reactions(harness, asked, "arrow_forward")
    await harness.says(f"/job unwatch {ID}")
    await harness.wait_for_ephemeral("no longer followed")
    await harness.settle()
    assert await harness.watches() == []


async def test_missed_reaction_is_added_when_the_channel_is_back(
    harness: BotHarness,
) -> None:
    """Only the newest is added; the requester gets one notice that it was missing."""
    asked = await mention_bot(harness, ID)
    await wait_for_reactions(harness, asked, "arrow_forward")
    harness.slack.archive("deploys")
    harness.servicestage.finish(ID, "ROLLBACKING")
    await harness.poll_times(1)
    await harness.settle()
    for _ in range(65):
        await harness.clock.advance(60)
    harness.slack.workspace.unarchive("deploys")
    harness.servicestage.finish(ID, "SUCCEEDED")
    for _ in range(65):
        await harness.clock.advance(60)
    await wait_for_reactions(harness, asked, "white_check_mark")
    await harness.settle()
    assert bot_messages(harness) == []
    assert await harness.watches() == []
    [notice] = [m for m in harness.slack.messages("im") if m.user == harness.slack.workspace.bot.id]
    assert "I can no longer post" in notice.text
