"""Socket Mode server, with slack_sdk's client."""

import json
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack

pytestmark = pytest.mark.anyio


async def socket_url(slack: LocalSlack) -> str:
    web = AsyncWebClient(base_url=slack.api_url)
    return (await web.apps_connections_open(app_token=slack.app_token))["url"]


async def test_connection_starts_with_hello(slack: LocalSlack) -> None:
    """`hello` contains the number of connections and the app id."""
    async with ClientSession() as session, session.ws_connect(await socket_url(slack)) as socket:
        hello = json.loads((await socket.receive()).data)
    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert hello["connection_info"]["app_id"].startswith("A")
    assert hello["debug_info"]["approximate_connection_time"] > 0


async def test_socket_url_opens_one_connection(slack: LocalSlack) -> None:
    """A second handshake with the same URL is rejected."""
    url = await socket_url(slack)
    async with ClientSession() as session:
        async with session.ws_connect(url):
            pass
        with pytest.raises(WSServerHandshakeError):
            await session.ws_connect(url)


async def test_ping_is_answered(slack: LocalSlack) -> None:
    """The server answers the client's pings with the same data."""
    url = await socket_url(slack)
    async with ClientSession() as session, session.ws_connect(url, autoping=False) as socket:
        await socket.receive()
        await socket.ping(b"sdk-ping-pong:1")
        pong = await socket.receive()
    assert (pong.type, pong.data) == (WSMsgType.PONG, b"sdk-ping-pong:1")


async def test_command_has_slacks_payload(slack: LocalSlack, app: Any) -> None:
    """A slash command has the documented fields, with its text escaped."""
    await slack.says("/job deploys:J1 @ben https://x.test/a?b=1 <&>", channel="deploys")
    [request] = app.got
    assert request.type == "slash_commands"
    assert request.accepts_response_payload
    assert request.payload["command"] == "/job"
    assert request.payload["text"] == (
        "deploys:J1 <@U0BEN|ben> <https://x.test/a?b=1> &lt;&amp;&gt;"
    )
    assert set(request.payload) == {
        *("token", "team_id", "team_domain", "channel_id", "channel_name", "user_id"),
        *("user_name", "command", "text", "api_app_id", "is_enterprise_install"),
        *("response_url", "trigger_id"),
    }


async def test_ack_payload_is_shown_as_the_reply(slack: LocalSlack, app: Any) -> None:
    """The payload of the ack is shown, to the user or to the channel."""
    app.replies = lambda _: {"text": "Looking up J1…"}
    answer = await slack.says("/job J1")
    assert answer.ok
    assert [m.text for m in slack.ephemerals("ada")] == ["Looking up J1…"]
    app.replies = lambda _: {"text": "Here", "response_type": "in_channel"}
    await slack.says("/job J1")
    assert [m.text for m in slack.messages("deploys")] == ["Here"]


async def test_command_without_an_app_fails(slack: LocalSlack) -> None:
    """The user gets an error immediately."""
    answer = await slack.says("/job J1")
    assert answer.error == "dispatch_failed"
    assert slack.ephemerals()[0].text == "/job failed because the app did not respond"


async def test_unacknowledged_command_times_out(slack: LocalSlack, app: Any) -> None:
    """The user gets an error after the timeout."""
    app.silent = True
    answer = await slack.says("/job J1")
    assert answer.error == "operation_timeout"
    assert slack.ephemerals()[0].text == '/job failed with the error "operation_timeout"'


async def test_event_is_retried_until_it_is_acknowledged(slack: LocalSlack, app: Any) -> None:
    """There are at most three retries, numbered, with the same event id."""
    app.silent = True
    await slack.says("@jobthread J1")
    await slack.until(lambda: len(app.got) == 4)
    assert [request.retry_attempt for request in app.got] == [0, 1, 2, 3]
    assert {request.retry_reason for request in app.got[1:]} == {"timeout"}
    assert len({request.payload["event_id"] for request in app.got}) == 1


async def test_envelope_can_be_lost_on_an_open_connection(slack: LocalSlack, app: Any) -> None:
    """The fault drops the envelope and leaves the connection open."""
    slack.faults.drop_envelope()
    assert (await slack.says("/job J1")).error == "operation_timeout"
    assert (app.got, slack.connected) == ([], True)
    assert (await slack.says("/job J1")).ok


async def test_envelope_goes_to_one_connection(slack: LocalSlack, join: Any) -> None:
    """Two replicas share the envelopes."""
    apps = [await join(), await join()]
    for number in range(4):
        await slack.says(f"/job J{number}")
    assert [len(app.got) for app in apps] == [2, 2]


@pytest.mark.usefixtures("app")
async def test_client_reconnects_after_disconnect(slack: LocalSlack) -> None:
    """After `disconnect` the client opens a new connection and gets envelopes again."""
    await slack.disconnect("refresh_requested")
    assert not slack.connected
    await slack.until(lambda: slack.connected)
    assert (await slack.says("/job J1")).ok


@pytest.mark.usefixtures("app")
async def test_client_reconnects_after_an_abort(slack: LocalSlack) -> None:
    """The client detects a connection that was aborted without notice."""
    slack.cut()
    await slack.until(lambda: not slack.connected)
    await slack.until(lambda: slack.connected)
    assert (await slack.says("/job J1")).ok


async def test_warning_leaves_the_connection_open(slack: LocalSlack) -> None:
    """After a warning, envelopes are still sent."""
    async with ClientSession() as session, session.ws_connect(await socket_url(slack)) as socket:
        await socket.receive()
        await slack.disconnect("warning")
        note = json.loads((await socket.receive()).data)
        assert (note["type"], note["reason"]) == ("disconnect", "warning")
        assert slack.connected


async def test_new_connections_can_be_rejected(slack: LocalSlack) -> None:
    """`refuse_sockets` fails one handshake, and the next succeeds."""
    slack.faults.refuse_sockets()
    async with ClientSession() as session:
        with pytest.raises(WSServerHandshakeError):
            await session.ws_connect(await socket_url(slack))
        async with session.ws_connect(await socket_url(slack)):
            assert [done.kind for done in slack.faults.injected] == ["refuse_socket"]
