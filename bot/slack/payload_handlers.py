"""Handlers of Slack's payloads, in one routing table; each returns the acknowledgement."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.commands import replies
from bot.commands.parser import Verb
from bot.commands.request import RequestKind
from bot.sdk.cards.action_ids import ActionId
from bot.sdk.errors import StoreError, origin
from bot.slack import job_modal, settings_modal, settings_submission
from bot.slack.events import ASK_JOB, SHORTCUTS, IncomingRequest, parse_payload
from bot.slack.payloads import Payload, PayloadKind, Route, route_of
from bot.slack.web_api import error_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.commands.inbox_worker import InboxWorker
    from bot.sdk.clock import Clock
    from bot.slack.job_options import JobOptions
    from bot.slack.settings_flow import SettingsModalFlow

log = logging.getLogger(__name__)

HTTP_RETRY = 503  # HTTP status that makes Slack retry an event
TRIGGER_SECONDS = 2.5  # to open a modal; a trigger_id expires after 3

Handler = Callable[[Payload], Awaitable[BoltResponse]]


@dataclass(frozen=True)
class PayloadHandlers:
    """Enqueues requests and serves the modals."""

    client: AsyncWebClient
    inbox_worker: InboxWorker
    job_options: JobOptions
    settings_modal_flow: SettingsModalFlow
    clock: Clock

    def find(self, body: Payload) -> Handler | None:
        """Return the handler of a payload, or None if it has none."""
        route, table = route_of(body), self.table
        if route is None:
            return None
        return table.get(route) or table.get(Route(route.kind))

    @cached_property
    def table(self) -> Mapping[Route, Handler]:
        """The routing table. A route without an id serves the rest of its kind."""
        return {
            Route(PayloadKind.COMMAND): self._enqueue,
            Route(PayloadKind.COMMAND, Verb.SETTINGS): self._open_settings,
            Route(PayloadKind.EVENT): self._enqueue,
            Route(PayloadKind.MESSAGE_CLICK): self._enqueue,
            Route(PayloadKind.MESSAGE_CLICK, ActionId.SETTINGS_CHANGE): self._open_settings,
            Route(PayloadKind.MESSAGE_SHORTCUT): _acknowledge,
            **{Route(PayloadKind.MESSAGE_SHORTCUT, id_): self._enqueue for id_ in SHORTCUTS},
            Route(PayloadKind.SHORTCUT, ASK_JOB): self._open_job_modal,
            Route(PayloadKind.MODAL_OPTIONS, ASK_JOB): self._job_options,
            Route(PayloadKind.MODAL_SUBMISSION, ASK_JOB): self._submit_job,
            Route(PayloadKind.MODAL_CLICK): _acknowledge,
            Route(PayloadKind.MODAL_CLICK, settings_modal.CALLBACK_ID): self._apply_preset,
            Route(PayloadKind.MODAL_OPTIONS, settings_modal.CALLBACK_ID): self._settings_options,
            Route(PayloadKind.MODAL_SUBMISSION, settings_modal.CALLBACK_ID): self._submit_settings,
        }

    async def _enqueue(self, body: Payload) -> BoltResponse:
        """Persist a request; acknowledge a payload without one, such as our own messages."""
        incoming = parse_payload(body, self.clock.now())
        if incoming is None or await self._persist(incoming):
            return _ok()
        return _not_persisted(incoming)

    async def _persist(self, incoming: IncomingRequest) -> bool:
        try:
            await self.inbox_worker.enqueue(
                incoming.workspace, incoming.idempotency_key, incoming.request
            )
        except StoreError as error:
            log.error("cannot store a request: %s", error)
            return False
        return True

    async def _open_settings(self, body: Payload) -> BoltResponse:
        """Open the settings modal; if it does not open, the request is answered with text."""
        if await self.settings_modal_flow.open(body):
            return _ok()
        return await self._enqueue(body)

    async def _open_job_modal(self, body: Payload) -> BoltResponse:
        """Open the modal; on failure Slack shows the user an error of its own."""
        self.job_options.prefetch()
        try:
            async with asyncio.timeout(TRIGGER_SECONDS):
                await self.client.views_open(trigger_id=body["trigger_id"], view=job_modal.view())
        except SlackApiError as error:
            log.error("Slack rejected views.open: %s", error_code(error) or origin(error))
        except (
            aiohttp.ClientError,
            SlackClientError,
            OSError,
            TimeoutError,
            AttributeError,  # slack_sdk parses every response with status 200 as Slack's JSON
        ) as error:
            log.error("cannot open the modal: %s", origin(error))
        else:
            return _ok()
        return _retry()

    async def _job_options(self, body: Payload) -> BoltResponse:
        return _json(await self.job_options.options(body.get("value") or ""))

    async def _submit_job(self, body: Payload) -> BoltResponse:
        """Enqueue the modal's request; the modal closes only after it is persisted."""
        if missing := job_modal.missing_inputs(body):
            return _errors(missing)
        if await self._persist(job_modal.to_request(body, self.clock.now())):
            return _ok()
        return _errors({job_modal.JOB: replies.busy().text})

    async def _apply_preset(self, body: Payload) -> BoltResponse:
        preset = settings_submission.clicked_preset(body)
        if not preset or await self.settings_modal_flow.apply_preset(body, preset):
            return _ok()
        return _retry()

    async def _settings_options(self, body: Payload) -> BoltResponse:
        return _json(await self.settings_modal_flow.options(body))

    async def _submit_settings(self, body: Payload) -> BoltResponse:
        errors = await self.settings_modal_flow.submit(body)
        return _errors(errors) if errors else _ok()


async def _acknowledge(_: Payload) -> BoltResponse:
    return _ok()


def _not_persisted(incoming: IncomingRequest) -> BoltResponse:
    """Respond when a request could not be persisted.

    Slack retries events, shows an error beside a clicked button, and shows a command's response.
    """
    if incoming.request.kind is not RequestKind.COMMAND:
        return _retry()
    return _json({"response_type": "ephemeral", "text": replies.busy().text})


def _ok() -> BoltResponse:
    return BoltResponse(status=200, body="")


def _retry() -> BoltResponse:
    return BoltResponse(status=HTTP_RETRY, body="")


def _errors(errors: dict[str, str]) -> BoltResponse:
    return _json(job_modal.errors_response(errors))


def _json(body: dict[str, Any]) -> BoltResponse:
    headers: dict[str, str | Sequence[str]] = {"content-type": "application/json"}
    return BoltResponse(status=200, body=json.dumps(body), headers=headers)
