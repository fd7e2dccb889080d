"""Explanations of messages and jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.notifications import explanation
from bot.notifications.effective_settings import ChannelSettings, Origin
from bot.notifications.explanation import MessageOrigin
from bot.notifications.policy import FollowUps, NotificationPolicy
from bot.sdk.cards import message_size
from bot.store import Board, BoardKind, DeliveryAction, EventKind, SentMessage, Watch, WatchState
from localslack.blockkit.validation import problems
from tests.bot.history_samples import MONDAY, decision_record

if TYPE_CHECKING:
    from bot.sdk.models import Message
    from bot.store import DecisionRecord

REF = decision_record().ref
WATCH = Watch(
    id="watch1", workspace="T1", channel="C1", ref=REF, asker="U0ADA", requested_at=MONDAY
)
OVERRIDDEN = ChannelSettings(
    NotificationPolicy(follow_ups=FollowUps.OUTCOMES),
    {"follow_ups": Origin.CHANNEL},
    set_by="U0GRACE",
    revision=1,
)


def sent_message(**fields: Any) -> SentMessage:
    """Return a sent thread reply, as the store returns it."""
    defaults = {
        "idempotency_key": "watch1:2",
        "reason": "This channel hears every change.",
        "watch_id": "watch1",
        "board_id": None,
        "creates_card": False,
        "broadcast": False,
    }
    return SentMessage(**(defaults | fields))


def text_of(message: Message) -> str:
    """Return the text of all sections of a message."""
    assert problems(list(message.blocks), "message") == []
    texts = [b["text"]["text"] for b in message.blocks if b["type"] == "section"]
    return "\n".join(texts)


def buttons(message: Message) -> dict[str, str]:
    """Return the buttons of a message: label → value."""
    (row,) = (block for block in message.blocks if block["type"] == "actions")
    return {b["text"]["text"]: b["value"] for b in row["elements"]}


def explain(
    settings: ChannelSettings | None = None,
    sent: SentMessage | None = None,
    watch: Watch = WATCH,
    decision: DecisionRecord | None = None,
) -> Message:
    """Return the explanation of a thread reply."""
    origin = MessageOrigin(
        settings=settings or ChannelSettings(),
        sent=sent or sent_message(),
        watch=watch,
        decision=decision or decision_record(),
    )
    return explanation.explain_message(origin)


def test_reply_explanation_names_rule_asker_and_origin() -> None:
    """Everything comes from the stored decision."""
    text = text_of(explain())
    assert "*deploy-api* (`deploys:JOB1`): it ended." in text
    assert "This channel hears every change." in text
    assert "The setting is `follow_ups`, now *every*: built in." in text
    assert "<@U0ADA> asked for the job <!date^" in text


def test_overridden_value_names_the_last_editor() -> None:
    """That is the user to talk to."""
    text = text_of(explain(settings=OVERRIDDEN))
    assert "now *outcomes*: set in this channel; <@U0GRACE> changed the settings here last." in text


def test_broadcast_reply_also_names_the_broadcast_rule() -> None:
    """A broadcast has a second rule."""
    text = text_of(explain(sent=sent_message(broadcast=True)))
    assert "It is shown in the channel as well. The setting is `broadcast`, now *failure*" in text


def test_mentioning_reply_also_names_the_mention_rule() -> None:
    """The mentioned user may ask for the reason."""
    text = text_of(explain(decision=decision_record(text="deploy-api failed. <@U0ADA>")))
    assert "It calls somebody. The setting is `mention`, now *asker*" in text


def test_coalesced_reply_says_that_it_covers_more() -> None:
    """Its own decision is not the whole reason."""
    assert "this message tells with it what happened" in text_of(
        explain(sent=sent_message(coalesced=True))
    )
    assert "It was late" not in text_of(explain())


@pytest.mark.parametrize("event_kind", EventKind)
def test_every_event_kind_has_texts(event_kind: EventKind) -> None:
    """A failure has its own text."""
    good, bad = (
        text_of(explain(decision=decision_record(event_kind, failed=bad))) for bad in (False, True)
    )
    assert good.startswith("This is a follow-up about *deploy-api*")
    may_fail = event_kind in ("change", "task", "run", "outcome")
    assert (good != bad) == may_fail


def test_card_explanation_says_that_it_was_requested() -> None:
    """No setting decided about it, so none is named."""
    origin = MessageOrigin(
        ChannelSettings(), sent_message(creates_card=True), WATCH, job_name="deploy-api"
    )
    text = text_of(explanation.explain_message(origin))
    assert "card of *deploy-api*" in text
    assert "it was asked for, so no setting decided about it." in text


def test_reply_to_a_request_names_the_user() -> None:
    """The card of a finished job has no watch."""
    answer = sent_message(watch_id=None, reason="asked for by U0ADA")
    text = text_of(explanation.explain_message(MessageOrigin(ChannelSettings(), answer)))
    assert "This answers what <@U0ADA> asked; no setting decided about it." in text


def test_message_without_a_decision_has_its_stored_reason() -> None:
    """An example is the catch-up of a thread that was unreachable."""
    origin = MessageOrigin(
        ChannelSettings(), sent_message(reason="the thread could not be told for a while"), WATCH
    )
    text = text_of(explanation.explain_message(origin))
    assert "No setting decided about this message: the thread could not be told" in text


def test_digest_explanation_names_its_rules() -> None:
    """Each rule is named once."""
    board = Board(
        id="b", workspace="T1", channel="C1", kind=BoardKind.DIGEST, asker="", opened_at=MONDAY
    )
    record = decision_record(
        rule="posts_per_hour", reason="This channel takes 1 follow-up an hour."
    )
    text = text_of(
        explanation.explain_message(
            MessageOrigin(ChannelSettings(), sent_message(), board=board, deferred=[record] * 3)
        )
    )
    assert "it tells 3 follow-ups that were deferred" in text
    assert text.count("This channel takes 1 follow-up an hour.") == 1
    assert "The setting is `posts_per_hour`, now *none*" in text


def test_board_explanation_says_that_it_was_requested() -> None:
    """A board is requested, as a card is."""
    board = Board(
        id="b", workspace="T1", channel="C1", kind=BoardKind.BOARD, asker="U", opened_at=MONDAY
    )
    origin = MessageOrigin(ChannelSettings(), sent_message(creates_card=True), board=board)
    assert "asked for together" in text_of(explanation.explain_message(origin))


def test_buttons_unfollow_narrow_and_open_settings() -> None:
    """The explanation offers the next steps."""
    assert buttons(explain()) == {
        "Stop following": "deploys:JOB1",
        "Only outcomes here": "set follow_ups outcomes",
        "Only failures here": "set follow_ups failures",
        "All settings": "settings",
    }


def test_buttons_without_effect_are_omitted() -> None:
    """The policy has the value already, or the watch has ended."""
    ended = replace(WATCH, state=WatchState.ENDED, ended_at=MONDAY, reason="stopped by U0GRACE")
    explanation_ = explain(settings=OVERRIDDEN, watch=ended)
    assert list(buttons(explanation_)) == ["Only failures here", "All settings"]
    assert "It is no longer followed since" in text_of(explanation_)
    assert "stopped by <@U0GRACE>" in text_of(explanation_)


def test_unknown_message_reports_the_retention() -> None:
    """No reason is invented."""
    assert "I remember for 30 days" in explanation.unknown_message(30).text


def test_job_that_was_never_followed_reports_the_retention() -> None:
    """Older watches are not stored."""
    text = explanation.never_followed("deploys:JOB9", 30).text
    assert "`deploys:JOB9` was not followed here in the last 30 days" in text


def explain_job(*decisions: Any, watch: Watch | None = WATCH) -> Message:
    """Return the explanation of a job with these decisions."""
    return explanation.explain_job(
        "deploys:JOB1", watch, decisions, MessageOrigin(ChannelSettings())
    )


def test_deferred_decisions_come_first_with_their_end() -> None:
    """They are followed by the others, newest first."""
    deferred = decision_record(
        action=DeliveryAction.DEFER,
        deferred_until=MONDAY + timedelta(hours=19),
        rule="quiet_hours",
        reason="These are quiet hours here until 07:00 (UTC).",
    )
    message = explain_job(
        deferred, decision_record(), decision_record(action=DeliveryAction.UPDATE)
    )
    text = text_of(message)
    assert "1 deferred now; 1 of 2 other decisions told" in message.text
    assert (
        text.index("deferred until <!date^") < text.index("*told*") < text.index("only on the card")
    )
    assert "These are quiet hours here until 07:00 (UTC)." in text


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"action": DeliveryAction.DIGEST, "deferred_until": MONDAY}, "in the digest"),
        ({"action": DeliveryAction.DIGEST, "board_id": "b"}, "told in a digest"),
        ({"action": DeliveryAction.DEFER, "board_id": "b"}, "told in a digest"),
        ({"action": DeliveryAction.REACT}, "by a reaction"),
        ({"action": DeliveryAction.DROP}, "dropped"),
    ],
)
def test_every_action_has_its_text(fields: dict[str, Any], text: str) -> None:
    """A digest item differs from a pending one."""
    assert text in text_of(explain_job(decision_record(**fields)))


def test_job_without_events_says_so() -> None:
    """The job is followed, and no event has occurred."""
    assert "nothing has happened to it here" in explain_job().text


@pytest.mark.parametrize("letter", ["<&>", "\u4efb", '"\\'])
def test_longest_history_fits_into_one_message(letter: str) -> None:
    """Fifteen decisions with texts of maximum length."""
    record = decision_record(text=letter * 1_000, reason="x" * 120)
    message = explain_job(*[record] * explanation.MAX_DECISIONS)
    text_of(message)
    assert message_size.fits(message)
