"""Socket Mode, with slack_sdk's own client at the other end."""

import json
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import LocalSlack

pytestmark = pytest.mark.anyio


async def ticket(slack: LocalSlack) -> str:
    web = AsyncWebClient(base_url=slack.api_url)
    return (await web.apps_connections_open(app_token=slack.app_token))["url"]


async def test_a_connection_is_greeted(slack: LocalSlack) -> None:
    """`hello` says how many connections there are, and to which app."""
    async with ClientSession() as session, session.ws_connect(await ticket(slack)) as socket:
        hello = json.loads((await socket.receive()).data)
    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert hello["connection_info"]["app_id"].startswith("A")
    assert hello["debug_info"]["approximate_connection_time"] > 0


async def test_a_ticket_opens_one_connection(slack: LocalSlack) -> None:
    """A second handshake with the same address is refused."""
    url = await ticket(slack)
    async with ClientSession() as session:
        async with session.ws_connect(url):
            pass
        with pytest.raises(WSServerHandshakeError):
            await session.ws_connect(url)


async def test_a_ping_is_answered(slack: LocalSlack) -> None:
    """The client's own pings come back, as it needs to know that it is connected."""
    url = await ticket(slack)
    async with ClientSession() as session, session.ws_connect(url, autoping=False) as socket:
        await socket.receive()
        await socket.ping(b"sdk-ping-pong:1")
        pong = await socket.receive()
    assert (pong.type, pong.data) == (WSMsgType.PONG, b"sdk-ping-pong:1")


async def test_a_command_arrives_in_slacks_shape(slack: LocalSlack, app: Any) -> None:
    """A slash command carries what Slack documents, with its text escaped."""
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


async def test_the_acknowledgement_may_answer_a_command(slack: LocalSlack, app: Any) -> None:
    """The payload of the ack is shown at once, to the asker or to all."""
    app.replies = lambda _: {"text": "Looking up J1…"}
    answer = await slack.says("/job J1")
    assert answer.ok
    assert [m.text for m in slack.ephemerals("ada")] == ["Looking up J1…"]
    app.replies = lambda _: {"text": "Here", "response_type": "in_channel"}
    await slack.says("/job J1")
    assert [m.text for m in slack.messages("deploys")] == ["Here"]


async def test_a_command_without_an_app_says_so(slack: LocalSlack) -> None:
    """Nobody connected: the asker is told, and nothing waits."""
    answer = await slack.says("/job J1")
    assert answer.error == "dispatch_failed"
    assert slack.ephemerals()[0].text == "/job failed because the app did not respond"


async def test_a_command_that_is_not_acknowledged_times_out(slack: LocalSlack, app: Any) -> None:
    """Slack gives up after its three seconds and tells the asker."""
    app.silent = True
    answer = await slack.says("/job J1")
    assert answer.error == "operation_timeout"
    assert slack.ephemerals()[0].text == '/job failed with the error "operation_timeout"'


async def test_an_event_is_sent_again_until_it_is_acknowledged(slack: LocalSlack, app: Any) -> None:
    """Three repetitions at most, numbered, with the same event id."""
    app.silent = True
    await slack.says("@jobthread J1")
    await slack.until(lambda: len(app.got) == 4)
    assert [request.retry_attempt for request in app.got] == [0, 1, 2, 3]
    assert {request.retry_reason for request in app.got[1:]} == {"timeout"}
    assert len({request.payload["event_id"] for request in app.got}) == 1


async def test_an_envelope_can_get_lost_on_an_open_connection(slack: LocalSlack, app: Any) -> None:
    """`swallow` is the connection that looks alive and brings nothing."""
    slack.faults.swallow()
    assert (await slack.says("/job J1")).error == "operation_timeout"
    assert (app.got, slack.connected) == ([], True)
    assert (await slack.says("/job J1")).ok


async def test_each_envelope_goes_to_one_connection(slack: LocalSlack, join: Any) -> None:
    """Two replicas share the work."""
    apps = [await join(), await join()]
    for number in range(4):
        await slack.says(f"/job J{number}")
    assert [len(app.got) for app in apps] == [2, 2]


@pytest.mark.usefixtures("app")
async def test_a_connection_that_is_told_to_go_comes_back(slack: LocalSlack) -> None:
    """After `disconnect` the client opens a new connection and gets envelopes again."""
    await slack.disconnect("refresh_requested")
    assert not slack.connected
    await slack.until(lambda: slack.connected)
    assert (await slack.says("/job J1")).ok


@pytest.mark.usefixtures("app")
async def test_a_cut_connection_comes_back(slack: LocalSlack) -> None:
    """With no word of farewell, the client notices by itself."""
    slack.cut()
    await slack.until(lambda: not slack.connected)
    await slack.until(lambda: slack.connected)
    assert (await slack.says("/job J1")).ok


async def test_a_warning_leaves_the_connection_open(slack: LocalSlack) -> None:
    """A warning comes ahead of the end; until then envelopes keep coming."""
    async with ClientSession() as session, session.ws_connect(await ticket(slack)) as socket:
        await socket.receive()
        await slack.disconnect("warning")
        note = json.loads((await socket.receive()).data)
        assert (note["type"], note["reason"]) == ("disconnect", "warning")
        assert slack.connected


async def test_new_connections_can_be_refused(slack: LocalSlack) -> None:
    """`refuse_sockets` fails one handshake, and the next succeeds."""
    slack.faults.refuse_sockets()
    async with ClientSession() as session:
        with pytest.raises(WSServerHandshakeError):
            await session.ws_connect(await ticket(slack))
        async with session.ws_connect(await ticket(slack)):
            assert [done.trouble for done in slack.faults.done] == ["refuse_socket"]
