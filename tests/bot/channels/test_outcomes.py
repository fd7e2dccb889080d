"""However quiet a channel wants it, how a watched job ended is never without a trace."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import strategies as st

from bot import words
from bot.models import Status
from bot.noise.decision import Action, Happening
from bot.noise.policy import Broadcast, FollowUps, Mention, NoisePolicy, Tasks
from tests.bot.channels.night import NIGHT, Night, night

if TYPE_CHECKING:
    from sqlalchemy import Row

pytestmark = pytest.mark.anyio

OUTCOMES = [status for status in Status if status.terminal]
LIVING = [status for status in Status if not status.terminal]
QUIET = st.sampled_from(
    [NIGHT, None, {**NIGHT, "failures_pass": True}, {**NIGHT, "begins": "00:01", "ends": "00:00"}]
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
MOVES = st.tuples(st.sampled_from(LIVING), st.sampled_from(["", "A", "B"]))
STEPS = st.lists(
    st.one_of(MOVES, POLICIES, st.sampled_from([0.1, 1.0, 8.0]), st.just("tick"), st.just("crash")),
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
async def test_no_policy_swallows_the_final_outcome_of_a_job(
    policy: dict[str, Any],
    steps: list[Any],
    end: Status,
    after: list[Any],
    asked_by_message: bool,  # noqa: FBT001  hypothesis gives it by name
) -> None:
    """It is in the card, or the reaction in its place, and in the thread, a digest, or the log.

    Whatever the channel's contract is before and after, whenever the bot looks, and whether it
    dies on the way. Nothing stays held for ever, and no key is told twice.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with night(Path(folder)) as dark:
            await dark.agree(**_valid(policy))
            await dark.follow(said_ts="9.9" if asked_by_message else None)
            await _live(dark, steps)
            await dark.looks(end)
            await _live(dark, [step for step in after if not isinstance(step, tuple)])
            await _wait(dark)
            await _demand_traces(dark, end, cardless=asked_by_message)


def _valid(policy: dict[str, Any]) -> dict[str, Any]:
    return NoisePolicy.model_validate(policy).model_dump(mode="json", include=set(policy))


async def _live(dark: Night, steps: list[Any]) -> None:
    for step in steps:
        match step:
            case (status, task):
                await dark.looks(status, step=task)
            case dict():
                await dark.agree(**_valid(step))
            case float():
                await dark.clock.advance(step * 3_600)
            case "tick":
                await dark.tick()
            case "crash":
                await dark.store.close()
                await dark.store.open()


async def _wait(dark: Night) -> None:
    """Let the digests tick whenever something is ripe, as they do."""
    for _ in range(5):
        async with dark.store.begin() as tx:
            ripe = await tx.decisions.next_ripe()
        if ripe is not None:
            await dark.clock.advance(max(0.0, (ripe - dark.now).total_seconds()))
            await dark.tick()


async def _demand_traces(dark: Night, end: Status, *, cardless: bool) -> None:
    [outcome] = [row for row in await dark.decided() if row.happening is Happening.OUTCOME]
    posts = {row.key: row for row in await dark.posts("post", "reaction", "update")}
    if cardless:
        assert {outcome.key, f"{outcome.key}:sign"} & set(posts)
    else:
        assert words.ending(end, "") in _said(posts["w-api:card"])
    assert all(row.until is None for row in await dark.decided())
    assert outcome.reason
    match outcome.action:
        case Action.POST:
            assert _said(posts[outcome.key]) == outcome.text
        case Action.REACT:
            assert outcome.key in posts
        case Action.HOLD | Action.DIGEST:
            digest = posts[f"digest:{outcome.board_id}"]
            newest = posts.get(f"{digest.key}:grown", digest)
            assert "1 of 1 done" in _said(newest)
            assert ("1 failed" in _said(newest)) == end.bad
        case action:
            assert action is Action.UPDATE


def _said(row: Row[Any]) -> str:
    return str(row.body["message"]["text"])
