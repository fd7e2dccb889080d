"""Notices: what a channel's contract lets through, with the reason kept beside it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bot.channels.notices import news_of
from bot.models import Change, Job, JobRef, Status, Task
from bot.noise.decision import Action, Happening
from plugins.servicestage.script import JobScript, JobStep
from tests.bot.conftest import Stage, staged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.playground.messages import Message
    from bot.store import Decided

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35"
STEPS = (JobStep("PREPARE", 5), JobStep("UPGRADE", 90))
REF = JobRef(connection="deploys", id=ID)
BUILD = Task(id="1", name="build", status=Status.SUCCEEDED)


@asynccontextmanager
async def heard(folder: Path, **policy: Any) -> AsyncIterator[Stage]:
    """Set the stage in a place that wants to hear no more than this."""
    async with staged(folder, notify=policy) as stage:
        stage.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
        yield stage


async def decided(stage: Stage) -> list[Decided]:
    """Return what was decided about the one job, oldest first."""
    place = stage.slack.workspace.team.id, stage.slack.workspace.channel("deploys").id
    async with stage.bot.store.begin() as tx:
        return await tx.decisions.since(*place, stage.clock.now().replace(year=2000))


async def ends(stage: Stage, card: Message, *, well: bool) -> None:
    """Let the job end, and wait until its card says so."""
    if well:
        stage.servicestage.finish(ID)
    else:
        stage.servicestage.fail(ID, 1, "disk full")
    await stage.polls()
    await stage.shown(card, "succeeded" if well else "failed")
    await stage.at_rest()


async def test_every_follow_up_has_its_reason_beside_it(tmp_path: Path) -> None:
    """Why is a look-up: the rule and a sentence, under the key of the message."""
    async with heard(tmp_path) as stage:
        card = await stage.asks(f"/job deploys:{ID}")
        await ends(stage, card, well=True)
        [one] = await decided(stage)
        assert (one.action, one.rule, one.happening) == (
            Action.POST,
            "follow_ups",
            Happening.OUTCOME,
        )
        assert one.reason == "This channel hears every change."
        assert one.text == stage.thread(card)[0].text


async def test_a_channel_of_failures_is_spared_a_success(tmp_path: Path) -> None:
    """The card alone tells it, and the decision is kept."""
    async with heard(tmp_path, follow_ups="failures") as stage:
        card = await stage.asks(f"/job deploys:{ID}")
        await ends(stage, card, well=True)
        assert stage.thread(card) == []
        [one] = await decided(stage)
        assert one.action is Action.UPDATE
        assert one.reason == "This channel hears of failures only. The card shows it."


async def test_a_channel_of_failures_hears_a_failure(tmp_path: Path) -> None:
    """The one thing it wants."""
    async with heard(tmp_path, follow_ups="failures") as stage:
        card = await stage.asks(f"/job deploys:{ID}")
        await ends(stage, card, well=False)
        assert "failed" in stage.thread(card)[-1].text


async def test_a_channel_that_wants_no_broadcast_hears_a_failure_in_the_thread(
    tmp_path: Path,
) -> None:
    """Nothing of it is shown in the channel."""
    async with heard(tmp_path, broadcast="never") as stage:
        card = await stage.asks(f"/job deploys:{ID}")
        await ends(stage, card, well=False)
        assert not any(message.broadcast for message in stage.thread(card))


async def test_nobody_is_called_where_nobody_wants_it(tmp_path: Path) -> None:
    """The outcome is told without a name."""
    async with heard(tmp_path, mention="nobody") as stage:
        card = await stage.asks(f"/job deploys:{ID}")
        await ends(stage, card, well=True)
        assert "<@" not in stage.thread(card)[-1].text


async def test_a_user_group_is_called_on_failure(tmp_path: Path) -> None:
    """Instead of the asker."""
    async with heard(tmp_path, mention="group", group="S0123ABC") as stage:
        card = await stage.asks(f"/job deploys:{ID}")
        await ends(stage, card, well=False)
        outcome = stage.thread(card)[-1]
        assert "<!subteam^S0123ABC>" in outcome.text
        assert "<@" not in outcome.text


async def test_a_channel_of_all_tasks_hears_of_one_that_went_well(tmp_path: Path) -> None:
    """The others are spared it, and nothing is kept of it there."""
    async with heard(tmp_path, tasks="all") as stage:
        card = await stage.asks(f"/job deploys:{ID}")
        await stage.polls()
        assert "PREPARE" in (await stage.replied(card, "PREPARE")).text
    (tmp_path / "normal").mkdir()
    async with heard(tmp_path / "normal") as stage:
        card = await stage.asks(f"/job deploys:{ID}")
        await stage.polls()
        await stage.shown(card, "1 of 2")
        await stage.at_rest()
        assert stage.thread(card) == []
        assert await decided(stage) == []


async def test_the_second_failure_of_a_series_is_old_news_and_a_recovery_is_not(
    tmp_path: Path,
) -> None:
    """First failure and back to normal: of the jobs of one series, not of one job."""
    async with heard(tmp_path, follow_ups="turns", tasks="none") as stage:
        for id_, well, told in ((ID, False, True), (OTHER, False, False), (ID, True, True)):
            stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
            card = await stage.asks(f"/job deploys:{id_}")
            if well:
                stage.servicestage.finish(id_)
            else:
                stage.servicestage.fail(id_, 1, "disk full")
            await stage.polls()
            await stage.shown(card, "succeeded" if well else "failed")
            await stage.at_rest()
            assert bool(stage.thread(card)) is told


def change(*, status: Status = Status.RUNNING, **more: Any) -> Change:
    """Return a change of the job."""
    after = Job(ref=REF, name="deploy", status=status)
    return Change.model_validate({"before": None, "after": after, "status_changed": False, **more})


@pytest.mark.parametrize(
    ("what", "happening", "bad"),
    [
        (change(status=Status.FAILED, status_changed=True), Happening.OUTCOME, True),
        (change(status=Status.PARTIAL, status_changed=True), Happening.OUTCOME, True),
        (change(status=Status.CANCELLED, status_changed=True), Happening.OUTCOME, False),
        (change(status_changed=True), Happening.CHANGE, False),
        (change(status_changed=True, newly_failed=(BUILD,)), Happening.CHANGE, True),
        (change(newly_failed=(BUILD,)), Happening.TASK, True),
        (change(newly_ended=(BUILD,)), Happening.TASK, False),
        (change(newly_ended=(BUILD.but(announced=True),)), Happening.RUN, False),
        (change(newly_failed=(BUILD.but(announced=True),)), Happening.RUN, True),
    ],
)
def test_what_kind_of_news_a_change_is(*, what: Change, happening: Happening, bad: bool) -> None:
    """A run of a job that repeats counts as an outcome, any other task does not."""
    news = news_of(what)
    assert (news.happening, news.bad) == (happening, bad)
