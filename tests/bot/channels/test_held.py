"""A contract that changes while something is held: decided anew, neither lost nor told twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.channels import held
from bot.models import Status
from bot.store import Claim
from tests.bot.channels.night import MIDNIGHT, NIGHT, PLACE, Night, night

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
async def dark(tmp_path: Path) -> AsyncIterator[Night]:
    """A night with quiet hours, and a job that is followed."""
    async with night(tmp_path) as one:
        await one.agree(quiet_hours=NIGHT)
        await one.follow()
        yield one


async def test_without_quiet_hours_what_was_held_is_said_in_its_thread_and_in_its_order(
    dark: Night,
) -> None:
    """Held, then posted: oldest first, each once, with the reason of the new contract."""
    await dark.looks(Status.WAITING)
    await dark.looks(Status.SUCCEEDED)
    await dark.agree()
    first, second = await dark.posts("post")
    assert "waiting" in first.body["message"]["text"]
    assert "succeeded" in second.body["message"]["text"]
    assert {first.thread, second.thread} == {"watch:w-api"}
    assert first.reason == "This channel hears every change."
    await dark.morning()
    await dark.tick()
    assert len(await dark.posts("post")) == 2
    assert await dark.actions() == ["post", "post"]


@pytest.mark.parametrize("bad", [Status.FAILED, Status.PARTIAL])
async def test_failures_that_pass_from_now_on_are_said_at_once(dark: Night, bad: Status) -> None:
    """The rest goes on waiting, and the failure is loud as the contract has it."""
    await dark.follow("web")
    await dark.looks(bad)
    await dark.looks(Status.SUCCEEDED, "web")
    await dark.agree(quiet_hours={**NIGHT, "failures_pass": True})
    [post] = await dark.posts("post")
    assert post.body["broadcast"] is True
    assert await dark.actions() == ["post", "hold"]


async def test_with_a_budget_instead_the_rest_goes_into_the_digest(dark: Night) -> None:
    """What is said after all counts: two follow-ups, and one digest of the third."""
    for name in ("web", "db"):
        await dark.follow(name)
    for name in ("api", "web", "db"):
        await dark.looks(Status.SUCCEEDED, name)
    await dark.clock.advance(2 * 3_600)  # they were decided before this hour
    await dark.agree(posts_per_hour=2)
    assert await dark.actions() == ["post", "post", "digest"]
    await dark.tick()
    texts = await dark.texts()
    assert [text.split("\n")[0] for text in texts] == [
        "api succeeded. <@U1>",
        "web succeeded. <@U1>",
        "1 of 1 done.",
    ]


async def test_what_the_new_contract_does_not_want_is_left_to_the_card(dark: Night) -> None:
    """Held, then only the card: with its reason, and no longer held."""
    await dark.looks(Status.SUCCEEDED)
    await dark.agree(follow_ups="failures")
    await dark.morning()
    await dark.tick()
    [decided] = await dark.decided()
    assert (decided.action, decided.until, decided.rule) == ("update", None, "follow_ups")
    assert await dark.texts() == []
    [card] = await dark.posts("update")
    assert "succeeded" in card.body["message"]["text"]


async def test_what_was_stopped_meanwhile_is_dropped(dark: Night) -> None:
    """Whoever stopped it hears no more of it, and why is kept."""
    await dark.looks(Status.WAITING)
    await dark.stop()
    await dark.agree()
    [decided] = await dark.decided()
    assert (decided.action, decided.rule, decided.until) == ("drop", "stopped", None)
    assert await dark.texts() == []


async def test_other_quiet_hours_hold_until_their_own_end(dark: Night) -> None:
    """Neither said before nor at the old hour."""
    await dark.looks(Status.SUCCEEDED)
    await dark.agree(quiet_hours={**NIGHT, "ends": "09:00"})
    await dark.morning()
    await dark.tick()
    assert await dark.texts() == []
    await dark.clock.advance(2 * 3_600)
    await dark.tick()
    [text] = await dark.texts()
    assert text.startswith("1 of 1 done.")
    assert "until 09:00" in text


async def test_the_same_contract_again_changes_nothing(dark: Night) -> None:
    """Not even the moment since when it is held."""
    await dark.looks(Status.SUCCEEDED)
    before = await dark.decided()
    await dark.agree(quiet_hours=NIGHT, broadcast="never")
    assert [tuple(row) for row in await dark.decided()] == [tuple(row) for row in before]


async def test_where_reactions_are_wanted_now_the_newest_status_is_one(tmp_path: Path) -> None:
    """It takes the place of the one before, on the message by which somebody asked."""
    async with night(tmp_path) as dark:
        await dark.agree(quiet_hours=NIGHT)
        await dark.follow(said_ts="9.9")
        await dark.looks(Status.WAITING)
        await dark.looks(Status.FAILED)
        await dark.agree(reaction=True)
        names = [row.body["names"] for row in await dark.posts("reaction")]
        assert names[-1] == ["x", "raised_hand"]
        assert await dark.actions() == ["react", "react"]


async def test_beyond_the_budget_no_longer_means_a_follow_up(dark: Night) -> None:
    """The digest had not been written yet: a larger budget takes it back."""
    await dark.agree(posts_per_hour=1)
    await dark.follow("web")
    await dark.looks(Status.SUCCEEDED)
    await dark.looks(Status.SUCCEEDED, "web")
    assert await dark.actions() == ["post", "digest"]
    await dark.agree(posts_per_hour=9)
    await dark.tick()
    assert await dark.texts() == ["api succeeded. <@U1>", "web succeeded. <@U1>"]


async def test_what_a_thread_has_outgrown_is_not_said_after_the_end(dark: Night) -> None:
    """The failure passed in the night; that the job waited before is old news by now."""
    await dark.agree(quiet_hours={**NIGHT, "failures_pass": True})
    await dark.looks(Status.WAITING)
    await dark.looks(Status.FAILED)
    assert await dark.actions() == ["hold", "post"]
    await dark.agree()
    assert await dark.actions() == ["update", "post"]
    assert len(await dark.texts()) == 1


async def test_nor_is_it_in_the_digest(dark: Night) -> None:
    """What the thread was told is not told a second time in the morning."""
    await dark.agree(quiet_hours={**NIGHT, "failures_pass": True})
    await dark.looks(Status.WAITING)
    await dark.looks(Status.FAILED)
    await dark.morning()
    await dark.tick()
    assert len(await dark.texts()) == 1
    assert await dark.actions() == ["update", "post"]


async def test_a_failed_step_is_not_told_again_after_the_outcome_that_names_it(
    dark: Night,
) -> None:
    """The outcome came a moment after the quiet hours, and before their digest."""
    await dark.looks(Status.RUNNING, step="A")
    await dark.morning()
    await dark.looks(Status.FAILED, step="A")
    await dark.tick()
    [text] = await dark.texts()
    assert "failed at step A" in text
    assert await dark.actions() == ["update", "post"]


async def test_a_change_after_the_quiet_hours_leaves_them_their_digest(dark: Night) -> None:
    """Somebody changes the contract a second before the digest: one message all the same."""
    await dark.follow("web")
    await dark.looks(Status.SUCCEEDED)
    await dark.looks(Status.SUCCEEDED, "web")
    await dark.morning()
    await dark.agree(quiet_hours=NIGHT, tasks="all")
    await dark.tick()
    [text] = await dark.texts()
    assert text.startswith("2 of 2 done.")


async def test_a_crash_before_the_contract_is_written_leaves_all_as_it_was(
    tmp_path: Path,
) -> None:
    """The new contract and what it decides are one transaction."""
    async with night(tmp_path) as dark:
        await dark.agree(quiet_hours=NIGHT)
        await dark.follow()
        await dark.looks(Status.SUCCEEDED)
        with pytest.raises(asyncio.CancelledError):
            await _dies_while_agreeing(dark)
    async with night(tmp_path) as dark:
        assert await dark.actions() == ["hold"]
        await dark.morning()
        await dark.tick()
        [text] = await dark.texts()
        assert text.startswith("1 of 1 done.")


async def _dies_while_agreeing(dark: Night) -> None:
    async with dark.store.begin() as tx:
        assert await tx.contracts.set(*PLACE, {}, "U1", dark.now, over=1)
        await held.redecide(tx, dark.notices, *PLACE, dark.now)
        raise asyncio.CancelledError


async def test_a_crash_after_it_repeats_nothing(tmp_path: Path) -> None:
    """Whoever starts next decides anew about nothing, and digests nothing."""
    async with night(tmp_path) as dark:
        await dark.agree(quiet_hours=NIGHT)
        await dark.follow()
        await dark.looks(Status.SUCCEEDED)
        await dark.agree()
    async with night(tmp_path) as dark:
        async with dark.store.begin() as tx:
            await held.redecide_all(tx, dark.notices, dark.now)
        await dark.morning()
        await dark.tick()
        assert await dark.texts() == ["api succeeded. <@U1>"]


async def test_a_crash_between_two_ticks_repeats_no_digest(tmp_path: Path) -> None:
    """The digest and what it tells are one transaction."""
    async with night(tmp_path) as dark:
        await dark.agree(quiet_hours=NIGHT)
        await dark.follow()
        await dark.looks(Status.SUCCEEDED)
        await dark.morning()
        await dark.tick()
    async with night(tmp_path) as dark:
        await dark.morning()
        await dark.tick()
        assert len(await dark.texts()) == 1


async def test_a_tick_and_a_change_of_the_contract_at_the_same_moment_tell_it_once(
    dark: Night,
) -> None:
    """Each piece of news is in one message, whoever comes first, and two ticks are as one."""
    names = [f"job-{n}" for n in range(6)]
    await dark.agree(posts_per_hour=1)
    for name in names:
        await dark.follow(name)
        await dark.looks(Status.SUCCEEDED, name)
    await asyncio.gather(dark.tick(), dark.agree(posts_per_hour=3), dark.tick())
    await dark.tick()
    lines = [line for text in await dark.texts() for line in text.split("\n")]
    for name in names:
        assert sum(name in line for line in lines) == 1


async def first_claimed(dark: Night) -> Any:
    """Claim what is due of what is posted anew, as the delivery does."""
    async with dark.store.begin() as tx:
        due = await tx.outbox.due(lanes=(0, 1), now=dark.now, limit=9)
        claim = Claim(dark.now + timedelta(seconds=10), dark.now + timedelta(seconds=30))
        [post] = await tx.outbox.claim(
            [post.id for post in due if post.board_id],
            now=dark.now,
            deadline=claim.deadline,
            adopt_at=claim.adopt_at,
        )
    return post


async def test_a_refused_digest_is_told_in_the_threads_once(dark: Night) -> None:
    """Its own message and what was to change it are given up; a second refusal changes nothing."""
    await dark.follow("web")
    await dark.looks(Status.SUCCEEDED)
    await dark.looks(Status.FAILED, "web")
    await dark.morning()
    await dark.tick()
    post = await first_claimed(dark)
    for _ in range(2):
        async with dark.store.begin() as tx:
            assert await held.refused(tx, post, "is_archived", dark.now)
    root, *threads = await dark.posts("post")
    assert root.state == "dropped"
    assert [row.thread for row in threads] == ["watch:w-api", "watch:w-web"]
    await dark.tick()
    assert len(await dark.posts("post")) == 3


@pytest.mark.parametrize(
    ("code", "counts"), [("message_not_found", "2 of 2 done."), ("edit_window_closed", "1 of 1")]
)
async def test_a_digest_that_cannot_be_changed_leaves_what_it_lacks_to_the_next(
    dark: Night, code: str, counts: str
) -> None:
    """All of it where its message is gone, else only what came after it."""
    await dark.agree(posts_per_hour=1)
    for name in ("web", "db"):
        await dark.follow(name)
    await dark.looks(Status.SUCCEEDED)
    await dark.looks(Status.SUCCEEDED, "web")
    await dark.tick()
    post = await first_claimed(dark)
    async with dark.store.begin() as tx:
        await tx.outbox.sent(post, ts="5.0", now=dark.now)
    await dark.looks(Status.SUCCEEDED, "db")
    await dark.tick()
    await dark.clock.advance(5)
    grown = await first_claimed(dark)
    async with dark.store.begin() as tx:
        assert await held.refused(tx, grown, code, dark.now)
    await dark.tick()
    assert (await dark.texts())[-1].startswith(counts)
    assert len(await dark.posts("post")) == 3


async def test_a_refusal_of_anything_else_is_not_the_digests(dark: Night) -> None:
    """Only what is the message of a digest is told otherwise."""
    await dark.agree()
    await dark.looks(Status.SUCCEEDED)
    async with dark.store.begin() as tx:
        [post, *_] = await tx.outbox.due(lanes=(0, 1), now=dark.now, limit=9)
        assert not await held.refused(tx, post, "is_archived", MIDNIGHT)
