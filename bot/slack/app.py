"""The Bolt app: every question goes through one door, which stores it before Slack hears "got it".

Bolt acknowledges events before their listener runs, polls for a listener's ack, and forgets an
ack when a listener raises. So nothing is left to listeners: the door is a global middleware,
behind Bolt's own checks of signature and sender, and its answer is the acknowledgement.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot import answers
from bot.asks import Kind
from bot.errors import StoreError, trail
from bot.slack import modal, settings_form, settings_talk
from bot.slack.incoming import Incoming, read
from bot.slack.outgoing import code_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.clock import Clock
    from bot.desk import Desk
    from bot.slack.settings_talk import SettingsTalk
    from bot.slack.suggestions import Suggestions

log = logging.getLogger(__name__)

TRY_AGAIN = 503  # Slack sends an event again that is answered so
TRIGGER_SECONDS = 2.5  # for opening a modal; Slack's trigger lives for three


def bolt_app(
    *,
    client: AsyncWebClient,
    identity: dict[str, Any],
    signing_secret: str | None,
    desk: Desk,
    suggestions: Suggestions,
    settings: SettingsTalk,
    clock: Clock,
) -> AsyncApp:
    """Return the Bolt app; `identity` is what auth.test answered when the bot started."""
    app = AsyncApp(
        client=AsyncWebClient(base_url=client.base_url, session=client.session),
        signing_secret=signing_secret,
        authorize=_known(client, identity),
        request_verification_enabled=signing_secret is not None,
        logger=logging.getLogger("slack_bolt"),
    )

    async def door(body: dict[str, Any], next: Callable[[], Awaitable[Any]]) -> Any:  # noqa: A002
        """Take a question in, or help to ask it; anything else goes on to Bolt."""
        answered = (
            await _question(settings, desk, body, clock)
            or await _about_jobs(client, suggestions, desk, body, clock)
            or await _about_contract(settings, body)
        )
        return answered or await _pass(body, next)

    app.middleware(door)
    return app


async def _question(
    settings: SettingsTalk, desk: Desk, body: dict[str, Any], clock: Clock
) -> BoltResponse | None:
    """Take a question in; one about the contract is answered by its modal, where that opens."""
    if settings_talk.is_wanted(body) and await settings.open(body):
        return BoltResponse(status=200, body="")
    incoming = read(body, clock.now())
    return None if incoming is None else await _take(desk, incoming)


async def _about_jobs(
    client: AsyncWebClient,
    suggestions: Suggestions,
    desk: Desk,
    body: dict[str, Any],
    clock: Clock,
) -> BoltResponse | None:
    """Answer what comes from the modal "Ask about a job", or wants it open."""
    if modal.is_wanted(body):
        suggestions.prepare()
        return await _open(client, body["trigger_id"])
    if modal.is_searched(body):
        return _json(await suggestions.answer(body.get("value") or ""))
    return await _submit(desk, body, clock) if modal.is_submitted(body) else None


async def _about_contract(settings: SettingsTalk, body: dict[str, Any]) -> BoltResponse | None:
    """Answer what comes from the open modal of a contract."""
    if preset := settings_form.refilling(body):
        filled = await settings.refill(body, preset)
        return BoltResponse(status=200 if filled else TRY_AGAIN, body="")
    if settings_form.is_searched(body):
        return _json(await settings.suggest(body))
    if settings_form.is_submitted(body):
        wrong = await settings.submit(body)
        return _json(modal.refusal(wrong)) if wrong else BoltResponse(status=200, body="")
    return None


async def _pass(body: dict[str, Any], onward: Callable[[], Awaitable[Any]]) -> Any:
    """Acknowledge what asks nothing of us, such as our own messages; Bolt sees to the rest."""
    if body.get("type") in ("event_callback", "block_actions", "message_action"):
        return BoltResponse(status=200, body="")
    return await onward()


async def _take(desk: Desk, incoming: Incoming) -> BoltResponse:
    if await _stored(desk, incoming):
        return BoltResponse(status=200, body="")
    return _unstored(incoming)


async def _stored(desk: Desk, incoming: Incoming) -> bool:
    try:
        await desk.take(incoming.workspace, incoming.key, incoming.ask)
    except StoreError as error:
        log.error("a question could not be stored: %s", error)
        return False
    return True


async def _open(client: AsyncWebClient, trigger_id: str) -> BoltResponse:
    """Open the modal at once; where that fails, Slack itself tells whoever wanted it."""
    try:
        async with asyncio.timeout(TRIGGER_SECONDS):
            await client.views_open(trigger_id=trigger_id, view=modal.view())
    except SlackApiError as error:
        log.error("Slack refuses to open the modal: %s", code_of(error) or trail(error))
    except (aiohttp.ClientError, SlackClientError, OSError, TimeoutError, AttributeError) as error:
        # AttributeError: slack_sdk takes any answer with status 200 for Slack's JSON.
        log.error("the modal could not be opened: %s", trail(error))
    else:
        return BoltResponse(status=200, body="")
    return BoltResponse(status=TRY_AGAIN, body="")


async def _submit(desk: Desk, body: dict[str, Any], clock: Clock) -> BoltResponse:
    """Take in what the modal asks; the modal closes only if that is stored."""
    if missing := modal.missing(body):
        return _json(modal.refusal(missing))
    if await _stored(desk, modal.submitted(body, clock.now())):
        return BoltResponse(status=200, body="")
    return _json(modal.refusal({modal.JOB: answers.busy().text}))


def _unstored(incoming: Incoming) -> BoltResponse:
    """Slack repeats events, shows whoever clicked that it failed, and a command's answer."""
    if incoming.ask.kind is not Kind.COMMAND:
        return BoltResponse(status=TRY_AGAIN, body="")
    return _json({"response_type": "ephemeral", "text": answers.busy().text})


def _json(body: dict[str, Any]) -> BoltResponse:
    headers: dict[str, str | Sequence[str]] = {"content-type": "application/json"}
    return BoltResponse(status=200, body=json.dumps(body), headers=headers)


def _known(
    client: AsyncWebClient, identity: dict[str, Any]
) -> Callable[..., Awaitable[AuthorizeResult]]:
    """Return an authorization that asks Slack nothing: who we are was asked once, at the start."""
    result = AuthorizeResult.from_auth_test_response(
        bot_token=client.token,
        auth_test_response=identity,
    )

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        del enterprise_id, team_id
        return result

    return authorize
