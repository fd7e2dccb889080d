"""Slack's Web API as the way out: posts, updates, whispers, and the search for what was sent."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.delivery.pace import RESPONSE_URL
from bot.errors import SlackBusy, SlackRefused, SlackSilent
from bot.slack.proxies import proxy_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.clock import Clock
    from bot.models import Message

EVENT_TYPE = "jobthread_post"  # of the metadata that carries a message's key
CALM = {"unfurl_links": False, "unfurl_media": False, "link_names": False, "parse": "none"}
TOO_LONG = "msg_blocks_too_long"  # this message's fault, not that of a type of block
BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", TOO_LONG})
REFUSAL_SECONDS = 3600.0  # that a workspace's refusal of a block is remembered
CLOCKS_DIFFER_SECONDS = 3_660.0  # that our clock may have been ahead of Slack's
READING = ("conversations.", "users.", "usergroups.")  # methods that take no JSON
MOST_PAGES = 20  # of history that are searched for a message: less than tier 3 allows a minute
UNREACHABLE_SECONDS = 3.0  # until the next try when Slack cannot be reached at all
NO_TOKEN_SECONDS = 20.0  # until the next try when Slack does not accept the token

# Slack's own troubles: https://docs.slack.dev/reference/methods/chat.postMessage#errors
PASSING = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)
DONE_ALREADY = frozenset({"already_reacted", "no_reaction"})
TOKEN = frozenset({"invalid_auth", "token_revoked", "token_expired", "account_inactive"})


class WebOutlet:
    """Writes to one workspace through its Web API client.

    The client must have no retry handlers (a repeated chat.postMessage is a second message) and a
    session with a time-out.
    """

    def __init__(
        self, client: AsyncWebClient, session: aiohttp.ClientSession, clock: Clock
    ) -> None:
        self._client = client
        self._session = session
        self._clock = clock
        self._refused: dict[str, datetime] = {}  # type of block → when to try it again
        self.limited = 0  # answers 429 so far

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        key: str,
        thread_ts: str | None = None,
        broadcast: bool = False,
        about: Mapping[str, Any] | None = None,
    ) -> str:
        """Post a message that carries its key and what it tells of, and return its timestamp."""
        arguments = {
            "channel": channel,
            "metadata": _metadata({**(about or {}), "key": key}),
            "client_msg_id": str(uuid.uuid5(uuid.NAMESPACE_URL, key)),
            **CALM,
        }
        if thread_ts:
            arguments |= {"thread_ts": thread_ts, "reply_broadcast": broadcast}
        answer = await self._say("chat.postMessage", message, arguments)
        return str(answer["ts"])

    async def update(
        self, channel: str, ts: str, message: Message, *, about: Mapping[str, Any] | None = None
    ) -> None:
        """Replace a message; without `about` it carries what it carried."""
        arguments: dict[str, Any] = {
            "channel": channel,
            "ts": ts,
            "link_names": False,
            "parse": "none",
        }
        if about:
            arguments["metadata"] = _metadata(about)
        await self._say("chat.update", message, arguments)

    async def whisper(
        self, channel: str, user: str, message: Message, *, thread_ts: str | None = None
    ) -> None:
        """Show a message to one person in a channel."""
        arguments = {"channel": channel, "user": user, "link_names": False, "parse": "none"}
        if thread_ts:
            arguments["thread_ts"] = thread_ts
        await self._say("chat.postEphemeral", message, arguments)

    async def react(self, channel: str, ts: str, names: Sequence[str]) -> None:
        """Give a message the first of these reactions, and take the others back."""
        for method, name in _reactions(names):
            try:
                await self.call(method, {"channel": channel, "timestamp": ts, "name": name})
            except SlackRefused as error:
                if error.code not in DONE_ALREADY:
                    raise

    async def open_direct(self, user: str) -> str:
        """Return the channel of the direct messages with a person."""
        answer = await self.call("conversations.open", {"users": user})
        return str(answer["channel"]["id"])

    async def respond(
        self, response_url: str, message: Message | None, *, replace: bool, thread_ts: str | None
    ) -> None:
        """Answer through a response_url; no message deletes the one that was clicked."""
        if message is None:
            await self._respond(response_url, {"delete_original": True})
            return
        body: dict[str, Any] = {"response_type": "ephemeral", "replace_original": replace}
        if thread_ts:
            body["thread_ts"] = thread_ts

        async def send(blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
            whole = {**body, "text": message.text, "blocks": list(blocks)}
            return await self._respond(response_url, whole)

        await self._either(message, send)

    async def find(
        self, channel: str, key: str, *, thread_ts: str | None, since: datetime
    ) -> str | None:
        """Return the timestamp of the message that carries the key, if Slack has it.

        Clocks may differ, and ours may have been set: it is looked for from over an hour before.
        """
        method = "conversations.replies" if thread_ts else "conversations.history"
        query: dict[str, Any] = {
            "channel": channel,
            "include_all_metadata": True,
            "oldest": f"{since.timestamp() - CLOCKS_DIFFER_SECONDS:.6f}",
            "limit": 200,
        }
        if thread_ts:
            query["ts"] = thread_ts
        for _ in range(MOST_PAGES):
            page = await self.call(method, query)
            for sent in page["messages"]:
                if _key_of(sent) == key:
                    return str(sent["ts"])
            query["cursor"] = (page.get("response_metadata") or {}).get("next_cursor")
            if not query["cursor"]:
                break
        return None

    async def _say(
        self, method: str, message: Message, arguments: dict[str, Any]
    ) -> dict[str, Any]:
        async def send(blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
            whole = {**arguments, "text": message.text, "blocks": list(blocks)}
            return await self.call(method, whole)

        return await self._either(message, send)

    async def _either(
        self, message: Message, send: Callable[[Any], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Send the newer blocks; where the workspace refuses those, the classic ones or the text.

        The text is whole in itself, so whatever happens to the blocks, it is said.
        """
        newer = {block["type"] for block in message.blocks} - {b["type"] for b in message.classic}
        now = self._clock.now()
        refused_before = any(self._refused.get(kind, now) > now for kind in newer)
        if message.classic and refused_before:
            return await self._plainer(message, send, set())
        try:
            return await send(message.blocks)
        except SlackRefused as error:
            _only_blocks(error)
            blamed = newer if error.code != TOO_LONG else set()
        return await self._plainer(message, send, blamed)

    async def _plainer(
        self,
        message: Message,
        send: Callable[[Any], Awaitable[dict[str, Any]]],
        blamed: set[str],
    ) -> dict[str, Any]:
        """Send the classic blocks, else the text; if the classic pass, note whom to blame."""
        if message.classic:
            try:
                answer = await send(message.classic)
            except SlackRefused as error:
                _only_blocks(error)
            else:
                again = self._clock.now() + timedelta(seconds=REFUSAL_SECONDS)
                self._refused |= dict.fromkeys(blamed, again)
                return answer
        return await send(())

    async def call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call one method of the Web API; what Slack refuses is an error of ours."""
        try:
            if method.startswith(READING):
                answer = await self._client.api_call(method, params=_plain(arguments))
            else:
                answer = await self._client.api_call(method, json=arguments)
        except SlackApiError as error:
            self.limited += _is_limit(error)
            _raise(error, method)
        except aiohttp.ClientConnectorError as error:
            raise SlackBusy("Slack cannot be reached.", retry_after=UNREACHABLE_SECONDS) from error
        except (aiohttp.ClientError, OSError, SlackClientError, AttributeError) as error:
            # AttributeError: slack_sdk takes any answer with status 200 for Slack's JSON.
            raise SlackSilent(f"Slack did not answer {method}.") from error
        return answer.data if isinstance(answer.data, dict) else {}

    async def _respond(self, response_url: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            async with self._session.post(
                response_url, json=body, proxy=proxy_for(response_url)
            ) as response:
                text = await response.text()
        except aiohttp.ClientConnectorError as error:
            raise SlackBusy("Slack cannot be reached.", retry_after=UNREACHABLE_SECONDS) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SlackSilent("A response_url did not answer.") from error
        if response.status == 429:
            self.limited += 1
            wait = retry_after_in(response.headers)
            raise SlackBusy("Slack is busy.", retry_after=wait, method=RESPONSE_URL)
        if response.status >= 500:
            raise SlackSilent("Slack is in trouble.")
        if response.status >= 400 or '"ok":false' in text.replace(" ", ""):
            code = "invalid_blocks" if "invalid_blocks" in text else "response_url_refused"
            raise SlackRefused("A response_url answers no more.", code=code)
        return {}


def _reactions(names: Sequence[str]) -> list[tuple[str, str]]:
    first, *others = names
    return [("reactions.add", first), *(("reactions.remove", name) for name in others)]


def _metadata(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": dict(payload)}


def _only_blocks(error: SlackRefused) -> None:
    """Go on if Slack refused the blocks; raise the error if it was anything else."""
    if error.code not in BLOCKS_REFUSED:
        raise error


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments for a query string: reading methods take no JSON."""
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in arguments.items()
        if value is not None
    }


def _key_of(sent: dict[str, Any]) -> str | None:
    metadata = sent.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    key: str | None = metadata.get("event_payload", {}).get("key")
    return key


def _raise(error: SlackApiError, method: str) -> NoReturn:
    """Raise what Slack's answer means."""
    status = getattr(error.response, "status_code", 200)
    code = code_of(error)
    if _is_limit(error):
        retry_after = retry_after_in(getattr(error.response, "headers", {}))
        raise SlackBusy("Slack is busy.", retry_after=retry_after, method=method) from error
    if status >= 500 or not code or code in PASSING:  # no code: it was not Slack that answered
        raise SlackSilent(f"Slack is in trouble: {method} was not answered.") from error
    if code in TOKEN:
        sentence = "Slack does not accept the bot's token: `jobthread check` tells more."
        raise SlackBusy(sentence, retry_after=NO_TOKEN_SECONDS) from error
    raise SlackRefused(f"Slack refuses {method}: {code}.", code=code) from error


def _is_limit(error: SlackApiError) -> bool:
    status = getattr(error.response, "status_code", 200)
    return status == 429 or code_of(error) in ("ratelimited", "rate_limited")


def code_of(error: SlackApiError) -> str:
    """Return Slack's word for what is wrong; an answer that is no JSON has none."""
    answer = getattr(error.response, "data", error.response)
    return str(answer.get("error", "")) if isinstance(answer, dict) else "fatal_error"


def retry_after_in(headers: Any) -> float:
    """Return the seconds that `Retry-After` asks for, one where it is missing."""
    text = str(headers.get("Retry-After") or headers.get("retry-after") or "")
    return min(3600.0, float(text)) if text.isdecimal() else 1.0
