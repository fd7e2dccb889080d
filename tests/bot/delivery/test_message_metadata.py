"""Board metadata: enough to follow its jobs again, within Slack's limit."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.delivery import message_metadata
from bot.sdk.models import Job, JobRef, Status, Task
from bot.store import Board, BoardKind, Watch

NOW = datetime(2026, 11, 3, 12, 4, 3, tzinfo=UTC)
BOARD = Board(
    id="b" * 32, workspace="T1", channel="C1", kind=BoardKind.BOARD, asker="U1", opened_at=NOW
)
MAX_CHARACTERS = 8_000  # characters that Slack accepts


def row_state(
    number: int, *, over: bool = False, tasks: int = 0, **job: Any
) -> message_metadata.BoardRowState:
    """Return a board row with this many failed tasks."""
    ref = JobRef(connection="deploys", id=job.pop("id", f"JOB{number:08}-07b1-4c8f-a183-c86cffbe"))
    watch = Watch(
        id=f"{number:032}", workspace="T1", channel="C1", ref=ref, asker="U1", requested_at=NOW
    )
    steps = tuple(Task(id=f"{n:036}", name="x", status=Status.FAILED) for n in range(tasks))
    plain = {"name": f"deploy-{number}", "status": Status.RUNNING, "native_status": "RUNNING"}
    return message_metadata.BoardRowState(
        watch, Job(ref=ref, tasks=steps, **(plain | job)), 3, over
    )


def test_small_board_carries_the_metadata_of_its_cards() -> None:
    """Name, status and failed tasks of each job."""
    [card] = message_metadata.split_by_watch(
        message_metadata.for_board(BOARD, [row_state(1, tasks=2)])
    )
    card_metadata = message_metadata.for_card(row_state(1).watch, row_state(1, tasks=2).job, 3)
    assert {name: card[name] for name in card_metadata if name != "key"} == {
        name: value for name, value in card_metadata.items() if name != "key"
    }
    assert card["board"] == BOARD.id


@pytest.mark.parametrize("tasks", [0, 5, 100])
def test_fifty_jobs_fit_and_can_be_recovered(tasks: int) -> None:
    """Optional columns are dropped first."""
    about = message_metadata.for_board(BOARD, [row_state(n, tasks=tasks) for n in range(50)])
    assert len(json.dumps(about)) < MAX_CHARACTERS
    cards = message_metadata.split_by_watch(about)
    assert len(cards) == 50
    assert all(
        message_metadata.job_from_metadata(row_state(0).watch.ref, card) is not None
        for card in cards
    )


def test_rows_of_ended_watches_are_dropped_first_and_counted() -> None:
    """Active rows are kept, even if the references exceed the limit."""
    rows = [row_state(n, over=n < 25, id="&" * 195 + f"{n:05}") for n in range(50)]
    about = message_metadata.for_board(BOARD, rows)
    cards = message_metadata.split_by_watch(about)
    assert len(json.dumps(about)) < MAX_CHARACTERS
    assert about["left_out"] == 50 - len(cards)
    assert not any(card["over"] for card in cards[:25])


def test_message_that_is_no_board_is_one_card() -> None:
    """Metadata of cards and replies stays unchanged."""
    about = {"watch": "w1", "revision": 1}
    assert message_metadata.split_by_watch(about) == [about]
