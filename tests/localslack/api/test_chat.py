"""chat.* methods, called by slack_sdk's client."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack

pytestmark = pytest.mark.anyio

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}
METADATA = {"event_type": "jobthread_key", "event_payload": {"key": "w1:7"}}


async def api_error(call: Any) -> SlackApiError:
    with pytest.raises(SlackApiError) as refused:
        await call
    return refused.value


async def error_code(call: Any) -> str:
    return (await api_error(call)).response["error"]


async def test_posted_message_is_in_the_channel(slack: LocalSlack, web: AsyncWebClient) -> None:
    """The channel contains the bot's message, with the ts of the response."""
    answer = await web.chat_postMessage(channel="C0DEPLOYS", text="hello", blocks=[SECTION])
    [message] = slack.messages("deploys")
    assert (message.ts, message.text) == (answer["ts"], "hello")
    assert message.user == (await web.auth_test())["user_id"]
    assert answer["message"]["blocks"][0]["block_id"]


async def test_message_timestamps_are_unique(web: AsyncWebClient) -> None:
    """A ts names one message, even if the clock stands still."""
    stamps = [(await web.chat_postMessage(channel="#deploys", text="x"))["ts"] for _ in range(3)]
    assert sorted(set(stamps)) == stamps


async def test_root_counts_its_replies(slack: LocalSlack, web: AsyncWebClient) -> None:
    """A root has the number of replies and the ts of the latest."""
    root = await web.chat_postMessage(channel="C0DEPLOYS", text="root")
    reply = await web.chat_postMessage(channel="C0DEPLOYS", text="one", thread_ts=root["ts"])
    thread = await web.conversations_replies(channel="C0DEPLOYS", ts=root["ts"])
    assert thread["messages"][0]["reply_count"] == 1
    assert thread["messages"][0]["latest_reply"] == reply["ts"]
    assert [m.text for m in slack.thread("deploys", root["ts"])] == ["root", "one"]
    assert [m.text for m in slack.messages("deploys")] == ["root"]


async def test_broadcast_reply_is_shown_in_the_channel(
    slack: LocalSlack, web: AsyncWebClient
) -> None:
    """`reply_broadcast` shows a reply in the thread and in the channel."""
    root = await web.chat_postMessage(channel="C0DEPLOYS", text="root")
    await web.chat_postMessage(
        channel="C0DEPLOYS", text="failed", thread_ts=root["ts"], reply_broadcast=True
    )
    assert [m.text for m in slack.messages("deploys")] == ["root", "failed"]
    page = await web.conversations_history(channel="C0DEPLOYS")
    assert page["messages"][0]["subtype"] == "thread_broadcast"


async def test_metadata_is_returned_only_on_request(web: AsyncWebClient) -> None:
    """`include_all_metadata` includes the metadata in the response."""
    root = await web.chat_postMessage(channel="C0DEPLOYS", text="root", metadata=METADATA)
    plain = await web.conversations_replies(channel="C0DEPLOYS", ts=root["ts"])
    full = await web.conversations_replies(
        channel="C0DEPLOYS", ts=root["ts"], include_all_metadata=True
    )
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == METADATA


async def test_client_msg_id_is_stored(web: AsyncWebClient) -> None:
    """`client_msg_id` is returned with the message."""
    await web.chat_postMessage(channel="C0DEPLOYS", text="x", client_msg_id="w1:7")
    page = await web.conversations_history(channel="C0DEPLOYS")
    assert page["messages"][0]["client_msg_id"] == "w1:7"


async def test_message_with_too_large_blocks_is_rejected(web: AsyncWebClient) -> None:
    """Blocks within their own limits may exceed the limit of a message."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2_900}}] * 5
    call = web.chat_postMessage(channel="C0DEPLOYS", text="x", blocks=blocks)
    assert await error_code(call) == "msg_blocks_too_long"


async def test_update_keeps_blocks_that_it_omits(slack: LocalSlack, web: AsyncWebClient) -> None:
    """Blocks stay until an update contains others or an empty list."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="a", blocks=[SECTION])
    await web.chat_update(channel="C0DEPLOYS", ts=posted["ts"], text="b")
    assert slack.messages()[0].blocks
    await web.chat_update(channel="C0DEPLOYS", ts=posted["ts"], text="c", blocks=[])
    assert (slack.messages()[0].text, slack.messages()[0].blocks) == ("c", ())
    assert slack.messages()[0].edited


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "C0PRIVOPS", "text": "x"}, "channel_not_found"),
        ({"channel": "C0DEPLOYS", "text": " "}, "no_text"),
        ({"channel": "C0DEPLOYS", "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": "C0DEPLOYS", "text": "x", "blocks": "{"}, "invalid_blocks_format"),
        ({"channel": "C0DEPLOYS", "text": "x", "thread_ts": "1.000000"}, "thread_not_found"),
        ({"channel": "C0DEPLOYS", "text": "x", "metadata": "{"}, "metadata_must_be_sent_as_json"),
        ({"channel": "C0DEPLOYS", "text": "x", "metadata": {"a": 1}}, "invalid_metadata_schema"),
    ],
)
async def test_invalid_post_returns_slacks_error_code(
    web: AsyncWebClient, arguments: dict[str, Any], code: str
) -> None:
    """Each invalid post returns the error code that Slack documents."""
    # `api_call`: the client's method would warn of a missing text before the request.
    assert await error_code(web.api_call("chat.postMessage", json=arguments)) == code


async def test_invalid_blocks_are_explained(web: AsyncWebClient) -> None:
    """`invalid_blocks` names each violation in `errors` and in `response_metadata`."""
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    refused = await api_error(web.chat_postMessage(channel="C0DEPLOYS", text="x", blocks=blocks))
    violation = "must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    assert refused.response["error"] == "invalid_blocks"
    assert refused.response["errors"] == [violation]
    assert refused.response["response_metadata"]["messages"] == [f"[ERROR] {violation}"]


async def test_update_allows_only_4000_characters(web: AsyncWebClient) -> None:
    """The limit of `chat.update` is lower than that of `chat.postMessage`."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="x" * 4_001)
    call = web.chat_update(channel="C0DEPLOYS", ts=posted["ts"], text="x" * 4_001)
    assert await error_code(call) == "msg_too_long"


async def test_bot_cannot_change_messages_of_others(slack: LocalSlack, web: AsyncWebClient) -> None:
    """A user's message and a deleted message can be neither updated nor deleted."""
    message = (await slack.says("mine", channel="deploys")).message
    place = {"channel": message.channel, "ts": message.ts}
    assert await error_code(web.chat_update(text="x", **place)) == "cant_update_message"
    assert await error_code(web.chat_delete(**place)) == "cant_delete_message"
    slack.delete(message)
    assert await error_code(web.chat_update(text="x", **place)) == "message_not_found"


async def test_archived_channel_rejects_posts(slack: LocalSlack, web: AsyncWebClient) -> None:
    """Posts and updates are rejected; history can still be read."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="x")
    slack.archive("deploys")
    assert await error_code(web.chat_postMessage(channel="C0DEPLOYS", text="x")) == "is_archived"
    update = web.chat_update(channel="C0DEPLOYS", ts=posted["ts"], text="y")
    assert await error_code(update) == "is_inactive"
    assert (await web.conversations_history(channel="C0DEPLOYS"))["messages"]


async def test_removed_bot_cannot_post(slack: LocalSlack, web: AsyncWebClient) -> None:
    """The error is `not_in_channel`."""
    slack.remove_bot("deploys")
    assert await error_code(web.chat_postMessage(channel="C0DEPLOYS", text="x")) == "not_in_channel"


async def test_deleted_root_with_replies_becomes_a_tombstone(
    slack: LocalSlack, web: AsyncWebClient
) -> None:
    """The replies stay, and the root can no longer be updated."""
    root = await web.chat_postMessage(channel="C0DEPLOYS", text="root")
    await web.chat_postMessage(channel="C0DEPLOYS", text="one", thread_ts=root["ts"])
    await web.chat_delete(channel="C0DEPLOYS", ts=root["ts"])
    assert [m.tombstone for m in slack.thread("deploys", root["ts"])] == [True, False]
    update = web.chat_update(channel="C0DEPLOYS", ts=root["ts"], text="x")
    assert await error_code(update) == "message_not_found"


async def test_ephemeral_message_is_visible_to_one_user(
    slack: LocalSlack, web: AsyncWebClient
) -> None:
    """Only the user sees it, who must be a member of the channel."""
    await web.chat_postEphemeral(channel="C0DEPLOYS", user="U0BEN", text="psst")
    assert [m.text for m in slack.ephemerals("ben", "deploys")] == ["psst"]
    assert slack.ephemerals("ada") == slack.messages() == []
    call = web.chat_postEphemeral(channel="C0DEPLOYS", user="U0NOBODY", text="psst")
    assert await error_code(call) == "user_not_in_channel"


async def test_permalink_points_to_the_local_page(slack: LocalSlack, web: AsyncWebClient) -> None:
    """A permalink names channel and message, on the local server."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="x")
    link = await web.chat_getPermalink(channel="C0DEPLOYS", message_ts=posted["ts"])
    stamp = posted["ts"].replace(".", "")
    assert link["permalink"] == f"{slack.url}archives/C0DEPLOYS/p{stamp}"


def cells(row: int, kinds: str) -> list[dict[str, Any]]:
    """Return one row of cells: p is plain text, n a number, r rich text with a link."""
    link = {"type": "link", "url": f"https://x.test/{row}", "text": f"job {row}"}
    section = {"type": "rich_text_section", "elements": [link]}
    cell_by_kind: dict[str, dict[str, Any]] = {
        "p": {"type": "raw_text", "text": "succeeded"},
        "n": {"type": "raw_number", "value": row, "text": f"{row} s"},
        "r": {"type": "rich_text", "elements": [section]},
    }
    return [cell_by_kind[kind] for kind in kinds]


def data_table(rows: int, kinds: str = "rppnpp") -> dict[str, Any]:
    """Return a data_table of this many rows below a header."""
    table = [cells(0, "p" * len(kinds)), *(cells(row, kinds) for row in range(1, rows + 1))]
    return {"type": "data_table", "caption": "Jobs", "rows": table}


async def test_table_of_50_rows_and_6_columns_is_accepted(
    slack: LocalSlack, web: AsyncWebClient
) -> None:
    """Only the cell texts count towards the size limit, for plain, numeric and rich cells."""
    await web.chat_postMessage(channel="C0DEPLOYS", text="Fifty jobs.", blocks=[data_table(50)])
    assert len(slack.messages()[0].blocks[0]["rows"]) == 51


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (data_table(101), "no more than 101 items"),
        (data_table(50, "p" * 21), "no more than 20 items"),
        (data_table(100, "p" * 12), "no more than 10000 characters"),
        ({**data_table(2), "rows": [cells(0, "pp"), cells(1, "p")]}, "same number of cells"),
        ({**data_table(2), "rows": [cells(0, "r"), cells(1, "r")]}, "may not hold rich_text"),
    ],
)
async def test_table_beyond_a_limit_is_rejected(
    web: AsyncWebClient, table: dict[str, Any], reason: str
) -> None:
    """The error is `invalid_blocks`, with the reason."""
    call = web.chat_postMessage(channel="C0DEPLOYS", text="x", blocks=[table])
    refused = await api_error(call)
    assert refused.response["error"] == "invalid_blocks"
    assert reason in str(refused.response["errors"])


async def test_table_texts_count_towards_the_size_limit(web: AsyncWebClient) -> None:
    """A table's cell texts and the other blocks share one limit."""
    texts = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2_900}}] * 4
    call = web.chat_postMessage(channel="C0DEPLOYS", text="x", blocks=[*texts, data_table(50)])
    assert await error_code(call) == "msg_blocks_too_long"
