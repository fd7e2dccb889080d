"""What a board carries in its metadata: enough to follow its jobs again, and no more than fits."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot import told
from bot.models import Job, JobRef, Status, Task
from bot.store import Board, BoardKind, Watch

NOW = datetime(2026, 11, 3, 12, 4, 3, tzinfo=UTC)
BOARD = Board(
    id="b" * 32, workspace="T1", channel="C1", kind=BoardKind.BOARD, asker="U1", opened_at=NOW
)
MOST = 8_000  # characters that Slack takes


def standing(number: int, *, over: bool = False, tasks: int = 0, **job: Any) -> told.Standing:
    """One row of a board, some of whose steps failed."""
    ref = JobRef(connection="deploys", id=job.pop("id", f"JOB{number:08}-07b1-4c8f-a183-c86cffbe"))
    watch = Watch(
        id=f"{number:032}", workspace="T1", channel="C1", ref=ref, asker="U1", asked_at=NOW
    )
    steps = tuple(Task(id=f"{n:036}", name="x", status=Status.FAILED) for n in range(tasks))
    plain = {"name": f"deploy-{number}", "status": Status.RUNNING, "native_status": "RUNNING"}
    return told.Standing(watch, Job(ref=ref, tasks=steps, **(plain | job)), 3, over)


def test_a_small_board_carries_all_that_cards_would() -> None:
    """Name, status and what went wrong, for each job."""
    [card] = told.cards_of(told.by_board(BOARD, [standing(1, tasks=2)]))
    alone = told.by_card(standing(1).watch, standing(1, tasks=2).job, 3)
    assert {name: card[name] for name in alone if name != "key"} == {
        name: value for name, value in alone.items() if name != "key"
    }
    assert card["board"] == BOARD.id


@pytest.mark.parametrize("tasks", [0, 5, 100])
def test_fifty_jobs_fit_and_each_can_be_followed_again(tasks: int) -> None:
    """What is left out first is what can be asked for again."""
    about = told.by_board(BOARD, [standing(n, tasks=tasks) for n in range(50)])
    assert len(json.dumps(about)) < MOST
    cards = told.cards_of(about)
    assert len(cards) == 50
    assert all(told.job_of(standing(0).watch.ref, card) is not None for card in cards)


def test_where_even_the_references_are_too_much_what_is_over_goes_first_and_is_counted() -> None:
    """The living keep their place, and nobody is deceived."""
    rows = [standing(n, over=n < 25, id="&" * 195 + f"{n:05}") for n in range(50)]
    about = told.by_board(BOARD, rows)
    cards = told.cards_of(about)
    assert len(json.dumps(about)) < MOST
    assert about["left_out"] == 50 - len(cards)
    assert not any(card["over"] for card in cards[:25])


def test_a_message_that_is_no_board_is_one_card() -> None:
    """Cards and follow-ups carry what they always did."""
    about = {"watch": "w1", "revision": 1}
    assert told.cards_of(about) == [about]
