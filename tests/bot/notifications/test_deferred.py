"""Deferred notifications when settings change: re-evaluated, neither lost nor posted twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.notifications import deferred
from bot.sdk.models import Status
from bot.store import Claim
from tests.bot.quiet_hours_harness import (
    CHANNEL_KEY,
    MIDNIGHT,
    QUIET_HOURS,
    QuietHoursHarness,
    open_harness,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[QuietHoursHarness]:
    """Quiet hours, and a followed job."""
    async with open_harness(tmp_path) as opened:
        await opened.change_settings(quiet_hours=QUIET_HOURS)
        await opened.follow()
        yield opened


async def test_ending_quiet_hours_posts_deferred_replies_in_order(
    harness: QuietHoursHarness,
) -> None:
    """Each is posted once, oldest first, with the reason of the new settings."""
    await harness.poll(Status.WAITING)
    await harness.poll(Status.SUCCEEDED)
    await harness.change_settings()
    first, second = await harness.posts("post")
    assert "waiting" in first.body["message"]["text"]
    assert "succeeded" in second.body["message"]["text"]
    assert {first.ordering_key, second.ordering_key} == {"watch:w-api"}
    assert first.reason == "This channel hears every change."
    await harness.advance_to_morning()
    await harness.tick()
    assert len(await harness.posts("post")) == 2
    assert await harness.actions() == ["post", "post"]


@pytest.mark.parametrize("bad", [Status.FAILED, Status.PARTIAL])
async def test_allowing_failures_posts_deferred_failures_at_once(
    harness: QuietHoursHarness, bad: Status
) -> None:
    """Other events stay deferred, and the failure is broadcast as the settings say."""
    await harness.follow("web")
    await harness.poll(bad)
    await harness.poll(Status.SUCCEEDED, "web")
    await harness.change_settings(quiet_hours={**QUIET_HOURS, "allow_failures": True})
    [post] = await harness.posts("post")
    assert post.body["broadcast"] is True
    assert await harness.actions() == ["post", "defer"]


async def test_new_hourly_limit_sends_the_rest_to_the_digest(harness: QuietHoursHarness) -> None:
    """Released replies count: two replies, and one digest with the third."""
    for name in ("web", "db"):
        await harness.follow(name)
    for name in ("api", "web", "db"):
        await harness.poll(Status.SUCCEEDED, name)
    await harness.clock.advance(2 * 3_600)  # the decisions are older than the hourly window
    await harness.change_settings(posts_per_hour=2)
    assert await harness.actions() == ["post", "post", "digest"]
    await harness.tick()
    texts = await harness.texts()
    assert [text.split("\n")[0] for text in texts] == [
        "api succeeded. <@U1>",
        "web succeeded. <@U1>",
        "1 of 1 done.",
    ]


async def test_unwanted_deferred_event_updates_the_card_only(harness: QuietHoursHarness) -> None:
    """It is no longer deferred, and has the reason of the new settings."""
    await harness.poll(Status.SUCCEEDED)
    await harness.change_settings(follow_ups="failures")
    await harness.advance_to_morning()
    await harness.tick()
    [decided] = await harness.decision_rows()
    assert (decided.action, decided.deferred_until, decided.rule) == ("update", None, "follow_ups")
    assert await harness.texts() == []
    [card] = await harness.posts("update")
    assert "succeeded" in card.body["message"]["text"]


async def test_deferred_event_of_an_unfollowed_job_is_dropped(harness: QuietHoursHarness) -> None:
    """The reason is stored."""
    await harness.poll(Status.WAITING)
    await harness.unfollow()
    await harness.change_settings()
    [decided] = await harness.decision_rows()
    assert (decided.action, decided.rule, decided.deferred_until) == ("drop", "stopped", None)
    assert await harness.texts() == []


async def test_changed_quiet_hours_defer_until_their_own_end(harness: QuietHoursHarness) -> None:
    """Nothing is posted before, nor at the old end."""
    await harness.poll(Status.SUCCEEDED)
    await harness.change_settings(quiet_hours={**QUIET_HOURS, "ends": "09:00"})
    await harness.advance_to_morning()
    await harness.tick()
    assert await harness.texts() == []
    await harness.clock.advance(2 * 3_600)
    await harness.tick()
    [text] = await harness.texts()
    assert text.startswith("1 of 1 done.")
    assert "until 09:00" in text


async def test_unchanged_quiet_hours_change_no_deferred_decision(
    harness: QuietHoursHarness,
) -> None:
    """The time of deferral stays the same."""
    await harness.poll(Status.SUCCEEDED)
    before = await harness.decision_rows()
    await harness.change_settings(quiet_hours=QUIET_HOURS, broadcast="never")
    assert [tuple(row) for row in await harness.decision_rows()] == [tuple(row) for row in before]


async def test_enabling_reactions_releases_them_as_reactions(tmp_path: Path) -> None:
    """The newest reaction replaces the one before, on the asker's message."""
    async with open_harness(tmp_path) as harness:
        await harness.change_settings(quiet_hours=QUIET_HOURS)
        await harness.follow(request_ts="9.9")
        await harness.poll(Status.WAITING)
        await harness.poll(Status.FAILED)
        await harness.change_settings(reaction=True)
        names = [row.body["names"] for row in await harness.posts("reaction")]
        assert names[-1] == ["x", "raised_hand"]
        assert await harness.actions() == ["react", "react"]


async def test_larger_limit_turns_a_digest_item_into_a_reply(harness: QuietHoursHarness) -> None:
    """The digest had not been written yet."""
    await harness.change_settings(posts_per_hour=1)
    await harness.follow("web")
    await harness.poll(Status.SUCCEEDED)
    await harness.poll(Status.SUCCEEDED, "web")
    assert await harness.actions() == ["post", "digest"]
    await harness.change_settings(posts_per_hour=9)
    await harness.tick()
    assert await harness.texts() == ["api succeeded. <@U1>", "web succeeded. <@U1>"]


async def test_superseded_event_is_not_posted_after_the_outcome(harness: QuietHoursHarness) -> None:
    """The failure was posted during quiet hours; the earlier status would mislead."""
    await harness.change_settings(quiet_hours={**QUIET_HOURS, "allow_failures": True})
    await harness.poll(Status.WAITING)
    await harness.poll(Status.FAILED)
    assert await harness.actions() == ["defer", "post"]
    await harness.change_settings()
    assert await harness.actions() == ["update", "post"]
    assert len(await harness.texts()) == 1


async def test_superseded_event_is_not_in_the_digest(harness: QuietHoursHarness) -> None:
    """The thread has the newer reply already."""
    await harness.change_settings(quiet_hours={**QUIET_HOURS, "allow_failures": True})
    await harness.poll(Status.WAITING)
    await harness.poll(Status.FAILED)
    await harness.advance_to_morning()
    await harness.tick()
    assert len(await harness.texts()) == 1
    assert await harness.actions() == ["update", "post"]


async def test_failed_task_is_not_repeated_after_its_outcome(
    harness: QuietHoursHarness,
) -> None:
    """The outcome came after the quiet hours and before their digest."""
    await harness.poll(Status.RUNNING, step="A")
    await harness.advance_to_morning()
    await harness.poll(Status.FAILED, step="A")
    await harness.tick()
    [text] = await harness.texts()
    assert "failed at step A" in text
    assert await harness.actions() == ["update", "post"]


async def test_change_after_quiet_hours_keeps_the_digest(harness: QuietHoursHarness) -> None:
    """A change of settings a second before the digest still yields one message."""
    await harness.follow("web")
    await harness.poll(Status.SUCCEEDED)
    await harness.poll(Status.SUCCEEDED, "web")
    await harness.advance_to_morning()
    await harness.change_settings(quiet_hours=QUIET_HOURS, tasks="all")
    await harness.tick()
    [text] = await harness.texts()
    assert text.startswith("2 of 2 done.")


async def test_crash_before_the_commit_changes_nothing(
    tmp_path: Path,
) -> None:
    """The new settings and the new decisions are one transaction."""
    async with open_harness(tmp_path) as harness:
        await harness.change_settings(quiet_hours=QUIET_HOURS)
        await harness.follow()
        await harness.poll(Status.SUCCEEDED)
        with pytest.raises(asyncio.CancelledError):
            await _crash_before_commit(harness)
    async with open_harness(tmp_path) as harness:
        assert await harness.actions() == ["defer"]
        await harness.advance_to_morning()
        await harness.tick()
        [text] = await harness.texts()
        assert text.startswith("1 of 1 done.")


async def _crash_before_commit(harness: QuietHoursHarness) -> None:
    async with harness.store.begin() as tx:
        assert await tx.channel_settings.replace(
            *CHANNEL_KEY, {}, "U1", harness.now, expected_revision=1
        )
        await deferred.reevaluate(tx, harness.notices, *CHANNEL_KEY, harness.now)
        raise asyncio.CancelledError


async def test_crash_after_the_commit_repeats_nothing(tmp_path: Path) -> None:
    """After a restart, nothing is re-evaluated or digested again."""
    async with open_harness(tmp_path) as harness:
        await harness.change_settings(quiet_hours=QUIET_HOURS)
        await harness.follow()
        await harness.poll(Status.SUCCEEDED)
        await harness.change_settings()
    async with open_harness(tmp_path) as harness:
        async with harness.store.begin() as tx:
            await deferred.reevaluate_all(tx, harness.notices, harness.now)
        await harness.advance_to_morning()
        await harness.tick()
        assert await harness.texts() == ["api succeeded. <@U1>"]


async def test_crash_between_two_ticks_repeats_no_digest(tmp_path: Path) -> None:
    """The digest and its decisions are one transaction."""
    async with open_harness(tmp_path) as harness:
        await harness.change_settings(quiet_hours=QUIET_HOURS)
        await harness.follow()
        await harness.poll(Status.SUCCEEDED)
        await harness.advance_to_morning()
        await harness.tick()
    async with open_harness(tmp_path) as harness:
        await harness.advance_to_morning()
        await harness.tick()
        assert len(await harness.texts()) == 1


async def test_concurrent_ticks_and_change_post_each_event_once(
    harness: QuietHoursHarness,
) -> None:
    """Each event is in one message, in any order of the writers."""
    names = [f"job-{n}" for n in range(6)]
    await harness.change_settings(posts_per_hour=1)
    for name in names:
        await harness.follow(name)
        await harness.poll(Status.SUCCEEDED, name)
    await asyncio.gather(harness.tick(), harness.change_settings(posts_per_hour=3), harness.tick())
    await harness.tick()
    lines = [line for text in await harness.texts() for line in text.split("\n")]
    for name in names:
        assert sum(name in line for line in lines) == 1


async def claim_digest(harness: QuietHoursHarness) -> Any:
    """Claim the due messages of digests, as the outbox dispatcher does."""
    async with harness.store.begin() as tx:
        due = await tx.outbox.due(lanes=(0, 1), now=harness.now, limit=9)
        claim = Claim(harness.now + timedelta(seconds=10), harness.now + timedelta(seconds=30))
        [post] = await tx.outbox.claim(
            [post.id for post in due if post.board_id],
            now=harness.now,
            deadline=claim.deadline,
            reclaim_at=claim.reclaim_at,
        )
    return post


async def test_rejected_digest_is_released_to_threads_once(harness: QuietHoursHarness) -> None:
    """The digest and its updates are dropped; a second rejection changes nothing."""
    await harness.follow("web")
    await harness.poll(Status.SUCCEEDED)
    await harness.poll(Status.FAILED, "web")
    await harness.advance_to_morning()
    await harness.tick()
    post = await claim_digest(harness)
    for _ in range(2):
        async with harness.store.begin() as tx:
            assert await deferred.on_digest_rejected(tx, post, "is_archived", harness.now)
    root, *threads = await harness.posts("post")
    assert root.state == "dropped"
    assert [row.ordering_key for row in threads] == ["watch:w-api", "watch:w-web"]
    await harness.tick()
    assert len(await harness.posts("post")) == 3


@pytest.mark.parametrize(
    ("code", "counts"), [("message_not_found", "2 of 2 done."), ("edit_window_closed", "1 of 1")]
)
async def test_digest_that_cannot_be_updated_continues_in_a_new_one(
    harness: QuietHoursHarness, code: str, counts: str
) -> None:
    """The new digest has all items if the message is gone, else only the newer ones."""
    await harness.change_settings(posts_per_hour=1)
    for name in ("web", "db"):
        await harness.follow(name)
    await harness.poll(Status.SUCCEEDED)
    await harness.poll(Status.SUCCEEDED, "web")
    await harness.tick()
    post = await claim_digest(harness)
    async with harness.store.begin() as tx:
        await tx.outbox.mark_sent(post, ts="5.0", now=harness.now)
    await harness.poll(Status.SUCCEEDED, "db")
    await harness.tick()
    await harness.clock.advance(5)
    update = await claim_digest(harness)
    async with harness.store.begin() as tx:
        assert await deferred.on_digest_rejected(tx, update, code, harness.now)
    await harness.tick()
    assert (await harness.texts())[-1].startswith(counts)
    assert len(await harness.posts("post")) == 3


async def test_rejection_of_another_message_is_not_handled_here(harness: QuietHoursHarness) -> None:
    """Only the messages of a digest are released."""
    await harness.change_settings()
    await harness.poll(Status.SUCCEEDED)
    async with harness.store.begin() as tx:
        [post, *_] = await tx.outbox.due(lanes=(0, 1), now=harness.now, limit=9)
        assert not await deferred.on_digest_rejected(tx, post, "is_archived", MIDNIGHT)
