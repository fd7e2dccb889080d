"""A job's status as a reaction on the request's message, if the channel settings say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugins.servicestage.script import JobScript, JobStep
from tests.bot.conftest import Stage, staged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from localslack.state.messages import Message

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35"
STEPS = (JobStep("PREPARE", 5), JobStep("UPGRADE", 90))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A bot whose channels use reactions."""
    async with staged(tmp_path, notify={"reaction": True}) as stage:
        for id_ in (ID, OTHER):
            stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
        yield stage


async def mention_bot(stage: Stage, text: str) -> Message:
    """Mention the bot as Ada; return her message."""
    answer = await stage.slack.says(f"@jobthread {text}")
    assert answer.message is not None
    return answer.message


async def wait_for_reactions(stage: Stage, asked: Message, *names: str) -> None:
    """Wait until the message has exactly these reactions."""

    def reactions() -> set[str]:
        [now] = [m for m in stage.slack.messages() if m.ts == asked.ts]
        return {reaction.name for reaction in now.reactions}

    await stage.slack.until(lambda: reactions() == set(names))


def bot_messages(stage: Stage) -> list[Message]:
    """Return the bot's messages in the channel and its threads."""
    roots = stage.slack.messages()
    threads = [reply for m in roots for reply in stage.slack.thread(m.channel, m.ts)[1:]]
    return [m for m in (*roots, *threads) if m.user == stage.slack.workspace.bot.id]


async def test_reaction_shows_the_status_and_nothing_is_posted(stage: Stage) -> None:
    """Each new reaction replaces the one before."""
    asked = await mention_bot(stage, ID)
    await wait_for_reactions(stage, asked, "arrow_forward")
    stage.servicestage.finish(ID)
    await stage.polls()
    await wait_for_reactions(stage, asked, "white_check_mark")
    await stage.at_rest()
    assert bot_messages(stage) == []
    assert await stage.watches() == []


async def test_ended_job_gets_a_reaction(stage: Stage) -> None:
    """It is not followed."""
    stage.servicestage.fail(ID, 0, "disk full")
    asked = await mention_bot(stage, ID)
    await wait_for_reactions(stage, asked, "x")
    assert await stage.watches() == []


async def test_command_gets_a_card_instead_of_a_reaction(stage: Stage) -> None:
    """A slash command has no message to react to; its thread gets the outcome."""
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.finish(ID)
    await stage.polls()
    await stage.replied(card, "succeeded after")


async def test_several_jobs_in_one_message_get_cards(stage: Stage) -> None:
    """One reaction could not show several statuses."""
    await mention_bot(stage, f"{ID} and {OTHER}")
    await stage.slack.until(lambda: len(bot_messages(stage)) == 2)


async def test_repeated_request_links_to_the_message_with_the_reaction(
    stage: Stage,
) -> None:
    """There is no second watch."""
    asked = await mention_bot(stage, ID)
    await wait_for_reactions(stage, asked, "arrow_forward")
    await stage.at_rest()
    await mention_bot(stage, ID)
    said = await stage.whispered("followed here already")
    assert asked.ts.replace(".", "") in str(said.blocks)


async def test_unfollowed_job_keeps_its_reaction(stage: Stage) -> None:
    """The watch ends, and no outbox message waits for a card that never comes."""
    asked = await mention_bot(stage, ID)
    await wait_for_reactions(stage, asked, "arrow_forward")
    await stage.says(f"/job unwatch {ID}")
    await stage.whispered("no longer followed")
    await stage.at_rest()
    assert await stage.watches() == []


async def test_missed_reaction_is_added_when_the_channel_is_back(
    stage: Stage,
) -> None:
    """Only the newest is added; the requester gets one notice that it was missing."""
    asked = await mention_bot(stage, ID)
    await wait_for_reactions(stage, asked, "arrow_forward")
    stage.slack.archive("deploys")
    stage.servicestage.finish(ID, "ROLLBACKING")
    await stage.looks(1)
    await stage.at_rest()
    for _ in range(65):
        await stage.clock.advance(60)
    stage.slack.workspace.unarchive("deploys")
    stage.servicestage.finish(ID, "SUCCEEDED")
    for _ in range(65):
        await stage.clock.advance(60)
    await wait_for_reactions(stage, asked, "white_check_mark")
    await stage.at_rest()
    assert bot_messages(stage) == []
    assert await stage.watches() == []
    [notice] = [m for m in stage.slack.messages("im") if m.user == stage.slack.workspace.bot.id]
    assert "I can no longer post" in notice.text
