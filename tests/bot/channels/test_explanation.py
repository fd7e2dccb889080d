"""Why a message is there, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.channels import explanation
from bot.channels.explanation import Found
from bot.noise.contracts import Contract, Origin
from bot.noise.decision import Action, Happening
from bot.noise.policy import FollowUps, NoisePolicy
from bot.playground.limits import problems
from bot.store import Board, BoardKind, Said, Watch, WatchState
from tests.bot.weeks import MONDAY, decided

if TYPE_CHECKING:
    from bot.models import Message

REF = decided().ref
WATCH = Watch(id="watch1", workspace="T1", channel="C1", ref=REF, asker="U0ADA", asked_at=MONDAY)
SET = Contract(
    NoisePolicy(follow_ups=FollowUps.OUTCOMES),
    {"follow_ups": Origin.CHANNEL},
    set_by="U0GRACE",
    revision=1,
)


def said(**but: Any) -> Said:
    """Return a follow-up as the outbox remembers it."""
    plain = {
        "key": "watch1:2",
        "reason": "This channel hears every change.",
        "watch_id": "watch1",
        "board_id": None,
        "roots_watch": False,
        "loud": False,
    }
    return Said(**(plain | but))


def shown(message: Message) -> str:
    """Return all that stands in a message."""
    assert problems(list(message.blocks), "message") == []
    texts = [b["text"]["text"] for b in message.blocks if b["type"] == "section"]
    return "\n".join(texts)


def pressed(message: Message) -> dict[str, str]:
    """Return its buttons: label → value."""
    (row,) = (block for block in message.blocks if block["type"] == "actions")
    return {b["text"]["text"]: b["value"] for b in row["elements"]}


def why(**but: Any) -> Message:
    """Explain a follow-up."""
    plain = {"contract": Contract(), "said": said(), "watch": WATCH, "decided": decided()}
    return explanation.message(Found(**(plain | but)))


def test_a_follow_up_names_its_rule_who_asked_and_where_the_value_comes_from() -> None:
    """All that one needs to know, from what was written down."""
    text = shown(why())
    assert "*deploy-api* (`deploys:JOB1`): it ended." in text
    assert "This channel hears every change." in text
    assert "The setting is `follow_ups`, now *every*: built in." in text
    assert "<@U0ADA> asked for the job <!date^" in text


def test_a_value_that_the_channel_set_names_who_changed_the_settings_last() -> None:
    """That is whom to talk to."""
    text = shown(why(contract=SET))
    assert "now *outcomes*: set in this channel; <@U0GRACE> changed the settings here last." in text


def test_a_follow_up_in_the_channel_names_the_rule_that_brought_it_there() -> None:
    """What is loud has a second rule."""
    text = shown(why(said=said(loud=True)))
    assert "It is shown in the channel as well. The setting is `broadcast`, now *failure*" in text


def test_a_follow_up_that_calls_somebody_names_the_rule_for_that() -> None:
    """Whoever was called may ask why."""
    text = shown(why(decided=decided(text="deploy-api failed. <@U0ADA>")))
    assert "It calls somebody. The setting is `mention`, now *asker*" in text


def test_a_follow_up_that_was_late_tells_that_it_speaks_of_more() -> None:
    """Its own decision is not the whole reason."""
    assert "this message tells with it what happened" in shown(why(said=said(late=True)))
    assert "It was late" not in shown(why())


@pytest.mark.parametrize("happening", Happening)
def test_everything_that_can_happen_has_its_words(happening: Happening) -> None:
    """What failed is not said to have ended."""
    good, bad = (shown(why(decided=decided(happening, bad=bad))) for bad in (False, True))
    assert good.startswith("This is a follow-up about *deploy-api*")
    may_fail = happening in ("change", "task", "run", "outcome")
    assert (good != bad) == may_fail


def test_a_card_says_that_it_was_asked_for() -> None:
    """No setting decided about it, and none is made up."""
    found = Found(Contract(), said(roots_watch=True), WATCH, name="deploy-api")
    text = shown(explanation.message(found))
    assert "card of *deploy-api*" in text
    assert "it was asked for, so no setting decided about it." in text


def test_an_answer_says_whom_it_answers() -> None:
    """A finished job's card is nobody's watch."""
    answer = said(watch_id=None, reason="asked for by U0ADA")
    text = shown(explanation.message(Found(Contract(), answer)))
    assert "This answers what <@U0ADA> asked; no setting decided about it." in text


def test_a_message_without_a_decision_tells_the_reason_that_it_was_given() -> None:
    """As when a thread that was silent catches up."""
    found = Found(Contract(), said(reason="the thread could not be told for a while"), WATCH)
    text = shown(explanation.message(found))
    assert "No setting decided about this message: the thread could not be told" in text


def test_a_digest_tells_the_rules_that_held_its_follow_ups_back() -> None:
    """Each rule once."""
    board = Board(
        id="b", workspace="T1", channel="C1", kind=BoardKind.DIGEST, asker="", opened_at=MONDAY
    )
    held = decided(rule="posts_per_hour", reason="This channel takes 1 follow-up an hour.")
    text = shown(explanation.message(Found(Contract(), said(), board=board, members=[held] * 3)))
    assert "it tells 3 follow-ups that were held back" in text
    assert text.count("This channel takes 1 follow-up an hour.") == 1
    assert "The setting is `posts_per_hour`, now *none*" in text


def test_a_board_says_that_its_jobs_were_asked_for_together() -> None:
    """It was asked for, as a card is."""
    board = Board(
        id="b", workspace="T1", channel="C1", kind=BoardKind.BOARD, asker="U", opened_at=MONDAY
    )
    found = Found(Contract(), said(roots_watch=True), board=board)
    assert "asked for together" in shown(explanation.message(found))


def test_the_buttons_stop_narrow_and_lead_to_all_settings() -> None:
    """What follows from the reason is one click away."""
    assert pressed(why()) == {
        "Stop following": "deploys:JOB1",
        "Only outcomes here": "set follow_ups outcomes",
        "Only failures here": "set follow_ups failures",
        "All settings": "settings",
    }


def test_what_holds_already_or_is_over_has_no_button() -> None:
    """A button that changes nothing is a lie."""
    ended = replace(WATCH, state=WatchState.ENDED, ended_at=MONDAY, reason="stopped by U0GRACE")
    said_ = why(contract=SET, watch=ended)
    assert list(pressed(said_)) == ["Only failures here", "All settings"]
    assert "It is no longer followed since" in shown(said_)
    assert "stopped by <@U0GRACE>" in shown(said_)


def test_what_is_too_long_ago_is_said_to_be() -> None:
    """No reason is invented."""
    assert "I remember for 30 days" in explanation.forgotten(30).text


def test_a_job_that_was_never_followed_here_is_said_to_be() -> None:
    """As far as is remembered."""
    text = explanation.never_followed("deploys:JOB9", 30).text
    assert "`deploys:JOB9` was not followed here in the last 30 days" in text


def of_job(*told: Any, watch: Watch | None = WATCH) -> Message:
    """Return what became of what happened to the job."""
    return explanation.job("deploys:JOB1", watch, told, Found(Contract()))


def test_what_is_held_back_now_comes_first_with_its_hour() -> None:
    """That is what one came to ask."""
    night = decided(
        action=Action.HOLD,
        until=MONDAY + timedelta(hours=19),
        rule="quiet_hours",
        reason="These are quiet hours here until 07:00 (UTC).",
    )
    message = of_job(night, decided(), decided(action=Action.UPDATE))
    text = shown(message)
    assert "1 held back now; 1 of 2 other decisions told" in message.text
    assert text.index("held until <!date^") < text.index("*told*") < text.index("only on the card")
    assert "These are quiet hours here until 07:00 (UTC)." in text


@pytest.mark.parametrize(
    ("but", "words"),
    [
        ({"action": Action.DIGEST, "until": MONDAY}, "in the digest"),
        ({"action": Action.DIGEST, "board_id": "b"}, "told in a digest"),
        ({"action": Action.HOLD, "board_id": "b"}, "told in a digest"),
        ({"action": Action.REACT}, "by a reaction"),
        ({"action": Action.DROP}, "dropped"),
    ],
)
def test_each_fate_has_its_words(but: dict[str, Any], words: str) -> None:
    """Nothing is passed over."""
    assert words in shown(of_job(decided(**but)))


def test_a_job_to_which_nothing_happened_says_so() -> None:
    """It is followed, and there was nothing to tell."""
    assert "nothing has happened to it here" in of_job().text


def test_the_longest_history_fits_into_one_message() -> None:
    """Fifteen decisions with texts as long as Slack takes."""
    told = decided(text="<&>" * 1_000, reason="x" * 120)
    shown(of_job(*[told] * explanation.MOST_DECISIONS))
