"""Under every policy, the outcome of a followed job is visible somewhere."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import strategies as st

from bot.notifications.policy import Broadcast, FollowUps, Mention, NotificationPolicy, Tasks
from bot.sdk import formatting
from bot.sdk.models import Status
from bot.store import DeliveryAction, EventKind
from tests.bot.quiet_hours_harness import QUIET_HOURS, QuietHoursHarness, open_harness

if TYPE_CHECKING:
    from sqlalchemy import Row

pytestmark = pytest.mark.anyio

OUTCOMES = [status for status in Status if status.terminal]
RUNNING = [status for status in Status if not status.terminal]
QUIET = st.sampled_from(
    [
        QUIET_HOURS,
        None,
        {**QUIET_HOURS, "allow_failures": True},
        {**QUIET_HOURS, "begins": "00:01", "ends": "00:00"},
    ]
)
POLICIES = st.fixed_dictionaries(
    {
        "quiet_hours": QUIET,
        "posts_per_hour": st.sampled_from([1, 2, None]),
        "reaction": st.sampled_from([False, False, True]),
    },
    optional={
        "follow_ups": st.sampled_from(FollowUps),
        "tasks": st.sampled_from(Tasks),
        "broadcast": st.sampled_from(Broadcast),
        "mention": st.sampled_from(Mention),
        "group": st.sampled_from(["", "S0123"]),
    },
)
POLLS = st.tuples(st.sampled_from(RUNNING), st.sampled_from(["", "A", "B"]))
STEPS = st.lists(
    st.one_of(POLLS, POLICIES, st.sampled_from([0.1, 1.0, 8.0]), st.just("tick"), st.just("crash")),
    max_size=8,
)


@hypothesis.given(
    policy=POLICIES,
    steps=STEPS,
    end=st.sampled_from(OUTCOMES),
    after=STEPS,
    asked_by_message=st.booleans(),
)
@hypothesis.settings(max_examples=60, derandomize=True)
async def test_no_policy_hides_the_outcome_of_a_job(
    policy: dict[str, Any],
    steps: list[Any],
    end: Status,
    after: list[Any],
    asked_by_message: bool,  # noqa: FBT001  hypothesis passes it by name
) -> None:
    """The card or reaction shows it, and so do the thread, a digest or the decision log.

    This holds for any settings before and after, any times of polling, and any crashes. Nothing
    stays deferred for ever, and no idempotency key is posted twice.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with open_harness(Path(folder)) as harness:
            await harness.change_settings(**_valid(policy))
            await harness.follow(request_ts="9.9" if asked_by_message else None)
            await _run_steps(harness, steps)
            await harness.poll(end)
            await _run_steps(harness, [step for step in after if not isinstance(step, tuple)])
            await _release_all(harness)
            await _check_outcome_visible(harness, end, cardless=asked_by_message)


def _valid(policy: dict[str, Any]) -> dict[str, Any]:
    return NotificationPolicy.model_validate(policy).model_dump(mode="json", include=set(policy))


async def _run_steps(harness: QuietHoursHarness, steps: list[Any]) -> None:
    for step in steps:
        match step:
            case (status, task):
                await harness.poll(status, step=task)
            case dict():
                await harness.change_settings(**_valid(step))
            case float():
                await harness.clock.advance(step * 3_600)
            case "tick":
                await harness.tick()
            case "crash":
                await harness.store.close()
                await harness.store.open()


async def _release_all(harness: QuietHoursHarness) -> None:
    """Tick whenever a deferred notification is due, as the digest worker does."""
    for _ in range(5):
        async with harness.store.begin() as tx:
            due = await tx.decisions.next_due()
        if due is not None:
            await harness.clock.advance(max(0.0, (due - harness.now).total_seconds()))
            await harness.tick()


async def _check_outcome_visible(
    harness: QuietHoursHarness, end: Status, *, cardless: bool
) -> None:
    [outcome] = [
        row for row in await harness.decision_rows() if row.event_kind is EventKind.OUTCOME
    ]
    posts = {row.idempotency_key: row for row in await harness.posts("post", "reaction", "update")}
    if cardless:
        assert {outcome.idempotency_key, f"{outcome.idempotency_key}:sign"} & set(posts)
    else:
        assert formatting.outcome_phrase(end, "") in _text(posts["w-api:card"])
    assert all(row.deferred_until is None for row in await harness.decision_rows())
    assert outcome.reason
    match outcome.action:
        case DeliveryAction.POST:
            assert _text(posts[outcome.idempotency_key]) == outcome.text
        case DeliveryAction.REACT:
            assert outcome.idempotency_key in posts
        case DeliveryAction.DEFER | DeliveryAction.DIGEST:
            digest = posts[f"digest:{outcome.board_id}"]
            newest = posts.get(f"{digest.idempotency_key}:grown", digest)
            assert "1 of 1 done" in _text(newest)
            assert ("1 failed" in _text(newest)) == end.failed
        case action:
            assert action is DeliveryAction.UPDATE


def _text(row: Row[Any]) -> str:
    return str(row.body["message"]["text"])
