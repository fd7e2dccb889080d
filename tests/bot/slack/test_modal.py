"""The modal "Ask about a job": as it is drawn, as it is opened, and as it is submitted."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot import answers
from bot.asks import Kind
from bot.commands import Verb, parse
from bot.playground import LocalSlack
from bot.playground.limits import view_problems
from bot.slack import modal

if TYPE_CHECKING:
    from slack_bolt.response import BoltResponse

    from bot.asks import Ask
    from tests.bot.slack.conftest import Desk

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOWHERE = "http://127.0.0.1:1/"
URL = "http://127.0.0.1:1/respond/1"


def submission(job: str = "deploys:JOB1", channel: str = "C1", *ticked: str) -> dict[str, Any]:
    """Return a submission as Slack sends it; an empty string leaves an input empty."""
    options = [{"value": tick} for tick in ticked]
    values = {
        "job": {"job": {"selected_option": {"value": job} if job else None}},
        "channel": {"channel": {"selected_conversation": channel or None}},
        "for_whom": {"for_whom": {"selected_options": options}},
    }
    return {
        "type": "view_submission",
        "team": {"id": "T0PLAYGRND"},
        "user": {"id": "U0ADA"},
        "view": {
            "type": "modal",
            "id": "V1",
            "callback_id": "ask_job",
            "state": {"values": values},
        },
        "response_urls": [{"channel_id": channel, "response_url": URL}],
    }


SHORTCUT = {"type": "shortcut", "callback_id": "ask_job", "trigger_id": "1.2.3"}
LETTER = {"type": "block_suggestion", "action_id": "job", "value": "x"}
LETTER |= {"view": {"callback_id": "ask_job"}}


def asked(body: dict[str, Any]) -> Ask:
    return modal.submitted(body, NOON).ask


async def dispatched(app_for: Any, body: dict[str, Any], url: str = NOWHERE) -> BoltResponse:
    """Let the app see a payload as Socket Mode brings it, and return what it answers."""
    app = app_for(AsyncWebClient(LocalSlack.bot_token, base_url=url, retry_handlers=[]), None)
    answer: BoltResponse = await app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
    return answer


def test_slack_takes_the_modal_as_it_is() -> None:
    """Every text is short enough, and an input asks for a submit button."""
    assert view_problems(modal.view()) == []


def test_the_list_of_jobs_opens_before_anything_is_typed() -> None:
    """Slack's own default is three letters."""
    assert modal.view()["blocks"][0]["element"]["min_query_length"] == 0


def test_a_submission_asks_as_a_command_would() -> None:
    """Who, where, for what, and how to answer only that person."""
    ask = asked(submission())
    assert (ask.kind, ask.user, ask.channel, ask.at) == (Kind.COMMAND, "U0ADA", "C1", NOON)
    assert (ask.text, ask.response_url) == ("deploys:JOB1", URL)


def test_a_box_that_is_ticked_makes_it_a_peek() -> None:
    """Only the asker sees the card then."""
    assert asked(submission("deploys:JOB1", "C1", "peek")).text == "peek deploys:JOB1"


def test_a_submission_that_comes_twice_has_one_key() -> None:
    """One modal asks one question, however often it is sent."""
    keys = {modal.submitted(submission(job), NOON).key for job in ("deploys:JOB1", "deploys:JOB2")}
    assert keys == {"view:V1"}


def test_a_submission_without_a_response_url_can_be_asked_all_the_same() -> None:
    """The asker is reached in the channel then."""
    assert asked({**submission(), "response_urls": []}).response_url is None


@pytest.mark.parametrize("id_", ["a&b", "<@U0BEN>", "a&amp;b", "a/b?c=d"])
def test_the_command_of_a_submission_means_the_job_that_was_chosen(id_: str) -> None:
    """Marks that Slack would take for its own are escaped as Slack escapes them."""
    text = modal.command_for(f"deploys:{id_}", peek=True)
    assert (parse(text).verb, parse(text).words) == (Verb.PEEK, (f"deploys:{id_}",))


@pytest.mark.parametrize(
    ("body", "blocks"),
    [
        (submission(""), {"job"}),
        (submission("deploys:JOB1", ""), {"channel"}),
        (submission("", ""), {"job", "channel"}),
        ({**submission(), "view": {"id": "V1", "callback_id": "ask_job"}}, {"job", "channel"}),
        (submission(), set()),
    ],
)
def test_what_is_missing_is_said_at_its_input(body: dict[str, Any], blocks: set[str]) -> None:
    """By the id of the block, as Slack wants it."""
    assert set(modal.missing(body)) == blocks


@pytest.mark.parametrize(
    "body",
    [
        {**SHORTCUT, "callback_id": "translate"},
        {**LETTER, "action_id": "town"},
        {**LETTER, "view": None},
        {**submission(), "view": {"callback_id": "translate"}},
        {"type": "message_action", "callback_id": "ask_job"},
        {},
    ],
)
def test_other_modals_and_shortcuts_are_not_ours(body: dict[str, Any]) -> None:
    """Only those of the manifest count."""
    ours = (modal.is_wanted(body), modal.is_searched(body), modal.is_submitted(body))
    assert ours == (False, False, False)


async def test_the_shortcut_opens_the_modal_at_once(app_for: Any) -> None:
    """One call of Slack's, before the acknowledgement."""
    async with LocalSlack(request_url=NOWHERE) as slack:
        trigger = (await slack.shortcut("ask_job")).trigger_id
        answer = await dispatched(app_for, {**SHORTCUT, "trigger_id": trigger}, slack.api_url)
        assert [view.body["callback_id"] for view in slack.modals()] == ["ask_job"]
    assert answer.status == 200


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (("refuse", "expired_trigger_id"), "refuses to open the modal: expired_trigger_id"),
        (("fail",), "refuses to open the modal: "),
        (("lose_answer",), "the modal could not be opened: ServerDisconnectedError"),
    ],
)
async def test_a_modal_that_cannot_be_opened_is_one_line_in_the_log(
    app_for: Any, caplog: pytest.LogCaptureFixture, fault: tuple[str, ...], words: str
) -> None:
    """Slack tells whoever wanted it that it failed, since the shortcut is not acknowledged."""
    async with LocalSlack(request_url=NOWHERE) as slack:
        getattr(slack.faults, fault[0])(*fault[1:], "views.open")
        with caplog.at_level(logging.ERROR, logger="bot"):
            answer = await dispatched(app_for, SHORTCUT, slack.api_url)
    assert answer.status == 503
    (record,) = (record for record in caplog.records if record.name.startswith("bot.slack"))
    assert words in record.message


async def test_a_modal_is_not_opened_where_slack_cannot_be_reached(
    app_for: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is raised; the line names the error's class."""
    with caplog.at_level(logging.ERROR, logger="bot"):
        assert (await dispatched(app_for, SHORTCUT)).status == 503
    assert "the modal could not be opened: ClientConnectorError" in caplog.text


async def test_a_letter_that_is_typed_is_answered_with_options(app_for: Any) -> None:
    """Even where there is nothing to offer."""
    answer = await dispatched(app_for, LETTER)
    assert (answer.status, json.loads(answer.body)) == (200, {"options": []})


async def test_a_submission_is_stored_and_closes_the_modal(app_for: Any, desk: Desk) -> None:
    """An empty acknowledgement is what closes it."""
    answer = await dispatched(app_for, submission())
    assert (answer.status, answer.body) == (200, "")
    assert desk.taken["view:V1"].text == "deploys:JOB1"


async def test_a_submission_that_lacks_its_job_stays_open_and_asks_nothing(
    app_for: Any, desk: Desk
) -> None:
    """The sentence stands at the input."""
    answer = await dispatched(app_for, submission(""))
    refused = {"job": "Choose a job, or type its reference."}
    assert json.loads(answer.body) == {"response_action": "errors", "errors": refused}
    assert not desk.taken


async def test_a_submission_that_cannot_be_stored_stays_open_and_may_be_sent_again(
    app_for: Any, desk: Desk
) -> None:
    """Nothing that was filled in is lost."""
    desk.refuses = 1
    answer = await dispatched(app_for, submission())
    assert json.loads(answer.body)["errors"] == {"job": answers.busy().text}
    assert (await dispatched(app_for, submission())).body == ""
    assert list(desk.taken) == ["view:V1"]
