"""Texts of replies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import help_text, replies
from bot.commands.settings_parser import ParseError
from bot.providers.references import Resolution
from bot.sdk.errors import JobNotFound
from bot.sdk.models import Job, JobRef, Message, Status
from localslack.blockkit.validation import problems
from tests.bot.commands.deploys_provider import NORTH, REF

HOSTILE = "<!channel> *bold* `code` & <https://evil.example|click>"


def all_replies(text: str) -> list[Message]:
    """Return every reply that repeats untrusted text."""
    choices = [(JobRef(connection=f"c{n}", id="1"), text or "x") for n in range(9)]
    job = Job(ref=REF, name=text or "x", status=Status.RUNNING)
    rows = [(text, job, None), (text, None, "https://acme.slack.com/archives/C1/p1")] * 60
    return [
        replies.error(JobNotFound(text or "x"), REF, "a1"),
        replies.not_understood(Resolution(text, reason=text), "/job"),
        replies.not_understood(Resolution(text, suggestion=text[:1900] or "x"), "/job"),
        replies.choose_job(text, choices),
        help_text.choose_recent_connection(["deploys"], text),
        help_text.recent_jobs("deploys", [job] * 60),
        replies.already_followed(text, "https://acme.slack.com/archives/C1/p1"),
        replies.already_followed(text, None),
        replies.not_followed(text),
        replies.unfollowed(text[:1900] or "x"),
        help_text.watch_list(rows, "/job"),
        replies.looking_up(text),
    ]


def buttons(message: Message) -> list[dict[str, Any]]:
    return [e for b in message.blocks if b["type"] == "actions" for e in b["elements"]]


def texts(message: Message) -> list[str]:
    found = [b["text"]["text"] for b in message.blocks if b["type"] == "section"]
    return [message.text, *found]


@given(st.text(st.characters(codec="utf-8"), max_size=400))
def test_every_reply_fits_slacks_limits(text: str) -> None:
    """Texts, blocks and buttons stay within the limits for any repeated text."""
    for message in all_replies(text):
        assert 0 < len(message.text) <= 4_000
        assert len(message.blocks) <= 50
        assert all(0 < len(said) <= 3_000 for said in texts(message)[1:])
        for button in buttons(message):
            assert 0 < len(button["text"]["text"]) <= 75
            assert len(button["value"]) <= 2_000
        ids = [button["action_id"] for button in buttons(message)]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("number", range(12))
def test_untrusted_text_cannot_mention_or_link(number: int) -> None:
    """Untrusted text is escaped."""
    message = all_replies(HOSTILE)[number]
    shown = " ".join(texts(message))
    assert "<!channel>" not in shown
    assert "<https://evil" not in shown
    assert "*bold*" not in shown.replace("`", "") or "`" in shown


def test_error_reply_has_next_step_and_correlation_id() -> None:
    """The log line with the details has the same correlation id."""
    said = replies.error(JobNotFound("There is no such job."), REF, "ab12").text
    assert said == (
        "⚠️ `deploys:JOB1`: There is no such job."
        " Check the id, and that it belongs to this connection. (log id ab12)"
    )


def test_internal_error_reply_has_the_correlation_id() -> None:
    """The reply has no stack trace, only an id."""
    assert "log id ab12" in replies.internal_error("ab12").text


def test_suggestion_is_on_a_button() -> None:
    """One click sends the suggested reference."""
    message = replies.not_understood(Resolution("delpoys:1", suggestion="deploys:1"), "/job")
    (button,) = buttons(message)
    assert "Did you mean `deploys:1`?" in message.text
    assert (button["action_id"], button["value"]) == ("run", "deploys:1")


def test_unknown_connection_reply_names_the_connections_command() -> None:
    """The requester can look up the right name."""
    message = replies.not_understood(Resolution("x:1", reason="there is no connection x"), "/ops")
    assert "there is no connection x" in message.text
    assert "`/ops connections`" in message.text


def test_choice_has_a_button_for_each_of_the_first_five() -> None:
    """Each button holds the whole reference."""
    refs = tuple(JobRef(connection=f"c{n}", id="1") for n in range(9))
    shown = buttons(replies.choose_job("Which?", [(ref, ref.connection) for ref in refs]))
    assert [button["value"] for button in shown] == [f"c{n}:1" for n in range(5)]


def test_choice_shows_creation_times_in_the_readers_time_zone() -> None:
    """Buttons cannot format dates, so the text does; numbers connect the two."""
    refs = [JobRef(connection="c", id=id_) for id_ in "12"]
    created = {refs[1]: datetime(2024, 6, 1, tzinfo=UTC)}
    message = replies.choose_job("Which?", [(ref, "Twin") for ref in refs], created=created)
    assert [button["text"]["text"] for button in buttons(message)] == ["1. Twin", "2. Twin"]
    assert "2. was created <!date^1717200000^" in message.text


def test_malformed_id_reply_shows_an_example_job() -> None:
    """One click shows the example; without one, the reply shows the id format and no button."""
    wrong = Resolution("north:7", reason="north has no ids of that form", id_example="JOB1234")
    known = replies.not_understood(wrong, "/job", "peek {}".format, NORTH)
    assert "One that I know is `north:JOB77`." in known.text
    assert [button["value"] for button in buttons(known)] == ["peek north:JOB77"]
    form = replies.not_understood(wrong, "/job")
    assert form.text.endswith("Its ids have the form of `JOB1234`.")
    assert buttons(form) == []


def test_too_many_jobs_reply_states_the_limit() -> None:
    """The reply states the count and the limit."""
    assert replies.too_many(12).text.startswith("That names 12 jobs; I take 10 at once.")


def test_verb_without_a_job_shows_the_syntax() -> None:
    """The reply shows what to type."""
    assert "`/job watch connection:id`" in replies.no_reference("watch", "/job").text


def test_unfollowed_reply_points_to_the_cards_follow_button() -> None:
    """The reply has no button of its own: that would post a second card."""
    said = replies.unfollowed("deploys:JOB1")
    assert "Follow button" in said.text
    assert buttons(said) == []


def test_added_to_board_reply_links_to_the_board() -> None:
    """It names one job or counts several; a board that is not posted yet has no link."""
    one = replies.added_to_board(["deploys:JOB1"], "https://a.example/p1")
    assert one.text.startswith("`deploys:JOB1` is on <https://a.example/p1|your board>")
    assert replies.added_to_board(["a:1", "a:2"], None).text.startswith("2 jobs are on your board,")


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "Nothing on that board"), (1, "1 job is no longer"), (9, "9 jobs are no longer")],
)
def test_board_unfollowed_reply_counts_the_jobs(count: int, said: str) -> None:
    """The count can be zero, if two people clicked."""
    assert replies.board_unfollowed(count).text.startswith(said)


@pytest.mark.parametrize(
    "message", [replies.busy(), replies.nothing_found("/job"), replies.unknown_message()]
)
def test_other_replies_are_whole_sentences(message: Message) -> None:
    """They end with a next step."""
    assert message.text.endswith(".")


def test_parse_error_has_a_suggestion_and_the_choices() -> None:
    """One click sends the suggestion."""
    error = ParseError("No.", "set tasks all", ("set tasks all", "set tasks none"))
    message = replies.setting_not_understood(error, "/job")
    assert "Did you mean `set tasks all`?" in message.text
    assert "/job set tasks none" in str(message.blocks)


def test_few_choices_are_buttons_and_many_are_a_list() -> None:
    """The limit is five buttons."""
    few = replies.setting_not_understood(
        ParseError("Which?", choices=("set board on", "set board off")), "/job"
    )
    assert [e["value"] for e in few.blocks[1]["elements"]] == ["set board on", "set board off"]
    many = replies.setting_not_understood(
        ParseError("Which?", choices=tuple(f"set f{n}" for n in range(9))), "/job"
    )
    assert "`/job set f8`" in many.text


@pytest.mark.parametrize("suggestion", ["", "set tasks all"])
def test_slack_accepts_every_parse_error(suggestion: str) -> None:
    """Checked by the rules of the local Slack."""
    error = ParseError("Which?", suggestion, ("set board on", "set board off"))
    message = replies.setting_not_understood(error, "/job")
    assert problems(list(message.blocks), "message") == []
