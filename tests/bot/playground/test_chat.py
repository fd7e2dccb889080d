"""Posting, changing and deleting through the Web API, asked by slack_sdk's own client."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import LocalSlack

pytestmark = pytest.mark.anyio

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}
KEY = {"event_type": "jobthread_key", "event_payload": {"key": "w1:7"}}


async def refusal(call: Any) -> SlackApiError:
    with pytest.raises(SlackApiError) as refused:
        await call
    return refused.value


async def error(call: Any) -> str:
    return (await refusal(call)).response["error"]


async def test_a_posted_message_is_in_the_channel(slack: LocalSlack, web: AsyncWebClient) -> None:
    """What the bot posts can be read by tests, with the ts that the bot was given."""
    answer = await web.chat_postMessage(channel="C0DEPLOYS", text="hello", blocks=[SECTION])
    [message] = slack.messages("deploys")
    assert (message.ts, message.text) == (answer["ts"], "hello")
    assert message.user == (await web.auth_test())["user_id"]
    assert answer["message"]["blocks"][0]["block_id"]


async def test_two_messages_never_share_a_ts(web: AsyncWebClient) -> None:
    """A ts names one message, even when the clock stands still."""
    stamps = [(await web.chat_postMessage(channel="#deploys", text="x"))["ts"] for _ in range(3)]
    assert sorted(set(stamps)) == stamps


async def test_replies_are_counted_at_the_root(slack: LocalSlack, web: AsyncWebClient) -> None:
    """A root says how many replies it has and which is the latest."""
    root = await web.chat_postMessage(channel="C0DEPLOYS", text="root")
    reply = await web.chat_postMessage(channel="C0DEPLOYS", text="one", thread_ts=root["ts"])
    thread = await web.conversations_replies(channel="C0DEPLOYS", ts=root["ts"])
    assert thread["messages"][0]["reply_count"] == 1
    assert thread["messages"][0]["latest_reply"] == reply["ts"]
    assert [m.text for m in slack.thread("deploys", root["ts"])] == ["root", "one"]
    assert [m.text for m in slack.messages("deploys")] == ["root"]


async def test_a_broadcast_reply_shows_in_the_channel(
    slack: LocalSlack, web: AsyncWebClient
) -> None:
    """`reply_broadcast` puts a reply in both places."""
    root = await web.chat_postMessage(channel="C0DEPLOYS", text="root")
    await web.chat_postMessage(
        channel="C0DEPLOYS", text="failed", thread_ts=root["ts"], reply_broadcast=True
    )
    assert [m.text for m in slack.messages("deploys")] == ["root", "failed"]
    page = await web.conversations_history(channel="C0DEPLOYS")
    assert page["messages"][0]["subtype"] == "thread_broadcast"


async def test_metadata_comes_back_only_when_asked_for(web: AsyncWebClient) -> None:
    """`include_all_metadata` decides whether a reader sees the metadata."""
    root = await web.chat_postMessage(channel="C0DEPLOYS", text="root", metadata=KEY)
    plain = await web.conversations_replies(channel="C0DEPLOYS", ts=root["ts"])
    full = await web.conversations_replies(
        channel="C0DEPLOYS", ts=root["ts"], include_all_metadata=True
    )
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == KEY


async def test_the_clients_own_id_is_kept(web: AsyncWebClient) -> None:
    """`client_msg_id` comes back with the message."""
    await web.chat_postMessage(channel="C0DEPLOYS", text="x", client_msg_id="w1:7")
    page = await web.conversations_history(channel="C0DEPLOYS")
    assert page["messages"][0]["client_msg_id"] == "w1:7"


async def test_a_heavy_message_is_refused(web: AsyncWebClient) -> None:
    """Many blocks, each within its limit, may still be too much together."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2_900}}] * 5
    call = web.chat_postMessage(channel="C0DEPLOYS", text="x", blocks=blocks)
    assert await error(call) == "msg_blocks_too_long"


async def test_an_update_keeps_blocks_that_it_does_not_mention(
    slack: LocalSlack, web: AsyncWebClient
) -> None:
    """Blocks stay until an update brings others, or an empty list."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="a", blocks=[SECTION])
    await web.chat_update(channel="C0DEPLOYS", ts=posted["ts"], text="b")
    assert slack.messages()[0].blocks
    await web.chat_update(channel="C0DEPLOYS", ts=posted["ts"], text="c", blocks=[])
    assert (slack.messages()[0].text, slack.messages()[0].blocks) == ("c", ())
    assert slack.messages()[0].edited


@pytest.mark.parametrize(
    ("arguments", "word"),
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
async def test_a_post_is_refused_in_slacks_own_word(
    web: AsyncWebClient, arguments: dict[str, Any], word: str
) -> None:
    """Every refusal of a post has the error name that Slack documents."""
    # The bare call: the named method would warn of a missing text before it asks.
    assert await error(web.api_call("chat.postMessage", json=arguments)) == word


async def test_refused_blocks_are_explained(web: AsyncWebClient) -> None:
    """`invalid_blocks` says where and why, in `errors` and in `response_metadata`."""
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    refused = await refusal(web.chat_postMessage(channel="C0DEPLOYS", text="x", blocks=blocks))
    said = "must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    assert refused.response["error"] == "invalid_blocks"
    assert refused.response["errors"] == [said]
    assert refused.response["response_metadata"]["messages"] == [f"[ERROR] {said}"]


async def test_an_update_takes_only_four_thousand_characters(web: AsyncWebClient) -> None:
    """`chat.update` is stricter than `chat.postMessage`."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="x" * 4_001)
    call = web.chat_update(channel="C0DEPLOYS", ts=posted["ts"], text="x" * 4_001)
    assert await error(call) == "msg_too_long"


async def test_the_bot_changes_only_its_own_messages(
    slack: LocalSlack, web: AsyncWebClient
) -> None:
    """Somebody else's words can be neither changed nor deleted, and a gone message neither."""
    said = (await slack.says("mine", channel="deploys")).message
    place = {"channel": said.channel, "ts": said.ts}
    assert await error(web.chat_update(text="x", **place)) == "cant_update_message"
    assert await error(web.chat_delete(**place)) == "cant_delete_message"
    slack.delete(said)
    assert await error(web.chat_update(text="x", **place)) == "message_not_found"


async def test_an_archived_channel_takes_no_posts(slack: LocalSlack, web: AsyncWebClient) -> None:
    """After archiving, posts and updates are refused, and history can still be read."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="x")
    slack.archive("deploys")
    assert await error(web.chat_postMessage(channel="C0DEPLOYS", text="x")) == "is_archived"
    update = web.chat_update(channel="C0DEPLOYS", ts=posted["ts"], text="y")
    assert await error(update) == "is_inactive"
    assert (await web.conversations_history(channel="C0DEPLOYS"))["messages"]


async def test_a_removed_bot_may_not_post(slack: LocalSlack, web: AsyncWebClient) -> None:
    """A bot that was taken out of a public channel is told so."""
    slack.remove_bot("deploys")
    assert await error(web.chat_postMessage(channel="C0DEPLOYS", text="x")) == "not_in_channel"


async def test_a_deleted_root_with_replies_leaves_a_tombstone(
    slack: LocalSlack, web: AsyncWebClient
) -> None:
    """The thread lives on, and the root can no longer be updated."""
    root = await web.chat_postMessage(channel="C0DEPLOYS", text="root")
    await web.chat_postMessage(channel="C0DEPLOYS", text="one", thread_ts=root["ts"])
    await web.chat_delete(channel="C0DEPLOYS", ts=root["ts"])
    assert [m.tombstone for m in slack.thread("deploys", root["ts"])] == [True, False]
    update = web.chat_update(channel="C0DEPLOYS", ts=root["ts"], text="x")
    assert await error(update) == "message_not_found"


async def test_an_ephemeral_message_is_for_one_person(
    slack: LocalSlack, web: AsyncWebClient
) -> None:
    """Only the person named sees it, and it must be somebody in the channel."""
    await web.chat_postEphemeral(channel="C0DEPLOYS", user="U0BEN", text="psst")
    assert [m.text for m in slack.ephemerals("ben", "deploys")] == ["psst"]
    assert slack.ephemerals("ada") == slack.messages() == []
    call = web.chat_postEphemeral(channel="C0DEPLOYS", user="U0NOBODY", text="psst")
    assert await error(call) == "user_not_in_channel"


async def test_a_permalink_leads_to_the_page(slack: LocalSlack, web: AsyncWebClient) -> None:
    """A permalink names channel and message, and stays on this machine."""
    posted = await web.chat_postMessage(channel="C0DEPLOYS", text="x")
    link = await web.chat_getPermalink(channel="C0DEPLOYS", message_ts=posted["ts"])
    stamp = posted["ts"].replace(".", "")
    assert link["permalink"] == f"{slack.url}archives/C0DEPLOYS/p{stamp}"


def cells(row: int, kinds: str) -> list[dict[str, Any]]:
    """Return one row: p is a plain cell, n a number, r a rich one with a link."""
    link = {"type": "link", "url": f"https://x.test/{row}", "text": f"job {row}"}
    section = {"type": "rich_text_section", "elements": [link]}
    made: dict[str, dict[str, Any]] = {
        "p": {"type": "raw_text", "text": "succeeded"},
        "n": {"type": "raw_number", "value": row, "text": f"{row} s"},
        "r": {"type": "rich_text", "elements": [section]},
    }
    return [made[kind] for kind in kinds]


def listing(rows: int, kinds: str = "rppnpp") -> dict[str, Any]:
    """Return a data_table of so many rows under its heading."""
    table = [cells(0, "p" * len(kinds)), *(cells(row, kinds) for row in range(1, rows + 1))]
    return {"type": "data_table", "caption": "Jobs", "rows": table}


async def test_a_list_of_fifty_rows_by_six_columns_passes(
    slack: LocalSlack, web: AsyncWebClient
) -> None:
    """With plain, numeric and rich cells; the cells' wrapping does not count as their words do."""
    await web.chat_postMessage(channel="C0DEPLOYS", text="Fifty jobs.", blocks=[listing(50)])
    assert len(slack.messages()[0].blocks[0]["rows"]) == 51


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (listing(101), "no more than 101 items"),
        (listing(50, "p" * 21), "no more than 20 items"),
        (listing(100, "p" * 12), "no more than 10000 characters"),
        ({**listing(2), "rows": [cells(0, "pp"), cells(1, "p")]}, "same number of cells"),
        ({**listing(2), "rows": [cells(0, "r"), cells(1, "r")]}, "may not hold rich_text"),
    ],
)
async def test_a_list_past_its_limits_is_refused(
    web: AsyncWebClient, table: dict[str, Any], reason: str
) -> None:
    """As an invalid block, with the reason."""
    call = web.chat_postMessage(channel="C0DEPLOYS", text="x", blocks=[table])
    refused = await refusal(call)
    assert refused.response["error"] == "invalid_blocks"
    assert reason in str(refused.response["errors"])


async def test_a_message_is_too_heavy_with_a_table_and_long_text(web: AsyncWebClient) -> None:
    """A table's words weigh together with everything else."""
    texts = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2_900}}] * 4
    call = web.chat_postMessage(channel="C0DEPLOYS", text="x", blocks=[*texts, listing(50)])
    assert await error(call) == "msg_blocks_too_long"
