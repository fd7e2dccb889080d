"""Filling in and submitting a modal."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack
from localslack.client.form_validation import REQUIRED
from localslack.state.views import View

pytestmark = pytest.mark.anyio


def plain(text: str) -> dict:
    return {"type": "plain_text", "text": text}


def options(*names: str) -> list[dict]:
    return [{"text": plain(name.title()), "value": name} for name in names]


def input_block(name: str, kind: str, **more: Any) -> dict:
    block = {key: more.pop(key) for key in ("optional", "dispatch_action", "hint") if key in more}
    element = {"type": kind, "action_id": name, **more}
    return {"type": "input", "block_id": name, "label": plain(name), "element": element, **block}


ADD = {"type": "button", "action_id": "add", "text": plain("Add a day"), "value": "mon"}
MINUTES = {"is_decimal_allowed": False, "min_value": "1"}
BLOCKS = [
    {"type": "header", "text": plain("Nightly")},
    input_block("name", "plain_text_input", hint=plain("As it is called in the list")),
    input_block("minutes", "number_input", initial_value="5", **MINUTES),
    input_block("at", "timepicker", optional=True),
    input_block("what", "radio_buttons", options=options("start", "stop")),
    input_block("days", "checkboxes", options=options("mon", "tue"), optional=True),
    input_block("job", "external_select", min_query_length=0),
    {"type": "actions", "block_id": "actions", "elements": [ADD]},
    {
        "type": "section",
        "block_id": "zone",
        "text": plain("Zone"),
        "accessory": {"type": "static_select", "action_id": "zone", "options": options("utc")},
    },
    {"type": "divider"},
    {"type": "context", "elements": [plain("You can change it later.")]},
]
JOBS = [{"text": plain("deploy-api"), "value": "deploys:1"}]
GOOD = {"name": "nightly", "what": "start", "job": "deploy-api"}


def modal(*blocks: dict, **more: Any) -> dict:
    named = {"type": "modal", "callback_id": "schedule", "title": plain("Schedule")}
    return {**named, "submit": plain("Save"), "blocks": list(blocks or BLOCKS), **more}


def answer(request: Any) -> Any:
    return {"options": JOBS} if request.payload["type"] == "block_suggestion" else None


@pytest.fixture
async def view(slack: LocalSlack, app: Any, web: AsyncWebClient) -> View:
    app.replies = answer
    trigger = (await slack.says("/job schedule")).trigger_id
    assert trigger is not None
    await web.views_open(trigger_id=trigger, view=modal(private_metadata="C1"))
    return slack.modals()[0]


async def test_submission_contains_every_input(slack: LocalSlack, app: Any, view: View) -> None:
    """The values are the answers, the initial values, and empty values."""
    await slack.fill(view, {**GOOD, "days": ["mon", "tue"], "at": "18:30"})
    assert (await slack.submit(view)).ok
    sent = app.got[-1].payload["view"]
    values = {name: state[name] for name, state in sent["state"]["values"].items()}
    assert sent["private_metadata"] == "C1"
    assert values["name"] == {"type": "plain_text_input", "value": "nightly"}
    assert values["minutes"] == {"type": "number_input", "value": "5"}
    assert values["at"] == {"type": "timepicker", "selected_time": "18:30"}
    assert values["what"]["selected_option"] == options("start")[0]
    assert values["days"]["selected_options"] == options("mon", "tue")
    assert values["job"]["selected_option"] == JOBS[0]
    assert values["zone"] == {"type": "static_select", "selected_option": None}
    assert slack.modals() == []


async def test_invalid_submission_does_not_reach_the_app(
    slack: LocalSlack, app: Any, view: View
) -> None:
    """The modal stays open with its values."""
    await slack.fill(view, {"name": "nightly", "minutes": 0})
    before = len(app.got)
    result = await slack.submit(view)
    assert result.errors == {
        "minutes": "Enter a number that is 1 or more.",
        "what": REQUIRED,
        "job": REQUIRED,
    }
    assert len(app.got) == before
    assert slack.modals()[0].values["name"]["name"]["value"] == "nightly"


async def test_click_in_a_modal_contains_the_values(
    slack: LocalSlack, app: Any, view: View
) -> None:
    """The values are in the view's state, and the trigger opens another modal on top."""
    await slack.fill(view, {"name": "nightly"})
    result = await slack.click(view, "add")
    sent = app.got[-1].payload
    [action] = sent["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("add", "actions", "mon")
    assert sent["container"] == {"type": "view", "view_id": view.id}
    assert sent["view"]["state"]["values"]["name"]["name"]["value"] == "nightly"
    assert sent["trigger_id"] == result.trigger_id
    assert not {"message", "channel", "response_url", "state"} & set(sent)


async def test_view_update_keeps_entered_values(
    slack: LocalSlack, web: AsyncWebClient, view: View
) -> None:
    """An unchanged input keeps its value; a new one has its initial value."""
    await slack.fill(view, {"name": "nightly", "minutes": 10})
    fresh = input_block("until", "timepicker", initial_time="20:00")
    await web.views_update(view_id=view.id, hash=view.hash, view=modal(BLOCKS[1], fresh))
    [now] = slack.modals()
    assert now.values == {
        "name": {"name": {"type": "plain_text_input", "value": "nightly"}},
        "until": {"until": {"type": "timepicker", "selected_time": "20:00"}},
    }


async def test_choice_in_a_section_is_sent_immediately(
    slack: LocalSlack, app: Any, view: View
) -> None:
    """Outside input blocks every choice reaches the app."""
    await slack.fill(view, {"zone": "utc"})
    sent = app.got[-1].payload
    assert sent["actions"][0]["selected_option"] == options("utc")[0]
    assert sent["view"]["state"]["values"]["zone"]["zone"]["selected_option"] == options("utc")[0]


async def test_dispatching_input_is_sent_immediately(
    slack: LocalSlack, app: Any, web: AsyncWebClient, view: View
) -> None:
    """Other inputs are sent with the submission."""
    plain_input, dispatching_input = (
        input_block(name, "plain_text_input") for name in ("plain", "dispatching")
    )
    updated = modal(plain_input, {**dispatching_input, "dispatch_action": True})
    await web.views_update(view_id=view.id, view=updated)
    before = len(app.got)
    await slack.fill(view, {"plain": "one", "dispatching": "two"})
    [sent] = [request.payload["actions"][0] for request in app.got[before:]]
    assert (sent["type"], sent["action_id"], sent["value"]) == (
        "plain_text_input",
        "dispatching",
        "two",
    )


async def test_only_suggested_options_can_be_chosen(slack: LocalSlack, view: View) -> None:
    """The error names the suggested options."""
    with pytest.raises(LookupError, match="backup is not on offer; the app suggests deploy-api"):
        await slack.fill(view, {"job": "backup"})


async def test_app_errors_keep_the_modal_open(slack: LocalSlack, app: Any, view: View) -> None:
    """The values stay, and the next submission may succeed."""
    errors = {"name": "There is one of this name."}
    await slack.fill(view, GOOD)
    app.replies = lambda _: {"response_action": "errors", "errors": errors}
    assert (await slack.submit(view)).errors == errors
    app.replies = lambda _: {"response_action": "clear"}
    assert (await slack.submit(slack.modals()[0])).ok
    assert slack.modals() == []
