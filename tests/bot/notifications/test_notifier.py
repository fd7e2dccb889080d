"""Notifier: what a channel's policy lets through, and the stored reason."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bot.notifications.notifier import event_of
from bot.sdk.models import Change, Job, JobRef, Status, Task
from bot.store import DeliveryAction, EventKind
from plugins.servicestage.script import JobScript, JobStep
from tests.harness import BotHarness, bot_harness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.store import DecisionRecord
    from localslack.state.messages import Message

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35"
STEPS = (JobStep("PREPARE", 5), JobStep("UPGRADE", 90))
REF = JobRef(connection="deploys", id=ID)
BUILD = Task(id="1", name="build", status=Status.SUCCEEDED)


@asynccontextmanager
async def staged_with(folder: Path, **policy: Any) -> AsyncIterator[BotHarness]:
    """Start the bot with this policy and one running job."""
    async with bot_harness(folder, notify=policy) as harness:
        harness.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
        yield harness


async def decisions_of(harness: BotHarness) -> list[DecisionRecord]:
    """Return the decisions about the job, oldest first."""
    place = harness.slack.workspace.team.id, harness.slack.workspace.channel("deploys").id
    async with harness.bot.store.begin() as tx:
        return await tx.decisions.since(*place, harness.clock.now().replace(year=2000))


async def end_job(harness: BotHarness, card: Message, *, succeeds: bool) -> None:
    """End the job and wait until its card shows it."""
    if succeeds:
        harness.servicestage.finish(ID)
    else:
        harness.servicestage.fail(ID, 1, "disk full")
    await harness.advance_poll()
    await harness.wait_for_card(card, "succeeded" if succeeds else "failed")
    await harness.settle()


async def test_every_reply_has_a_stored_reason(tmp_path: Path) -> None:
    """The decision has the rule, a sentence and the text of the message."""
    async with staged_with(tmp_path) as harness:
        card = await harness.request_card(f"/job deploys:{ID}")
        await end_job(harness, card, succeeds=True)
        [one] = await decisions_of(harness)
        assert (one.action, one.rule, one.event_kind) == (
            DeliveryAction.POST,
            "follow_ups",
            EventKind.OUTCOME,
        )
        assert one.reason == "This channel hears every change."
        assert one.text == harness.thread(card)[0].text


async def test_failures_policy_does_not_post_a_success(tmp_path: Path) -> None:
    """Only the card shows it, and the decision is stored."""
    async with staged_with(tmp_path, follow_ups="failures") as harness:
        card = await harness.request_card(f"/job deploys:{ID}")
        await end_job(harness, card, succeeds=True)
        assert harness.thread(card) == []
        [one] = await decisions_of(harness)
        assert one.action is DeliveryAction.UPDATE
        assert one.reason == "This channel hears of failures only. The card shows it."


async def test_failures_policy_posts_a_failure(tmp_path: Path) -> None:
    """The reply is in the job's thread."""
    async with staged_with(tmp_path, follow_ups="failures") as harness:
        card = await harness.request_card(f"/job deploys:{ID}")
        await end_job(harness, card, succeeds=False)
        assert "failed" in harness.thread(card)[-1].text


async def test_failure_without_broadcast_stays_in_the_thread(
    tmp_path: Path,
) -> None:
    """It is not shown in the channel."""
    async with staged_with(tmp_path, broadcast="never") as harness:
        card = await harness.request_card(f"/job deploys:{ID}")
        await end_job(harness, card, succeeds=False)
        assert not any(message.broadcast for message in harness.thread(card))


async def test_outcome_without_mention_names_no_user(tmp_path: Path) -> None:
    """The reply has no mention."""
    async with staged_with(tmp_path, mention="nobody") as harness:
        card = await harness.request_card(f"/job deploys:{ID}")
        await end_job(harness, card, succeeds=True)
        assert "<@" not in harness.thread(card)[-1].text


async def test_user_group_is_mentioned_on_failure(tmp_path: Path) -> None:
    """The asker is not mentioned."""
    async with staged_with(tmp_path, mention="group", group="S0123ABC") as harness:
        card = await harness.request_card(f"/job deploys:{ID}")
        await end_job(harness, card, succeeds=False)
        outcome = harness.thread(card)[-1]
        assert "<!subteam^S0123ABC>" in outcome.text
        assert "<@" not in outcome.text


async def test_all_tasks_policy_posts_a_successful_task(tmp_path: Path) -> None:
    """Under the default policy it is neither posted nor stored."""
    async with staged_with(tmp_path, tasks="all") as harness:
        card = await harness.request_card(f"/job deploys:{ID}")
        await harness.advance_poll()
        assert "PREPARE" in (await harness.wait_for_reply(card, "PREPARE")).text
    (tmp_path / "normal").mkdir()
    async with staged_with(tmp_path / "normal") as harness:
        card = await harness.request_card(f"/job deploys:{ID}")
        await harness.advance_poll()
        await harness.wait_for_card(card, "1 of 2")
        await harness.settle()
        assert harness.thread(card) == []
        assert await decisions_of(harness) == []


async def test_state_changes_policy_skips_a_repeated_failure(
    tmp_path: Path,
) -> None:
    """It posts the first failure and the recovery of a series, across jobs."""
    async with staged_with(tmp_path, follow_ups="turns", tasks="none") as harness:
        for id_, succeeds, posted in ((ID, False, True), (OTHER, False, False), (ID, True, True)):
            harness.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
            card = await harness.request_card(f"/job deploys:{id_}")
            if succeeds:
                harness.servicestage.finish(id_)
            else:
                harness.servicestage.fail(id_, 1, "disk full")
            await harness.advance_poll()
            await harness.wait_for_card(card, "succeeded" if succeeds else "failed")
            await harness.settle()
            assert bool(harness.thread(card)) is posted


def change(*, status: Status = Status.RUNNING, **more: Any) -> Change:
    """Return a change of the job."""
    after = Job(ref=REF, name="deploy", status=status)
    return Change.model_validate({"before": None, "after": after, "status_changed": False, **more})


@pytest.mark.parametrize(
    ("job_change", "event_kind", "bad"),
    [
        (change(status=Status.FAILED, status_changed=True), EventKind.OUTCOME, True),
        (change(status=Status.PARTIAL, status_changed=True), EventKind.OUTCOME, True),
        (change(status=Status.CANCELLED, status_changed=True), EventKind.OUTCOME, False),
        (change(status_changed=True), EventKind.CHANGE, False),
        (change(status_changed=True, newly_failed=(BUILD,)), EventKind.CHANGE, True),
        (change(newly_failed=(BUILD,)), EventKind.TASK, True),
        (change(newly_ended=(BUILD,)), EventKind.TASK, False),
        (change(newly_ended=(BUILD.replace(announced=True),)), EventKind.RUN, False),
        (change(newly_failed=(BUILD.replace(announced=True),)), EventKind.RUN, True),
    ],
)
def test_each_change_has_its_event_kind(
    *, job_change: Change, event_kind: EventKind, bad: bool
) -> None:
    """A run of a repeating job counts as an outcome, any other task does not."""
    event = event_of(job_change)
    assert (event.kind, event.failed) == (event_kind, bad)
