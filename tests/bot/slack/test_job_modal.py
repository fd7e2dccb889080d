"""The modal "Ask about a job": rendering, opening and submission."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands import replies
from bot.commands.parser import Verb, parse_button_value
from bot.commands.request import RequestKind
from bot.slack import job_modal
from localslack import LocalSlack
from localslack.blockkit.validation import view_problems

if TYPE_CHECKING:
    from slack_bolt.response import BoltResponse

    from bot.commands.request import Request
    from tests.bot.slack.conftest import FakeInboxWorker

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
KEYSTROKE = {"type": "block_suggestion", "action_id": "job", "value": "x"}
KEYSTROKE |= {"view": {"callback_id": "ask_job"}}


def request_of(body: dict[str, Any]) -> Request:
    return job_modal.to_request(body, NOON).request


async def dispatched(app_for: Any, body: dict[str, Any], url: str = NOWHERE) -> BoltResponse:
    """Dispatch a payload as Socket Mode does, and return the response."""
    app = app_for(AsyncWebClient(LocalSlack.bot_token, base_url=url, retry_handlers=[]), None)
    answer: BoltResponse = await app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
    return answer


def test_slack_accepts_the_modal() -> None:
    """Texts are within the limits, and there is a submit button."""
    assert view_problems(job_modal.view()) == []


def test_job_options_load_before_anything_is_typed() -> None:
    """Slack's default is three letters."""
    assert job_modal.view()["blocks"][0]["element"]["min_query_length"] == 0


def test_submission_becomes_a_command_request() -> None:
    """User, channel, text and response_url are kept."""
    ask = request_of(submission())
    assert (ask.kind, ask.user, ask.channel, ask.requested_at) == (
        RequestKind.COMMAND,
        "U0ADA",
        "C1",
        NOON,
    )
    assert (ask.text, ask.response_url) == ("deploys:JOB1", URL)


def test_ticked_checkbox_makes_it_a_peek() -> None:
    """Only the asker sees the card then."""
    assert request_of(submission("deploys:JOB1", "C1", "peek")).text == "peek deploys:JOB1"


def test_duplicate_submission_has_one_key() -> None:
    """One modal makes one request."""
    keys = {
        job_modal.to_request(submission(job), NOON).idempotency_key
        for job in ("deploys:JOB1", "deploys:JOB2")
    }
    assert keys == {"view:V1"}


def test_submission_without_a_response_url_is_valid() -> None:
    """The reply is an ephemeral message in the channel."""
    assert request_of({**submission(), "response_urls": []}).response_url is None


@pytest.mark.parametrize("id_", ["a&b", "<@U0BEN>", "a&amp;b", "a/b?c=d"])
def test_command_of_a_submission_resolves_to_the_chosen_job(id_: str) -> None:
    """Characters that Slack would parse are escaped as Slack escapes them."""
    text = job_modal.command_for(f"deploys:{id_}", peek=True)
    assert (parse_button_value(text).verb, parse_button_value(text).words) == (
        Verb.PEEK,
        (f"deploys:{id_}",),
    )


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
def test_missing_input_has_an_error(body: dict[str, Any], blocks: set[str]) -> None:
    """By block id, as Slack requires."""
    assert set(job_modal.missing_inputs(body)) == blocks


async def test_shortcut_opens_the_modal_before_the_ack(app_for: Any) -> None:
    """With one call of views.open."""
    async with LocalSlack(request_url=NOWHERE) as slack:
        trigger = (await slack.shortcut("ask_job")).trigger_id
        answer = await dispatched(app_for, {**SHORTCUT, "trigger_id": trigger}, slack.api_url)
        assert [view.body["callback_id"] for view in slack.modals()] == ["ask_job"]
    assert answer.status == 200


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (("refuse", "expired_trigger_id"), "Slack rejected views.open: expired_trigger_id"),
        (("fail",), "Slack rejected views.open: "),
        (("lose_answer",), "cannot open the modal: ServerDisconnectedError"),
    ],
)
async def test_modal_that_cannot_be_opened_is_one_log_line(
    app_for: Any, caplog: pytest.LogCaptureFixture, fault: tuple[str, ...], words: str
) -> None:
    """Slack shows the user an error, because the shortcut is not acknowledged."""
    async with LocalSlack(request_url=NOWHERE) as slack:
        getattr(slack.faults, fault[0])(*fault[1:], "views.open")
        with caplog.at_level(logging.ERROR, logger="bot"):
            answer = await dispatched(app_for, SHORTCUT, slack.api_url)
    assert answer.status == 503
    (record,) = (record for record in caplog.records if record.name.startswith("bot.slack"))
    assert words in record.message


async def test_unreachable_slack_is_logged_without_raising(
    app_for: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The log line names the error's class."""
    with caplog.at_level(logging.ERROR, logger="bot"):
        assert (await dispatched(app_for, SHORTCUT)).status == 503
    assert "cannot open the modal: ClientConnectorError" in caplog.text


async def test_typed_letter_is_answered_with_options(app_for: Any) -> None:
    """Even if there are none."""
    answer = await dispatched(app_for, KEYSTROKE)
    assert (answer.status, json.loads(answer.body)) == (200, {"options": []})


async def test_submission_is_persisted_and_closes_the_modal(
    app_for: Any, inbox: FakeInboxWorker
) -> None:
    """An empty acknowledgement closes it."""
    answer = await dispatched(app_for, submission())
    assert (answer.status, answer.body) == (200, "")
    assert inbox.enqueued["view:V1"].text == "deploys:JOB1"


async def test_submission_without_a_job_keeps_the_modal_open(
    app_for: Any, inbox: FakeInboxWorker
) -> None:
    """The error is shown at the input, and nothing is enqueued."""
    answer = await dispatched(app_for, submission(""))
    refused = {"job": "Choose a job, or type its reference."}
    assert json.loads(answer.body) == {"response_action": "errors", "errors": refused}
    assert not inbox.enqueued


async def test_submission_that_cannot_be_persisted_can_be_repeated(
    app_for: Any, inbox: FakeInboxWorker
) -> None:
    """The modal stays open with its inputs."""
    inbox.failures_left = 1
    answer = await dispatched(app_for, submission())
    assert json.loads(answer.body)["errors"] == {"job": replies.busy().text}
    assert (await dispatched(app_for, submission())).body == ""
    assert list(inbox.enqueued) == ["view:V1"]
