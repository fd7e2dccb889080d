"""Parsing Slack's payloads into requests, with payloads of a local Slack."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.request import RequestKind
from bot.slack.events import IncomingRequest, parse_payload
from localslack import LocalSlack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOWHERE = "http://127.0.0.1:1/slack/events"


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    """Yield a Slack whose app is unreachable; it keeps what it tries to send."""
    async with LocalSlack(request_url=NOWHERE) as local:
        yield local


def sent(slack: LocalSlack) -> list[IncomingRequest | None]:
    return [parse_payload(envelope.payload, NOON) for envelope in slack.envelopes]


def event(**fields: Any) -> dict[str, Any]:
    said = {"type": "message", "channel_type": "im", "user": "U1", "channel": "D1", "ts": "1.2"}
    return {"type": "event_callback", "team_id": "T1", "event": {**said, **fields}}


async def test_command_has_its_trigger_id_as_key(slack: LocalSlack) -> None:
    """User, time, text and response_url are kept."""
    answer = await slack.says("/job deploys:JOB1 &")
    (incoming,) = sent(slack)
    assert incoming
    assert incoming.workspace == slack.workspace.team.id
    assert incoming.idempotency_key == f"command:{answer.trigger_id}"
    ask = incoming.request
    assert (ask.kind, ask.user, ask.requested_at) == (
        RequestKind.COMMAND,
        slack.workspace.user("ada").id,
        NOON,
    )
    assert (ask.text, ask.response_url) == ("deploys:JOB1 &amp;", answer.response_url)


async def test_mention_keeps_its_thread(slack: LocalSlack) -> None:
    """The reply goes into the same thread."""
    root = (await slack.says("hello")).message
    assert root
    await slack.says("@jobthread deploys:JOB1", thread_ts=root.ts)
    incoming = sent(slack)[-1]
    assert incoming
    assert (incoming.request.kind, incoming.request.thread_ts) == (RequestKind.MENTION, root.ts)


async def test_direct_message_needs_no_mention(slack: LocalSlack) -> None:
    """Every direct message to the bot is a request."""
    await slack.says("deploys:JOB1", channel="im")
    incoming = sent(slack)[-1]
    assert incoming
    assert incoming.request.kind is RequestKind.DIRECT


def test_duplicate_message_has_one_key() -> None:
    """`app_mention`, `message` and a retry have the same idempotency key."""
    twice = [parse_payload(event(), NOON), parse_payload(event(type="app_mention"), NOON)]
    again = parse_payload({**event(), "event_id": "another"}, NOON)
    assert {incoming.idempotency_key for incoming in [*twice, again] if incoming} == {
        "message:D1:1.2"
    }


def test_two_messages_have_two_keys() -> None:
    """No request is lost as a duplicate."""
    keys = {
        parse_payload(e, NOON).idempotency_key
        for e in (event(), event(ts="1.3"), event(channel="D2"))
    }  # type: ignore[union-attr]
    assert len(keys) == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"bot_id": "B1"},
        {"user": None},
        {"subtype": "message_changed"},
        {"subtype": "message_deleted"},
        {"subtype": "bot_message"},
        {"subtype": "channel_join"},
        {"channel_type": "channel"},
        {"type": "reaction_added"},
    ],
)
def test_event_without_a_request_is_ignored(fields: dict[str, Any]) -> None:
    """Edits, deletions, bots' messages and other people's messages."""
    assert parse_payload(event(**fields), NOON) is None


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast"])
def test_file_share_and_broadcast_are_requests(subtype: str) -> None:
    """A person wrote them."""
    assert parse_payload(event(subtype=subtype), NOON)


def click(**fields: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "U1", "team_id": "T2"},
        "trigger_id": "9",
        "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1"},
        "message": {"ts": "1.2"},
        "actions": [{"action_id": "refresh", "value": "deploys:JOB1"}],
        "response_url": "http://127.0.0.1/respond/1",
        **fields,
    }


def test_click_has_the_button_and_the_message() -> None:
    """The value holds a reference; the reply goes to the message."""
    incoming = parse_payload(click(), NOON)
    assert incoming
    assert (incoming.workspace, incoming.idempotency_key) == ("T1", "click:9")
    ask = incoming.request
    assert (ask.kind, ask.action_id, ask.value) == (RequestKind.CLICK, "refresh", "deploys:JOB1")
    assert (ask.message_ts, ask.thread_ts, ask.ephemeral) == ("1.2", None, False)


def test_menu_choice_has_the_value_of_its_option() -> None:
    """An overflow menu has no value of its own."""
    chosen = {"text": {"type": "plain_text", "text": "Why?"}, "value": "why"}
    menu = {"type": "overflow", "action_id": "more", "selected_option": chosen}
    incoming = parse_payload(click(actions=[menu]), NOON)
    assert incoming
    assert (incoming.request.action_id, incoming.request.value) == ("more", "why")


def test_select_without_a_choice_has_an_empty_value() -> None:
    """Slack sends null."""
    select = {"type": "static_select", "action_id": "x", "selected_option": None}
    incoming = parse_payload(click(actions=[select]), NOON)
    assert incoming
    assert incoming.request.value == ""


def test_click_on_a_reply_has_a_thread_but_on_a_root_has_none() -> None:
    """A card is the root of its thread, not a reply in it."""
    inside = {"type": "message", "message_ts": "1.3", "channel_id": "C1", "thread_ts": "1.2"}
    reply = parse_payload(click(container=inside), NOON)
    root = parse_payload(click(message={"ts": "1.2", "thread_ts": "1.2"}), NOON)
    assert reply
    assert root
    assert (reply.request.thread_ts, root.request.thread_ts) == ("1.2", None)


def test_click_on_an_ephemeral_message_is_marked() -> None:
    """Such a message can only be changed through its response_url."""
    ephemeral_container = {**click()["container"], "is_ephemeral": True}
    incoming = parse_payload(click(container=ephemeral_container), NOON)
    assert incoming
    assert incoming.request.ephemeral


def test_click_outside_of_a_message_is_ignored() -> None:
    """A modal's inputs are read at its submission."""
    assert parse_payload(click(container={"type": "view"}), NOON) is None


def test_click_without_a_team_has_the_users_team() -> None:
    """Slack omits the team of an app installed for an organisation."""
    incoming = parse_payload(click(team=None), NOON)
    assert incoming
    assert incoming.workspace == "T2"


async def test_shortcut_is_a_request_about_its_message(slack: LocalSlack) -> None:
    """The reply goes into that message's thread."""
    said = (await slack.says("see deploys:JOB1")).message
    answer = await slack.shortcut("follow_jobs", said)
    incoming = sent(slack)[-1]
    assert said
    assert incoming
    assert incoming.idempotency_key == f"shortcut:{answer.trigger_id}"
    ask = incoming.request
    assert (ask.kind, ask.text, ask.thread_ts) == (
        RequestKind.SHORTCUT,
        "see deploys:JOB1",
        said.ts,
    )


async def test_shortcut_of_another_app_is_ignored(slack: LocalSlack) -> None:
    """Only those in the manifest count."""
    said = (await slack.says("see deploys:JOB1")).message
    await slack.shortcut("translate", said)
    assert sent(slack)[-1] is None


@given(
    st.dictionaries(
        st.sampled_from(["type", "team", "user", "view", "challenge"]),
        st.sampled_from(["url_verification", "view_submission", "block_suggestion", "x"]),
    )
)
def test_other_payload_types_are_ignored(body: dict[str, Any]) -> None:
    """Bolt handles them."""
    assert parse_payload(body, NOON) is None
