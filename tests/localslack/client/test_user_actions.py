"""Simulated user actions, and response_url."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from localslack import LocalSlack
from localslack.state.messages import Message

pytestmark = pytest.mark.anyio


def plain(text: str) -> dict:
    return {"type": "plain_text", "text": text}


OPTIONS = [{"text": plain(name), "value": name} for name in ("rerun", "stop")]
BLOCKS = [
    {
        "type": "actions",
        "block_id": "deeds",
        "elements": [
            {"type": "button", "action_id": "refresh", "text": plain("Refresh"), "value": "J1"},
            {"type": "overflow", "action_id": "more", "options": OPTIONS},
            {"type": "static_select", "action_id": "task", "options": OPTIONS},
            {"type": "external_select", "action_id": "job", "min_query_length": 1},
        ],
    }
]


@pytest.fixture
async def card(slack: LocalSlack, web: AsyncWebClient) -> Message:
    await web.chat_postMessage(channel="C0DEPLOYS", text="card", blocks=BLOCKS)
    return slack.messages("deploys")[0]


async def test_click_has_slacks_payload(slack: LocalSlack, app: Any, card: Message) -> None:
    """The payload of a click names user, place and element."""
    answer = await slack.click(card, "refresh", user="ben")
    payload = app.got[0].payload
    [action] = payload["actions"]
    assert answer.ok
    assert payload["type"] == "block_actions"
    assert payload["user"]["id"] == "U0BEN"
    assert payload["container"]["message_ts"] == payload["message"]["ts"] == card.ts
    assert (action["block_id"], action["action_id"], action["value"]) == ("deeds", "refresh", "J1")
    assert {"action_ts", "type", "text"} <= set(action)
    assert {"response_url", "trigger_id", "state", "channel", "team"} <= set(payload)


async def test_choice_contains_its_option(slack: LocalSlack, app: Any, card: Message) -> None:
    """Overflow menus and selects send the chosen option."""
    await slack.choose(card, "more", "stop")
    await slack.choose(card, "task", "rerun")
    chosen = [request.payload["actions"][0]["selected_option"] for request in app.got]
    assert [option["value"] for option in chosen] == ["stop", "rerun"]
    assert app.got[1].payload["state"]["values"]["deeds"]["task"]["selected_option"] == chosen[1]


async def test_overflow_menu_sends_the_clicked_option(
    slack: LocalSlack, app: Any, web: AsyncWebClient
) -> None:
    """The option is complete, as accessory and in an actions block, and there is no `value`."""
    menu = {"type": "overflow", "action_id": "row", "options": OPTIONS}
    row = {"type": "section", "block_id": "job", "text": plain("J1"), "accessory": menu}
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="jobs", blocks=[*BLOCKS, row])
    message = slack.thread("deploys", posted["ts"])[0]
    for place in ("more", "row"):
        assert (await slack.click(message, place, option="stop")).ok
    sent = [request.payload["actions"][0] for request in app.got]
    assert [(one["block_id"], one["action_id"]) for one in sent] == [
        ("deeds", "more"),
        ("job", "row"),
    ]
    assert all(one["selected_option"] == OPTIONS[1] and "value" not in one for one in sent)


async def test_overflow_menu_click_requires_an_option(slack: LocalSlack, card: Message) -> None:
    """The error names the options."""
    with pytest.raises(LookupError, match="there are rerun, stop"):
        await slack.click(card, "more")


async def test_click_contains_the_messages_form_state(
    slack: LocalSlack, app: Any, card: Message
) -> None:
    """`state.values` has every select, chosen or not, but neither buttons nor overflow menus."""
    await slack.click(card, "refresh")
    assert app.got[0].payload["state"]["values"] == {
        "deeds": {
            "task": {"type": "static_select", "selected_option": None},
            "job": {"type": "external_select", "selected_option": None},
        }
    }


async def test_unknown_element_cannot_be_clicked(slack: LocalSlack, card: Message) -> None:
    """The error names the existing elements."""
    with pytest.raises(LookupError, match="refresh, more, task, job"):
        await slack.click(card, "restart")
    slack.delete(card)
    with pytest.raises(LookupError, match="deleted"):
        await slack.click(card, "refresh")


async def test_click_on_an_ephemeral_message_omits_the_message(
    slack: LocalSlack, app: Any, web: AsyncWebClient
) -> None:
    """The payload contains only its ts, and that it is ephemeral."""
    await web.chat_postEphemeral(channel="C0DEPLOYS", user="U0ADA", text="psst", blocks=BLOCKS)
    await slack.click(slack.ephemerals()[0], "refresh")
    assert app.got[0].payload["container"]["is_ephemeral"]
    assert "message" not in app.got[0].payload


async def test_message_shortcut_contains_the_message(
    slack: LocalSlack, app: Any, card: Message
) -> None:
    """The payload contains the message of the shortcut."""
    await slack.shortcut("show_job", card)
    payload = app.got[0].payload
    assert (payload["type"], payload["callback_id"]) == ("message_action", "show_job")
    assert payload["message"]["text"] == "card"
    assert payload["message_ts"] == card.ts
    assert "response_url" in payload


async def test_global_shortcut_has_no_channel(slack: LocalSlack, app: Any) -> None:
    """The payload contains a trigger id, but neither channel nor response_url."""
    await slack.shortcut("show_job")
    payload = app.got[0].payload
    assert payload["type"] == "shortcut"
    assert "trigger_id" in payload
    assert not {"channel", "message", "response_url"} & set(payload)


async def test_suggestions_come_from_the_app(slack: LocalSlack, app: Any, card: Message) -> None:
    """The app returns the options for the text in an external select."""
    app.replies = lambda request: {"options": OPTIONS} if request.payload["value"] == "re" else {}
    assert await slack.suggest(card, "job", "re") == OPTIONS
    assert app.got[0].payload["type"] == "block_suggestion"


@pytest.mark.parametrize(
    "options",
    [
        [{"text": plain("x" * 76), "value": "x"}],
        [{"text": plain("x"), "value": "x" * 151}],
        [{"text": plain("x"), "value": str(number)} for number in range(101)],
    ],
)
async def test_invalid_suggestions_are_not_shown(
    slack: LocalSlack, app: Any, card: Message, options: list[Any]
) -> None:
    """If one option is invalid, none is shown."""
    for answer in (
        {"options": options},
        {"option_groups": [{"label": plain("A"), "options": options}]},
    ):
        app.replies = lambda _, answer=answer: answer
        assert await slack.suggest(card, "job", "re") == []


@pytest.mark.usefixtures("app")
async def test_response_url_works_five_times(slack: LocalSlack) -> None:
    """The sixth use is rejected."""
    late = AsyncWebhookClient((await slack.says("/job J1")).response_url)
    answers = [await late.send(text=str(number)) for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert "used_url" in answers[-1].body
    assert [m.text for m in slack.ephemerals()] == list("01234")


@pytest.mark.usefixtures("app")
async def test_response_url_expires_after_30_minutes(slack: LocalSlack, clock: Any) -> None:
    """A later use is rejected."""
    late = AsyncWebhookClient((await slack.says("/job J1")).response_url)
    clock.advance(minutes=31)
    answer = await late.send(text="late")
    assert (answer.status_code, "expired_url" in answer.body) == (404, True)


async def test_response_url_replaces_the_clicked_message(slack: LocalSlack, app: Any) -> None:
    """`replace_original` edits that message, and `delete_original` deletes it."""
    app.replies = lambda _: {"text": "hello"}
    first = AsyncWebhookClient((await slack.says("/job J1")).response_url)
    await first.send_dict({"text": "only you", "blocks": BLOCKS})
    ephemeral = slack.ephemerals()[-1]
    late = AsyncWebhookClient((await slack.click(ephemeral, "refresh")).response_url)
    for text in ("J1 runs", "J1 failed"):
        await late.send(text=text, replace_original=True)
        assert [m.text for m in slack.ephemerals()] == ["hello", text]
    await late.send(delete_original=True)
    assert [m.text for m in slack.ephemerals()] == ["hello"]


async def test_reply_to_a_command_cannot_be_replaced(slack: LocalSlack, app: Any) -> None:
    """As in Slack, a second response is a second message."""
    app.replies = lambda _: {"text": "Looking up"}
    late = AsyncWebhookClient((await slack.says("/job J1")).response_url)
    await late.send(text="J1 failed", replace_original=True)
    await late.send(delete_original=True)
    assert [m.text for m in slack.ephemerals()] == ["Looking up", "J1 failed"]


@pytest.mark.usefixtures("app")
async def test_response_url_can_post_to_the_channel(slack: LocalSlack, card: Message) -> None:
    """`in_channel` posts for all members, in the named thread."""
    late = AsyncWebhookClient((await slack.click(card, "refresh")).response_url)
    await late.send_dict({"text": "done", "response_type": "in_channel", "thread_ts": card.ts})
    assert [m.text for m in slack.thread("deploys", card.ts)] == ["card", "done"]


@pytest.mark.usefixtures("app")
async def test_response_url_content_is_validated(slack: LocalSlack) -> None:
    """Blocks that Slack would reject are rejected."""
    late = AsyncWebhookClient((await slack.says("/job J1")).response_url)
    answer = await late.send_dict({"text": "x", "blocks": [{"type": "banner"}]})
    assert (answer.status_code, "invalid_blocks" in answer.body) == (400, True)
    assert slack.ephemerals() == []


async def test_reply_to_a_reply_joins_its_thread(slack: LocalSlack, card: Message) -> None:
    """A thread has one root, for every message that is replied to."""
    first = (await slack.says("one", thread_ts=card.ts)).message
    assert first is not None
    await slack.says("two", thread_ts=first.ts)
    assert [m.text for m in slack.thread("deploys", card.ts)] == ["card", "one", "two"]


@pytest.mark.usefixtures("card")
async def test_timeout_error_contains_the_last_messages(slack: LocalSlack) -> None:
    """The error of `until` shows the last messages."""
    with pytest.raises(TimeoutError, match="card"):
        await slack.until(lambda: False, seconds=0.01)
