"""Slack transport over the Web API: posts, updates, ephemeral messages, look-up by key."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, NoReturn

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.delivery.rate_limiter import RESPONSE_URL
from bot.sdk.cards import blocks as block_kit
from bot.sdk.errors import SlackRateLimited, SlackRejected, SlackUnconfirmed
from bot.slack.proxy import proxy_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.sdk.clock import Clock
    from bot.sdk.models import Message

EVENT_TYPE = "jobthread_post"  # of the metadata that carries the idempotency key
NO_UNFURL = {"unfurl_links": False, "unfurl_media": False, "link_names": False, "parse": "none"}
BLOCKS_TOO_LONG = "msg_blocks_too_long"  # the message's size, not a block type, is the cause
BLOCK_ERRORS = frozenset({"invalid_blocks", "invalid_blocks_format", BLOCKS_TOO_LONG})
BLOCK_REJECTION_SECONDS = 3600.0  # that a rejected block type is remembered
MAX_CLOCK_SKEW_SECONDS = 3_660.0  # that our clock may be ahead of Slack's
QUERY_METHODS = (
    "conversations.",
    "users.",
    "usergroups.",
)  # prefixes of methods that accept no JSON
MAX_UPDATE_BYTES = 4_000  # of the text in UTF-8: Slack answers msg_too_long above
MAX_PAGES = 20  # of history per look-up: below the rate limit of tier 3
UNREACHABLE_RETRY_SECONDS = 3.0  # before a retry when Slack is unreachable
TOKEN_RETRY_SECONDS = 20.0  # before a retry when Slack rejects the token

# Slack's internal errors: https://docs.slack.dev/reference/methods/chat.postMessage#errors
TRANSIENT_ERRORS = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)
ALREADY_DONE_ERRORS = frozenset({"already_reacted", "no_reaction"})
TOKEN_ERRORS = frozenset({"invalid_auth", "token_revoked", "token_expired", "account_inactive"})


class WebApiTransport:
    """Slack transport for one workspace over its Web API client.

    The client must have no retry handlers, because a repeated chat.postMessage is a second
    message, and a session with a timeout.
    """

    def __init__(
        self, client: AsyncWebClient, session: aiohttp.ClientSession, clock: Clock
    ) -> None:
        self._client = client
        self._session = session
        self._clock = clock
        self._rejected_until: dict[str, float] = {}  # block type → when to try it again
        self.rate_limited_count = 0  # number of 429 responses

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        idempotency_key: str,
        thread_ts: str | None = None,
        broadcast: bool = False,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """Post a message with its idempotency key and metadata; return its timestamp."""
        arguments = {
            "channel": channel,
            "metadata": _metadata({**(metadata or {}), "key": idempotency_key}),
            "client_msg_id": str(uuid.uuid5(uuid.NAMESPACE_URL, idempotency_key)),
            **NO_UNFURL,
        }
        if thread_ts:
            arguments |= {"thread_ts": thread_ts, "reply_broadcast": broadcast}
        answer = await self._send_message("chat.postMessage", message, arguments)
        return str(answer["ts"])

    async def update(
        self, channel: str, ts: str, message: Message, *, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Update a message; without `metadata` its metadata stays unchanged."""
        arguments: dict[str, Any] = {
            "channel": channel,
            "ts": ts,
            "link_names": False,
            "parse": "none",
        }
        if metadata:
            arguments["metadata"] = _metadata(metadata)
        await self._send_message("chat.update", _with_short_text(message), arguments)

    async def post_ephemeral(
        self, channel: str, user: str, message: Message, *, thread_ts: str | None = None
    ) -> None:
        """Post an ephemeral message to a user in a channel."""
        arguments = {"channel": channel, "user": user, "link_names": False, "parse": "none"}
        if thread_ts:
            arguments["thread_ts"] = thread_ts
        await self._send_message("chat.postEphemeral", message, arguments)

    async def set_reaction(self, channel: str, ts: str, names: Sequence[str]) -> None:
        """Add the first of these reactions to a message, and remove the others."""
        for method, name in _reaction_calls(names):
            try:
                await self.call(method, {"channel": channel, "timestamp": ts, "name": name})
            except SlackRejected as error:
                if error.code not in ALREADY_DONE_ERRORS:
                    raise

    async def open_direct(self, user: str) -> str:
        """Return the channel id of the direct messages with a user."""
        answer = await self.call("conversations.open", {"users": user})
        return str(answer["channel"]["id"])

    async def respond(
        self, response_url: str, message: Message | None, *, replace: bool, thread_ts: str | None
    ) -> None:
        """Respond through a response_url; without a message, delete the clicked one."""
        if message is None:
            await self._respond(response_url, {"delete_original": True})
            return
        body: dict[str, Any] = {"response_type": "ephemeral", "replace_original": replace}
        if thread_ts:
            body["thread_ts"] = thread_ts

        async def send(blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
            complete = {**body, "text": message.text, "blocks": list(blocks)}
            return await self._respond(response_url, complete)

        await self._send_with_fallback(message, send)

    async def find(
        self, channel: str, idempotency_key: str, *, thread_ts: str | None, since: datetime
    ) -> str | None:
        """Return the timestamp of the message with this idempotency key, or None.

        The search starts an hour before `since`, because our clock may differ from Slack's or
        have been set back.
        """
        method = "conversations.replies" if thread_ts else "conversations.history"
        query: dict[str, Any] = {
            "channel": channel,
            "include_all_metadata": True,
            "oldest": f"{since.timestamp() - MAX_CLOCK_SKEW_SECONDS:.6f}",
            "limit": 200,
        }
        if thread_ts:
            query["ts"] = thread_ts
        for _ in range(MAX_PAGES):
            page = await self.call(method, query)
            for sent in page["messages"]:
                if _key_in_metadata(sent) == idempotency_key:
                    return str(sent["ts"])
            query["cursor"] = (page.get("response_metadata") or {}).get("next_cursor")
            if not query["cursor"]:
                break
        return None

    async def _send_message(
        self, method: str, message: Message, arguments: dict[str, Any]
    ) -> dict[str, Any]:
        async def send(blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
            complete = {**arguments, "text": message.text, "blocks": list(blocks)}
            return await self.call(method, complete)

        return await self._send_with_fallback(message, send)

    async def _send_with_fallback(
        self, message: Message, send: Callable[[Any], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Send the newer blocks; if Slack rejects them, the classic blocks or the text alone.

        The text is complete by itself, so it is sent whatever happens to the blocks.
        """
        newer_types = {block["type"] for block in message.blocks} - {
            b["type"] for b in message.classic
        }
        now = self._clock.monotonic()
        rejected_before = any(self._rejected_until.get(kind, now) > now for kind in newer_types)
        if message.classic and rejected_before:
            return await self._send_classic(message, send, set())
        try:
            return await send(message.blocks)
        except SlackRejected as error:
            _raise_unless_blocks(error)
            rejected_types = newer_types if error.code != BLOCKS_TOO_LONG else set()
        return await self._send_classic(message, send, rejected_types)

    async def _send_classic(
        self,
        message: Message,
        send: Callable[[Any], Awaitable[dict[str, Any]]],
        rejected_types: set[str],
    ) -> dict[str, Any]:
        """Fall back to classic blocks, then to text; remember the rejected block types."""
        if message.classic:
            try:
                answer = await send(message.classic)
            except SlackRejected as error:
                _raise_unless_blocks(error)
            else:
                retry_at = self._clock.monotonic() + BLOCK_REJECTION_SECONDS
                self._rejected_until |= dict.fromkeys(rejected_types, retry_at)
                return answer
        return await send(())

    async def call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a Web API method; translate Slack's errors into ours."""
        try:
            if method.startswith(QUERY_METHODS):
                answer = await self._client.api_call(method, params=_query_arguments(arguments))
            else:
                answer = await self._client.api_call(method, json=arguments)
        except SlackApiError as error:
            self.rate_limited_count += _is_rate_limited(error)
            _raise_mapped(error, method)
        except aiohttp.ClientConnectorError as error:
            raise SlackRateLimited(
                "Slack cannot be reached.", retry_after=UNREACHABLE_RETRY_SECONDS
            ) from error
        except (aiohttp.ClientError, OSError, SlackClientError, AttributeError) as error:
            # AttributeError: slack_sdk parses every response with status 200 as Slack's JSON.
            raise SlackUnconfirmed(f"Slack did not answer {method}.") from error
        return answer.data if isinstance(answer.data, dict) else {}

    async def _respond(self, response_url: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            async with self._session.post(
                response_url, json=body, proxy=proxy_for(response_url)
            ) as response:
                text = await response.text()
        except aiohttp.ClientConnectorError as error:
            raise SlackRateLimited(
                "Slack cannot be reached.", retry_after=UNREACHABLE_RETRY_SECONDS
            ) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SlackUnconfirmed("A response_url did not answer.") from error
        if response.status == 429:
            self.rate_limited_count += 1
            wait = parse_retry_after(response.headers)
            raise SlackRateLimited("Slack is busy.", retry_after=wait, method=RESPONSE_URL)
        if response.status >= 500:
            raise SlackUnconfirmed("Slack is in trouble.")
        if response.status >= 400 or '"ok":false' in text.replace(" ", ""):
            code = "invalid_blocks" if "invalid_blocks" in text else "response_url_refused"
            raise SlackRejected("A response_url answers no more.", code=code)
        return {}


def _reaction_calls(names: Sequence[str]) -> list[tuple[str, str]]:
    first, *others = names
    return [("reactions.add", first), *(("reactions.remove", name) for name in others)]


def _metadata(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": dict(payload)}


def _raise_unless_blocks(error: SlackRejected) -> None:
    """Raise the error unless Slack rejected the blocks."""
    if error.code not in BLOCK_ERRORS:
        raise error


def _query_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments for a query string."""
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in arguments.items()
        if value is not None
    }


def _with_short_text(message: Message) -> Message:
    """Return the message with a text that chat.update accepts; the blocks have the whole text."""
    if len(message.text.encode()) <= MAX_UPDATE_BYTES:
        return message
    return message.replace(text=block_kit.mrkdwn(message.text, MAX_UPDATE_BYTES // 3)["text"])


def _key_in_metadata(sent: dict[str, Any]) -> str | None:
    metadata = sent.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    key: str | None = metadata.get("event_payload", {}).get("key")
    return key


def _raise_mapped(error: SlackApiError, method: str) -> NoReturn:
    """Raise the error that corresponds to Slack's response."""
    status = getattr(error.response, "status_code", 200)
    code = error_code(error)
    if _is_rate_limited(error):
        retry_after = parse_retry_after(getattr(error.response, "headers", {}))
        raise SlackRateLimited("Slack is busy.", retry_after=retry_after, method=method) from error
    if (
        status >= 500 or not code or code in TRANSIENT_ERRORS
    ):  # no code: the response is not from Slack
        raise SlackUnconfirmed(f"Slack is in trouble: {method} was not answered.") from error
    if code in TOKEN_ERRORS:
        sentence = "Slack does not accept the bot's token: `jobthread check` tells more."
        raise SlackRateLimited(sentence, retry_after=TOKEN_RETRY_SECONDS) from error
    raise SlackRejected(f"Slack refuses {method}: {code}.", code=code) from error


def _is_rate_limited(error: SlackApiError) -> bool:
    status = getattr(error.response, "status_code", 200)
    return status == 429 or error_code(error) in ("ratelimited", "rate_limited")


def error_code(error: SlackApiError) -> str:
    """Return Slack's error code; "fatal_error" if the response is not JSON."""
    answer = getattr(error.response, "data", error.response)
    return str(answer.get("error", "")) if isinstance(answer, dict) else "fatal_error"


def parse_retry_after(headers: Any) -> float:
    """Return the seconds of the Retry-After header, at most an hour; 1 if it is missing."""
    text = str(headers.get("Retry-After") or headers.get("retry-after") or "")
    return min(3600.0, float(text)) if text.isdecimal() else 1.0
