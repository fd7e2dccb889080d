"""Bolt app with one global middleware: each request is persisted before it is acknowledged.

Bolt acknowledges events before their listener runs, polls for a listener's ack, and loses the ack
when a listener raises. Therefore the app has no listeners. The middleware runs after Bolt's checks
of signature and sender, and its response is the acknowledgement.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.payload_handlers import PayloadHandlers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.commands.inbox_worker import InboxWorker
    from bot.sdk.clock import Clock
    from bot.slack.job_options import JobOptions
    from bot.slack.settings_flow import SettingsModalFlow


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

    handlers = PayloadHandlers(client, inbox_worker, job_options, settings_modal_flow, clock)

    async def route_middleware(body: dict[str, Any], next: Callable[[], Awaitable[Any]]) -> Any:  # noqa: A002
        """Run the payload's handler; pass payloads without one to Bolt."""
        handler = handlers.find(body)
        return await (handler(body) if handler else next())

    app.middleware(route_middleware)
    return app


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
