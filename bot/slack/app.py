"""Bolt app with one global middleware: each request is persisted before it is acknowledged.

Bolt acknowledges events before their listener runs, polls for a listener's ack, and loses the ack
when a listener raises. Therefore the app has no listeners. The middleware runs after Bolt's checks
of signature and sender, and its response is the acknowledgement.
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

from bot.commands import replies
from bot.commands.request import RequestKind
from bot.sdk.errors import StoreError, origin
from bot.slack import job_modal, settings_flow, settings_submission
from bot.slack.events import IncomingRequest, parse_payload
from bot.slack.web_api import error_code

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.commands.inbox_worker import InboxWorker
    from bot.sdk.clock import Clock
    from bot.slack.job_options import JobOptions
    from bot.slack.settings_flow import SettingsModalFlow

log = logging.getLogger(__name__)

HTTP_RETRY = 503  # HTTP status that makes Slack retry an event
TRIGGER_SECONDS = 2.5  # to open a modal; a trigger_id expires after 3


def bolt_app(
    *,
    client: AsyncWebClient,
    identity: dict[str, Any],
    signing_secret: str | None,
    inbox_worker: InboxWorker,
    job_options: JobOptions,
    settings_modal_flow: SettingsModalFlow,
    clock: Clock,
) -> AsyncApp:
    """Return the Bolt app; `identity` is the response to auth.test at start-up."""
    app = AsyncApp(
        client=AsyncWebClient(base_url=client.base_url, session=client.session),
        signing_secret=signing_secret,
        authorize=_fixed_authorize(client, identity),
        request_verification_enabled=signing_secret is not None,
        logger=logging.getLogger("slack_bolt"),
    )

    async def enqueue_middleware(body: dict[str, Any], next: Callable[[], Awaitable[Any]]) -> Any:  # noqa: A002
        """Enqueue a request or serve a modal; pass other payloads to Bolt."""
        response = (
            await _enqueue_request(settings_modal_flow, inbox_worker, body, clock)
            or await _handle_job_modal(client, job_options, inbox_worker, body, clock)
            or await _handle_settings_modal(settings_modal_flow, body)
        )
        return response or await _acknowledge(body, next)

    app.middleware(enqueue_middleware)
    return app


async def _enqueue_request(
    settings_modal_flow: SettingsModalFlow,
    inbox_worker: InboxWorker,
    body: dict[str, Any],
    clock: Clock,
) -> BoltResponse | None:
    """Enqueue a request; one for the channel settings opens the modal instead, if it can."""
    if settings_flow.opens(body) and await settings_modal_flow.open(body):
        return BoltResponse(status=200, body="")
    incoming = parse_payload(body, clock.now())
    return None if incoming is None else await _enqueue(inbox_worker, incoming)


async def _handle_job_modal(
    client: AsyncWebClient,
    job_options: JobOptions,
    inbox_worker: InboxWorker,
    body: dict[str, Any],
    clock: Clock,
) -> BoltResponse | None:
    """Handle payloads of the modal "Ask about a job", and the shortcut that opens it."""
    if job_modal.opens(body):
        job_options.prefetch()
        return await _open_modal(client, body["trigger_id"])
    if job_modal.asks_options(body):
        return _json(await job_options.options(body.get("value") or ""))
    return await _submit_modal(inbox_worker, body, clock) if job_modal.is_submitted(body) else None


async def _handle_settings_modal(
    settings_modal_flow: SettingsModalFlow, body: dict[str, Any]
) -> BoltResponse | None:
    """Handle payloads of the open settings modal."""
    if preset := settings_submission.preset_pressed(body):
        applied = await settings_modal_flow.apply_preset(body, preset)
        return BoltResponse(status=200 if applied else HTTP_RETRY, body="")
    if settings_submission.asks_options(body):
        return _json(await settings_modal_flow.options(body))
    if settings_submission.is_submitted(body):
        errors = await settings_modal_flow.submit(body)
        return (
            _json(job_modal.errors_response(errors))
            if errors
            else BoltResponse(status=200, body="")
        )
    return None


async def _acknowledge(body: dict[str, Any], next_middleware: Callable[[], Awaitable[Any]]) -> Any:
    """Acknowledge payloads without a request, such as our own messages; pass others to Bolt."""
    if body.get("type") in ("event_callback", "block_actions", "message_action"):
        return BoltResponse(status=200, body="")
    return await next_middleware()


async def _enqueue(inbox_worker: InboxWorker, incoming: IncomingRequest) -> BoltResponse:
    if await _persist(inbox_worker, incoming):
        return BoltResponse(status=200, body="")
    return _not_persisted(incoming)


async def _persist(inbox_worker: InboxWorker, incoming: IncomingRequest) -> bool:
    try:
        await inbox_worker.enqueue(incoming.workspace, incoming.idempotency_key, incoming.request)
    except StoreError as error:
        log.error("cannot store a request: %s", error)
        return False
    return True


async def _open_modal(client: AsyncWebClient, trigger_id: str) -> BoltResponse:
    """Open the modal; on failure Slack shows the user an error of its own."""
    try:
        async with asyncio.timeout(TRIGGER_SECONDS):
            await client.views_open(trigger_id=trigger_id, view=job_modal.view())
    except SlackApiError as error:
        log.error("Slack rejected views.open: %s", error_code(error) or origin(error))
    except (aiohttp.ClientError, SlackClientError, OSError, TimeoutError, AttributeError) as error:
        # AttributeError: slack_sdk parses every response with status 200 as Slack's JSON.
        log.error("cannot open the modal: %s", origin(error))
    else:
        return BoltResponse(status=200, body="")
    return BoltResponse(status=HTTP_RETRY, body="")


async def _submit_modal(
    inbox_worker: InboxWorker, body: dict[str, Any], clock: Clock
) -> BoltResponse:
    """Enqueue the modal's request; the modal closes only after it is persisted."""
    if missing := job_modal.missing_inputs(body):
        return _json(job_modal.errors_response(missing))
    if await _persist(inbox_worker, job_modal.to_request(body, clock.now())):
        return BoltResponse(status=200, body="")
    return _json(job_modal.errors_response({job_modal.JOB: replies.busy().text}))


def _not_persisted(incoming: IncomingRequest) -> BoltResponse:
    """Respond when a request could not be persisted.

    Slack retries events, shows an error beside a clicked button, and shows a command's response.
    """
    if incoming.request.kind is not RequestKind.COMMAND:
        return BoltResponse(status=HTTP_RETRY, body="")
    return _json({"response_type": "ephemeral", "text": replies.busy().text})


def _json(body: dict[str, Any]) -> BoltResponse:
    headers: dict[str, str | Sequence[str]] = {"content-type": "application/json"}
    return BoltResponse(status=200, body=json.dumps(body), headers=headers)


def _fixed_authorize(
    client: AsyncWebClient, identity: dict[str, Any]
) -> Callable[..., Awaitable[AuthorizeResult]]:
    """Return an authorize function that makes no call: it uses the identity from start-up."""
    result = AuthorizeResult.from_auth_test_response(
        bot_token=client.token,
        auth_test_response=identity,
    )

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        del enterprise_id, team_id
        return result

    return authorize
