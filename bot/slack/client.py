"""Web API client, auth.test at start-up, token scopes."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery.transport import HTTP_TIMEOUT_SECONDS
from bot.sdk.backoff import JITTER, Jitter, backoff
from bot.sdk.errors import SlackRejected, SlackUnconfirmed
from bot.slack.proxy import proxy_for
from bot.slack.web_api import TRANSIENT_ERRORS, error_code, parse_retry_after

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bot.sdk.clock import Clock
    from bot.settings import Settings

log = logging.getLogger(__name__)

WebClient = AsyncWebClient  # for annotations outside of this package

TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS
RETRIES = 6  # of auth.test
RETRY_SECONDS = 0.25  # at most, before the first retry
MAX_RETRY_SECONDS = 8.0
UNREACHABLE = (
    "Slack cannot be reached: check slack.api_url, and that this machine may call it; a proxy is"
    " named in HTTPS_PROXY."
)
SCOPES_HEADER = "x-oauth-scopes"  # header of every response


def client_session() -> aiohttp.ClientSession:
    """Return the session for all calls to Slack, with its timeout."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=HTTP_TIMEOUT_SECONDS))


def web_client(settings: Settings, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Return the Web API client, without retries: only the outbox retries."""
    client = AsyncWebClient(
        token=secret_value(settings.slack.bot_token),
        base_url=settings.slack.api_url,
        session=session,
        retry_handlers=[],
        timeout=int(HTTP_TIMEOUT_SECONDS),
    )
    client.proxy = proxy_for(settings.slack.api_url)  # replaces the one that the client detected
    return client


async def connect(client: AsyncWebClient, clock: Clock, jitter: Jitter = JITTER) -> dict[str, Any]:
    """Call auth.test, with retries for transient errors of Slack."""
    for attempt in range(RETRIES):
        try:
            return await auth_test(client)
        except SlackUnconfirmed as error:
            delay = backoff(attempt, RETRY_SECONDS, MAX_RETRY_SECONDS, jitter)
            wait = max(delay, _retry_after(error.__cause__))
            log.warning("%s Retrying in %.1f s.", error, wait)
        await clock.sleep(wait)
    return await auth_test(client)


async def auth_test(client: AsyncWebClient) -> dict[str, Any]:
    """Call auth.test; raises SlackRejected, or SlackUnconfirmed for a transient error."""
    try:
        response = await client.auth_test()
    except SlackApiError as error:
        code = error_code(error)
        if error.response.status_code != HTTPStatus.OK or code in TRANSIENT_ERRORS:
            raise SlackUnconfirmed("Slack is in trouble.") from error
        raise SlackRejected(_token_error(code), code=code) from error
    except aiohttp.ClientConnectorError as error:
        raise SlackRejected(UNREACHABLE, code="unreachable") from error
    except (aiohttp.ClientError, SlackClientError, OSError, AttributeError) as error:
        # AttributeError: slack_sdk parses every response with status 200 as Slack's JSON.
        raise SlackUnconfirmed("Slack did not answer.") from error
    return dict(response.data) if isinstance(response.data, dict) else {}


def _retry_after(error: BaseException | None) -> float:
    """Return the seconds of Retry-After for a 429, else 0."""
    if isinstance(error, SlackApiError) and error.response.status_code == TOO_MANY:
        return parse_retry_after(error.response.headers)
    return 0.0


async def token_scopes(client: AsyncWebClient) -> frozenset[str] | None:
    """Return the scopes of the bot's token, or None if Slack does not report them."""
    try:
        response = await client.auth_test()
    except (aiohttp.ClientError, SlackClientError, OSError, AttributeError):
        return None
    listed = {name.lower(): value for name, value in response.headers.items()}.get(SCOPES_HEADER)
    return None if listed is None else frozenset(re.findall(r"[^\s,]+", str(listed)))


def _token_error(code: str) -> str:
    if not code:
        return "What answers at slack.api_url is not Slack: check the address."
    return (
        f"Slack does not accept the bot's token ({code}): copy it again from"
        " OAuth & Permissions in the app's settings."
    )


def secret_value(secret: SecretStr | None) -> str:
    """Return the secret's value, or "" if there is none."""
    return secret.get_secret_value() if secret is not None else ""


async def check_app_token(client: AsyncWebClient, token: str) -> None:
    """Call apps.connections.open to check the app token; raises SlackRejected."""
    try:
        await client.apps_connections_open(app_token=token)
    except SlackApiError as error:
        code = error_code(error)
        raise SlackRejected(
            f"Slack refuses the app token ({code or 'no word why'}): make one with"
            " connections:write under Basic Information in the app's settings.",
            code=code,
        ) from error
    except (aiohttp.ClientError, SlackClientError, OSError) as error:
        raise SlackRejected(UNREACHABLE, code="unreachable") from error
