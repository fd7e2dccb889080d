"""views.* methods: opening, stacking, submitting and closing views."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from localslack import LocalSlack
from localslack.state.views import View

pytestmark = pytest.mark.anyio


def plain(text: str) -> dict:
    return {"type": "plain_text", "text": text}


def modal(title: str = "Show a job", **more: Any) -> dict:
    element = {"type": "plain_text_input", "action_id": "reference"}
    ask = {"type": "input", "block_id": "ask", "label": plain("Reference"), "element": element}
    fields = {"type": "modal", "callback_id": "show", "title": plain(title), "blocks": [ask]}
    return {**fields, "submit": plain("Show"), **more}


VALUES = {"ask": {"reference": {"type": "plain_text_input", "value": "J1"}}}


async def error_code(call: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return refused.value.response["error"]


@pytest.fixture
async def trigger(slack: LocalSlack) -> str:
    return (await slack.shortcut("show")).trigger_id


@pytest.fixture
async def opened(slack: LocalSlack, web: AsyncWebClient, trigger: str) -> View:
    await web.views_open(trigger_id=trigger, view=modal(private_metadata="C1"))
    return slack.modals()[0]


async def test_trigger_id_opens_one_modal(web: AsyncWebClient, trigger: str) -> None:
    """A second use is rejected as exchanged."""
    answer = await web.views_open(trigger_id=trigger, view=modal())
    assert answer["view"]["id"].startswith("V")
    assert answer["view"]["root_view_id"] == answer["view"]["id"]
    assert (
        await error_code(web.views_open(trigger_id=trigger, view=modal())) == "exchanged_trigger_id"
    )


async def test_trigger_id_expires_after_three_seconds(
    web: AsyncWebClient, trigger: str, clock: Any
) -> None:
    """An expired trigger id is rejected, and so is an unknown one."""
    clock.advance(seconds=4)
    assert (
        await error_code(web.views_open(trigger_id=trigger, view=modal())) == "expired_trigger_id"
    )
    assert (
        await error_code(web.views_open(trigger_id="1.2.3", view=modal())) == "invalid_trigger_id"
    )


async def test_invalid_modal_is_rejected_with_the_reason(web: AsyncWebClient, trigger: str) -> None:
    """The error names each violation, and the trigger id stays valid."""
    with pytest.raises(SlackApiError) as refused:
        await web.views_open(trigger_id=trigger, view=modal("x" * 25))
    assert refused.value.response["error"] == "invalid_arguments"
    assert "/view/title/text" in refused.value.response["response_metadata"]["messages"][0]
    assert (await web.views_open(trigger_id=trigger, view=modal()))["ok"]


async def test_submission_contains_the_typed_values(
    slack: LocalSlack, app: Any, opened: View
) -> None:
    """The values have Slack's form, with the private metadata, and the modal closes."""
    done = await slack.submit(opened, VALUES)
    payload = app.got[-1].payload
    assert done.ok
    assert payload["type"] == "view_submission"
    assert payload["view"]["state"]["values"] == VALUES
    assert payload["view"]["private_metadata"] == "C1"
    assert slack.modals() == []


@pytest.mark.parametrize("wanted", [True, False])
async def test_submission_has_response_urls_if_enabled(
    slack: LocalSlack, app: Any, web: AsyncWebClient, trigger: str, *, wanted: bool
) -> None:
    """There is one for each chosen conversation; the submitter sees its ephemeral messages."""
    element = {"type": "conversations_select", "action_id": "channel"}
    element["response_url_enabled"] = wanted
    place = {"type": "input", "block_id": "place", "label": plain("Where"), "element": element}
    await web.views_open(trigger_id=trigger, view=modal(blocks=[place]))
    chosen = {"type": "conversations_select", "selected_conversation": "C0GENERAL"}
    await slack.submit(slack.modals()[0], {"place": {"channel": chosen}})
    urls = app.got[-1].payload["response_urls"]
    assert [(url["block_id"], url["channel_id"]) for url in urls] == [
        ("place", "C0GENERAL")
    ] * wanted
    for url in urls:
        await AsyncWebhookClient(url["response_url"]).send(text="psst")
    assert [m.text for m in slack.ephemerals(channel="general")] == ["psst"] * wanted


async def test_errors_keep_the_modal_open(slack: LocalSlack, app: Any, opened: View) -> None:
    """The app's errors are by block id, and the values stay."""
    errors = {"ask": "There is no such job."}
    app.replies = lambda _: {"response_action": "errors", "errors": errors}
    done = await slack.submit(opened, VALUES)
    assert (done.ok, done.errors) == (False, errors)
    assert [view.values for view in slack.modals()] == [VALUES]


@pytest.mark.parametrize(
    ("action", "titles"),
    [("update", ["Next"]), ("push", ["Show a job", "Next"]), ("clear", [])],
)
async def test_response_action_changes_the_modal_stack(
    slack: LocalSlack, app: Any, opened: View, action: str, titles: list[str]
) -> None:
    """The response to a submission may update, push or clear views."""
    app.replies = lambda _: {"response_action": action, "view": modal("Next")}
    assert (await slack.submit(opened, VALUES)).ok
    assert [view.body["title"]["text"] for view in slack.modals()] == titles


async def test_update_requires_the_current_hash(
    slack: LocalSlack, web: AsyncWebClient, opened: View
) -> None:
    """Of two updates of the same version, one is rejected."""
    place = {"view_id": opened.id, "hash": opened.hash}
    await web.views_update(view=modal("Second"), **place)
    assert slack.modals()[0].body["title"]["text"] == "Second"
    assert await error_code(web.views_update(view=modal("Third"), **place)) == "hash_conflict"


async def test_stack_has_at_most_three_modals(
    slack: LocalSlack, web: AsyncWebClient, opened: View
) -> None:
    """A fourth one is rejected."""
    for _ in range(2):
        trigger = slack.views.triggers.issue("U0ADA", slack.modals()[-1].id)
        await web.views_push(trigger_id=trigger, view=modal())
    trigger = slack.views.triggers.issue("U0ADA", opened.id)
    assert (
        await error_code(web.views_push(trigger_id=trigger, view=modal())) == "push_limit_reached"
    )


async def test_close_event_requires_notify_on_close(
    slack: LocalSlack, app: Any, web: AsyncWebClient, trigger: str
) -> None:
    """Without `notify_on_close` the app is not notified."""
    await web.views_open(trigger_id=trigger, view=modal(notify_on_close=True))
    await slack.close(slack.modals()[0])
    assert app.got[-1].payload["type"] == "view_closed"
    assert app.got[-1].payload["is_cleared"] is False
    assert slack.modals() == []


@pytest.mark.parametrize("events_wanted", [{"app_home_opened"}])
async def test_home_view_belongs_to_one_user(
    slack: LocalSlack, app: Any, web: AsyncWebClient
) -> None:
    """Opening Home notifies the app; a published view replaces the previous one."""
    await slack.opens_home("ada")
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    first = await web.views_publish(user_id="U0ADA", view=home)
    again = await web.views_publish(user_id="U0ADA", view=home)
    assert app.got[0].payload["event"]["type"] == "app_home_opened"
    assert first["view"]["id"] == again["view"]["id"]
    assert slack.modals() == []
