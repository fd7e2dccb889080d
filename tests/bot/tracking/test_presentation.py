"""What each of the three presentations of a followed job enqueues."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.providers.renderer import JobRenderer
from bot.sdk.models import Job, JobRef, Message, Status
from bot.sdk.testing import ManualClock
from bot.store import (
    MessageKind,
    MessageState,
    NewMessage,
    OutboxMessage,
    ReplyTarget,
    Watch,
    WatchedJob,
    WatchState,
)
from bot.tracking.boards import BoardRedraw
from bot.tracking.catch_up import MissedUpdates
from bot.tracking.job_state import JobState, WatchRenderer
from bot.tracking.presentation import (
    BoardRowPresentation,
    CardPresentation,
    Presentation,
    ReactionPresentation,
    Update,
    presentation_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = ManualClock().now()
REF = JobRef(connection="deploys", id="JOB1")
JOB = Job(ref=REF, name="deploy-api", status=Status.RUNNING)
DONE = JOB.replace(status=Status.SUCCEEDED)
STORED = WatchedJob(workspace="T1", ref=REF, snapshot=JOB, revision=3, polled_at=NOW)
CARD = Watch(
    id="w1", workspace="T1", channel="C1", card_ts="1.0", ref=REF, asker="U1", requested_at=NOW
)
ROW = replace(CARD, board_id="b1")
REACTION = replace(CARD, card_ts=None, request_ts="9.0", thread_ts="9.0")
TARGET = ReplyTarget("U1", None, None, None)
WATCHES = (CARD, ROW, REACTION)


def state(job: Job = JOB, **more: Any) -> JobState:
    """Return a state to show; the thread has seen the running job."""
    more = {"stored": STORED, **more}
    return JobState(job=job, now=NOW, renderer=WatchRenderer(JobRenderer(), 10.0), **more)


def redraw(*, urgent: bool = False, already_reported: bool = False) -> BoardRedraw:
    """Return the redraw of the row's board."""
    return BoardRedraw("b1", urgent=urgent, already_reported=already_reported)


def summary(update: Update | None) -> object:
    """Return a redraw itself; of a message, its idempotency key and its urgency."""
    return (update.idempotency_key, update.urgent) if isinstance(update, NewMessage) else update


@pytest.mark.parametrize(
    ("watch", "expected"),
    [
        (CARD, CardPresentation(CARD)),
        (replace(CARD, card_ts=None), CardPresentation(replace(CARD, card_ts=None))),
        (ROW, BoardRowPresentation(ROW, "b1")),
        (REACTION, ReactionPresentation(REACTION)),
    ],
)
def test_presentation_follows_from_the_watch(watch: Watch, expected: Presentation) -> None:
    """A board's id makes a row, the asker's message a reaction."""
    assert presentation_of(watch) == expected


@pytest.mark.parametrize(
    ("watch", "message_ts", "reacts", "shared"),
    [(CARD, "1.0", False, False), (ROW, "1.0", False, True), (REACTION, "9.0", True, False)],
)
def test_message_that_shows_the_job(
    watch: Watch, message_ts: str, *, reacts: bool, shared: bool
) -> None:
    """The card, the board, or the asker's message."""
    shown = presentation_of(watch)
    assert (shown.message_ts, shown.reacts, shown.shared) == (message_ts, reacts, shared)


CALLS: dict[str, Callable[[Presentation], Update | None]] = {
    "show": lambda shown: shown.show(state(), TARGET, "0"),
    "update, changed": lambda shown: shown.update(state(JOB.replace(status=Status.WAITING))),
    "update, ended": lambda shown: shown.update(state(DONE)),
    "update, looks the same": lambda shown: shown.update(state()),
    "update, failing polls": lambda shown: shown.update(state(error="It is down.")),
    "update, polls work again": lambda shown: shown.update(
        state(stored=replace(STORED, error="It was down."))
    ),
    "update, first poll": lambda shown: shown.update(state(stored=replace(STORED, snapshot=None))),
    "refresh": lambda shown: shown.refresh(state()),
    "close": lambda shown: shown.close(state()),
    "close, never polled": lambda shown: shown.close(None),
    "end": lambda shown: shown.end(),
    "restore": lambda shown: shown.restore(state()),
}
UPDATE, URGENT = ("w1:card", False), ("w1:card", True)


@pytest.mark.parametrize(
    ("call", "card", "row", "reaction"),
    [
        ("show", URGENT, redraw(urgent=True), ("w1:begun:0", False)),
        ("update, changed", UPDATE, redraw(), None),
        ("update, ended", URGENT, redraw(urgent=True), None),
        ("update, looks the same", None, None, None),
        ("update, failing polls", UPDATE, redraw(), None),
        ("update, polls work again", UPDATE, redraw(), None),
        ("update, first poll", UPDATE, redraw(), None),
        ("refresh", URGENT, redraw(urgent=True), None),
        ("close", URGENT, redraw(urgent=True), None),
        ("close, never polled", None, redraw(urgent=True), None),
        ("end", None, redraw(), None),
        ("restore", UPDATE, redraw(already_reported=True), None),
    ],
)
def test_update_of_each_presentation(
    call: str, card: object, row: object, reaction: object
) -> None:
    """A card is updated, a board redrawn; a reaction changes with its notification."""
    updates = [CALLS[call](presentation_of(watch)) for watch in WATCHES]
    assert [summary(update) for update in updates] == [card, row, reaction]


def body(update: Update | None) -> dict[str, Any]:
    """Return the body of an update that is a message."""
    assert isinstance(update, NewMessage)
    return update.body


def test_first_card_is_posted() -> None:
    """A watch that was started from a card has one already."""
    post = presentation_of(replace(CARD, card_ts=None)).show(state(), TARGET, "0")
    assert isinstance(post, NewMessage)
    assert (post.kind, post.idempotency_key, post.creates_card) == (
        MessageKind.POST,
        "w1:root",
        True,
    )
    assert body(post)["about"]["revision"] == STORED.revision


def test_first_reaction_shows_the_status() -> None:
    """It is set on the asker's message."""
    post = presentation_of(REACTION).show(state(DONE), TARGET, "0")
    assert body(post) == {"ts": "9.0", "names": ["white_check_mark"]}


def test_card_keeps_its_metadata_while_replies_are_pending() -> None:
    """Its thread has not seen the newer state yet."""
    shown = presentation_of(CARD)
    assert body(shown.update(state(DONE)))["about"]["status"] == Status.RUNNING
    assert body(shown.update(state(DONE, pending=True)))["about"] == {}
    assert body(shown.refresh(state(DONE, pending=True)))["about"] == {}


def test_metadata_tells_that_the_watch_has_ended() -> None:
    """`jobthread recover` does not follow the job again."""
    ended = replace(CARD, state=WatchState.ENDED)
    assert body(presentation_of(ended).refresh(state()))["about"]["over"] is True
    assert body(presentation_of(CARD).close(state()))["about"]["over"] is True
    assert body(presentation_of(CARD).refresh(state()))["about"]["over"] is False


def test_closed_card_offers_to_follow_the_job() -> None:
    """The controls of a followed job are gone."""
    shown = presentation_of(CARD)
    assert "unfollow" in str(body(shown.refresh(state()))["message"])
    assert "unfollow" not in str(body(shown.close(state()))["message"])


def test_card_shows_why_polls_fail() -> None:
    """The warning names the error."""
    update = presentation_of(CARD).update(state(error="It is down.", failing_since=NOW))
    assert "It is down." in str(body(update)["message"])


def test_restored_card_suppresses_a_second_notice() -> None:
    """The requester knows already that the thread was unreachable."""
    restored = body(presentation_of(CARD).restore(state(pending=True)))
    assert (restored["again"], restored["about"]) == (True, {})


@pytest.mark.parametrize(("watch", "text"), [(CARD, "Hi"), (ROW, "api: Hi"), (REACTION, "Hi")])
def test_only_a_board_reply_is_headed_by_the_job(watch: Watch, text: str) -> None:
    """A board's thread is about several jobs."""
    assert presentation_of(watch).heading("api", Message(text="Hi")).text == text


def dead_letter(id_: int, kind: MessageKind, content: dict[str, Any]) -> OutboxMessage:
    """Return a message that was rejected an hour ago."""
    at = NOW - timedelta(hours=1)
    return OutboxMessage(
        id=id_,
        idempotency_key=f"w1:{id_}",
        workspace="T1",
        channel="C1",
        ordering_key="watch:w1",
        kind=kind,
        body=content,
        watch_id="w1",
        due_at=at,
        reason="",
        lane=0,
        state=MessageState.DEAD_LETTER,
        version=1,
        created_at=at,
    )


REPLY = dead_letter(1, MessageKind.POST, {"message": Message(text="It waits.").model_dump()})
SIGN = dead_letter(2, MessageKind.REACTION, {"names": ["pause_button"]})


@pytest.mark.parametrize(
    ("missed", "card", "row", "reaction"),
    [
        (([], JOB, None), [], [], []),
        (([], JOB, JOB), [], [], ["reaction"]),
        (([], JOB, DONE), ["post"], ["post"], ["reaction"]),
        (([REPLY], JOB, None), ["post"], ["post"], ["post"]),
        (([REPLY, SIGN], JOB, DONE), ["post"], ["post"], ["post", "reaction"]),
    ],
)
def test_catch_up_of_each_presentation(
    missed: tuple[list[OutboxMessage], Job, Job | None],
    card: list[str],
    row: list[str],
    reaction: list[str],
) -> None:
    """A thread gets one reply; a reaction shows the state by itself."""
    caught_up = [
        presentation_of(watch).catch_up(MissedUpdates(watch, *missed), "deploy-api", None, NOW)
        for watch in WATCHES
    ]
    assert [[message.kind for message in each] for each in caught_up] == [card, row, reaction]


def test_catch_up_in_a_board_names_the_job() -> None:
    """The reply is one of several in the board's thread."""
    missed = MissedUpdates(ROW, [REPLY], JOB, None)
    (reply,) = presentation_of(ROW).catch_up(missed, "deploy-api", None, NOW)
    assert reply.body["message"]["text"].startswith("deploy-api")
