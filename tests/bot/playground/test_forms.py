"""Filling in a modal: every input, a button inside, and what the app answers."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import LocalSlack
from bot.playground.complaints import MISSING
from bot.playground.views import View

pytestmark = pytest.mark.anyio


def plain(text: str) -> dict:
    return {"type": "plain_text", "text": text}


def options(*names: str) -> list[dict]:
    return [{"text": plain(name.title()), "value": name} for name in names]


def asks(name: str, kind: str, **more: Any) -> dict:
    block = {key: more.pop(key) for key in ("optional", "dispatch_action", "hint") if key in more}
    element = {"type": kind, "action_id": name, **more}
    return {"type": "input", "block_id": name, "label": plain(name), "element": element, **block}


ADD = {"type": "button", "action_id": "add", "text": plain("Add a day"), "value": "mon"}
MINUTES = {"is_decimal_allowed": False, "min_value": "1"}
BLOCKS = [
    {"type": "header", "text": plain("Nightly")},
    asks("name", "plain_text_input", hint=plain("As it is called in the list")),
    asks("minutes", "number_input", initial_value="5", **MINUTES),
    asks("at", "timepicker", optional=True),
    asks("what", "radio_buttons", options=options("start", "stop")),
    asks("days", "checkboxes", options=options("mon", "tue"), optional=True),
    asks("job", "external_select", min_query_length=0),
    {"type": "actions", "block_id": "deeds", "elements": [ADD]},
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


async def test_a_filled_in_modal_is_submitted_whole(
    slack: LocalSlack, app: Any, view: View
) -> None:
    """What was answered, what it began with, and what stayed empty."""
    await slack.fill(view, {**GOOD, "days": ["mon", "tue"], "at": "18:30"})
    assert (await slack.submit(view)).ok
    sent = app.got[-1].payload["view"]
    held = {name: entry[name] for name, entry in sent["state"]["values"].items()}
    assert sent["private_metadata"] == "C1"
    assert held["name"] == {"type": "plain_text_input", "value": "nightly"}
    assert held["minutes"] == {"type": "number_input", "value": "5"}
    assert held["at"] == {"type": "timepicker", "selected_time": "18:30"}
    assert held["what"]["selected_option"] == options("start")[0]
    assert held["days"]["selected_options"] == options("mon", "tue")
    assert held["job"]["selected_option"] == JOBS[0]
    assert held["zone"] == {"type": "static_select", "selected_option": None}
    assert slack.modals() == []


async def test_what_the_client_would_not_send_does_not_reach_the_app(
    slack: LocalSlack, app: Any, view: View
) -> None:
    """The modal stays, with what was filled in."""
    await slack.fill(view, {"name": "nightly", "minutes": 0})
    before = len(app.got)
    done = await slack.submit(view)
    assert done.errors == {
        "minutes": "Enter a number that is 1 or more.",
        "what": MISSING,
        "job": MISSING,
    }
    assert len(app.got) == before
    assert slack.modals()[0].values["name"]["name"]["value"] == "nightly"


async def test_a_button_in_a_modal_tells_what_is_filled_in(
    slack: LocalSlack, app: Any, view: View
) -> None:
    """In the view's own state; the trigger opens one more modal over it."""
    await slack.fill(view, {"name": "nightly"})
    done = await slack.click(view, "add")
    sent = app.got[-1].payload
    [action] = sent["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("add", "deeds", "mon")
    assert sent["container"] == {"type": "view", "view_id": view.id}
    assert sent["view"]["state"]["values"]["name"]["name"]["value"] == "nightly"
    assert sent["trigger_id"] == done.trigger_id
    assert not {"message", "channel", "response_url", "state"} & set(sent)


async def test_an_update_keeps_what_was_typed(
    slack: LocalSlack, web: AsyncWebClient, view: View
) -> None:
    """An input that stays keeps its answer, one that is new has its own beginning."""
    await slack.fill(view, {"name": "nightly", "minutes": 10})
    fresh = asks("until", "timepicker", initial_time="20:00")
    await web.views_update(view_id=view.id, hash=view.hash, view=modal(BLOCKS[1], fresh))
    [now] = slack.modals()
    assert now.values == {
        "name": {"name": {"type": "plain_text_input", "value": "nightly"}},
        "until": {"until": {"type": "timepicker", "selected_time": "20:00"}},
    }


async def test_a_choice_beside_a_text_is_told_at_once(
    slack: LocalSlack, app: Any, view: View
) -> None:
    """Outside of input blocks every choice reaches the app."""
    await slack.fill(view, {"zone": "utc"})
    sent = app.got[-1].payload
    assert sent["actions"][0]["selected_option"] == options("utc")[0]
    assert sent["view"]["state"]["values"]["zone"]["zone"]["selected_option"] == options("utc")[0]


async def test_an_input_that_dispatches_is_told_at_once(
    slack: LocalSlack, app: Any, web: AsyncWebClient, view: View
) -> None:
    """Others wait for the submission."""
    quiet, loud = (asks(name, "plain_text_input") for name in ("quiet", "loud"))
    dispatching = modal(quiet, {**loud, "dispatch_action": True})
    await web.views_update(view_id=view.id, view=dispatching)
    before = len(app.got)
    await slack.fill(view, {"quiet": "one", "loud": "two"})
    [sent] = [request.payload["actions"][0] for request in app.got[before:]]
    assert (sent["type"], sent["action_id"], sent["value"]) == ("plain_text_input", "loud", "two")


async def test_only_what_the_app_suggests_can_be_chosen(slack: LocalSlack, view: View) -> None:
    """A test that chooses in vain learns what was suggested."""
    with pytest.raises(LookupError, match="backup is not on offer; the app suggests deploy-api"):
        await slack.fill(view, {"job": "backup"})


async def test_errors_of_the_app_stand_by_their_blocks(
    slack: LocalSlack, app: Any, view: View
) -> None:
    """What was filled in stays, and the next submission may pass."""
    errors = {"name": "There is one of this name."}
    await slack.fill(view, GOOD)
    app.replies = lambda _: {"response_action": "errors", "errors": errors}
    assert (await slack.submit(view)).errors == errors
    app.replies = lambda _: {"response_action": "clear"}
    assert (await slack.submit(slack.modals()[0])).ok
    assert slack.modals() == []
