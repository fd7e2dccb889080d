"""A job's state as a reaction on the message that asked for it, where a channel wants only that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugins.servicestage.script import JobScript, JobStep
from tests.bot.conftest import Stage, staged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.playground.messages import Message

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35"
STEPS = (JobStep("PREPARE", 5), JobStep("UPGRADE", 90))


@pytest.fixture
async def calm(tmp_path: Path) -> AsyncIterator[Stage]:
    """A channel that wants reactions."""
    async with staged(tmp_path, notify={"reaction": True}) as stage:
        for id_ in (ID, OTHER):
            stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
        yield stage


async def mentions(stage: Stage, text: str) -> Message:
    """Ada asks by a mention; return her message."""
    answer = await stage.slack.says(f"@jobthread {text}")
    assert answer.message is not None
    return answer.message


async def shows(stage: Stage, asked: Message, *names: str) -> None:
    """Wait until the asker's message has just these reactions."""

    def reactions() -> set[str]:
        [now] = [m for m in stage.slack.messages() if m.ts == asked.ts]
        return {reaction.name for reaction in now.reactions}

    await stage.slack.until(lambda: reactions() == set(names))


def posts(stage: Stage) -> list[Message]:
    """Return what the bot posted, in the channel or in its threads."""
    roots = stage.slack.messages()
    threads = [reply for m in roots for reply in stage.slack.thread(m.channel, m.ts)[1:]]
    return [m for m in (*roots, *threads) if m.user == stage.slack.workspace.bot.id]


async def test_the_asker_s_message_shows_the_state_and_nothing_is_posted(calm: Stage) -> None:
    """From running to done, each in the place of the one before."""
    asked = await mentions(calm, ID)
    await shows(calm, asked, "arrow_forward")
    calm.servicestage.finish(ID)
    await calm.polls()
    await shows(calm, asked, "white_check_mark")
    await calm.at_rest()
    assert posts(calm) == []
    assert await calm.watches() == []


async def test_a_job_that_has_ended_is_told_by_a_reaction_too(calm: Stage) -> None:
    """It is not followed."""
    calm.servicestage.fail(ID, 0, "disk full")
    asked = await mentions(calm, ID)
    await shows(calm, asked, "x")
    assert await calm.watches() == []


async def test_a_command_leaves_no_message_to_react_to_so_it_gets_its_card(calm: Stage) -> None:
    """And its thread is told as ever."""
    card = await calm.asks(f"/job deploys:{ID}")
    calm.servicestage.finish(ID)
    await calm.polls()
    await calm.replied(card, "succeeded after")


async def test_several_jobs_of_one_message_get_their_cards(calm: Stage) -> None:
    """One reaction could not tell which of them it means."""
    await mentions(calm, f"{ID} and {OTHER}")
    await calm.slack.until(lambda: len(posts(calm)) == 2)


async def test_a_job_asked_for_again_is_answered_with_the_message_that_shows_it(
    calm: Stage,
) -> None:
    """No second watch, and a link to the first."""
    asked = await mentions(calm, ID)
    await shows(calm, asked, "arrow_forward")
    await calm.at_rest()
    await mentions(calm, ID)
    said = await calm.whispered("followed here already")
    assert asked.ts.replace(".", "") in str(said.blocks)


async def test_a_job_that_is_stopped_keeps_the_reaction_it_had(calm: Stage) -> None:
    """It is not followed any more, and nothing waits for a card that never comes."""
    asked = await mentions(calm, ID)
    await shows(calm, asked, "arrow_forward")
    await calm.says(f"/job unwatch {ID}")
    await calm.whispered("no longer followed")
    await calm.at_rest()
    assert await calm.watches() == []


async def test_a_sign_that_could_not_be_given_is_given_when_the_channel_comes_back(
    calm: Stage,
) -> None:
    """The newest alone, and whoever asked hears once that it was missing."""
    asked = await mentions(calm, ID)
    await shows(calm, asked, "arrow_forward")
    calm.slack.archive("deploys")
    calm.servicestage.finish(ID, "ROLLBACKING")
    await calm.looks(1)
    await calm.at_rest()
    for _ in range(65):
        await calm.clock.advance(60)
    calm.slack.workspace.unarchive("deploys")
    calm.servicestage.finish(ID, "SUCCEEDED")
    for _ in range(65):
        await calm.clock.advance(60)
    await shows(calm, asked, "white_check_mark")
    await calm.at_rest()
    assert posts(calm) == []
    assert await calm.watches() == []
    [told] = [m for m in calm.slack.messages("im") if m.user == calm.slack.workspace.bot.id]
    assert "I can no longer post" in told.text
