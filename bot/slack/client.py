"""The client of Slack's Web API, and the first words with it: who are we, may we connect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SlackRefused
from bot.outlet import HTTP_SECONDS

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bot.settings import Settings


def client_session() -> aiohttp.ClientSession:
    """Return the one session for all calls to Slack, with its time-outs."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=HTTP_SECONDS))


def web_client(settings: Settings, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Return the Web API client; nothing is sent again behind the outbox's back."""
    return AsyncWebClient(
        token=revealed(settings.slack.bot_token),
        base_url=settings.slack.api_url,
        session=session,
        retry_handlers=[],
        timeout=int(HTTP_SECONDS),
    )


async def hello(client: AsyncWebClient) -> dict[str, Any]:
    """Ask Slack who we are; raises SlackRefused."""
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        code = str(error.response.get("error", ""))
        raise SlackRefused(f"Slack does not accept the bot's token ({code}).", code=code) from error
    except (aiohttp.ClientError, SlackClientError, OSError, TimeoutError) as error:
        raise SlackRefused("Slack cannot be reached.", code="unreachable") from error
    return dict(answer.data) if isinstance(answer.data, dict) else {}


def revealed(secret: SecretStr | None) -> str:
    """Return a secret for the one call that needs it."""
    return secret.get_secret_value() if secret is not None else ""


async def try_app_token(client: AsyncWebClient, token: str) -> None:
    """Ask for a Socket Mode connection, without using it; raises SlackRefused."""
    try:
        await client.apps_connections_open(app_token=token)
    except SlackApiError as error:
        code = str(error.response.get("error", ""))
        raise SlackRefused(f"Slack refuses the app token ({code}).", code=code) from error
    except (aiohttp.ClientError, SlackClientError, OSError) as error:
        raise SlackRefused("Slack cannot be reached.", code="unreachable") from error
