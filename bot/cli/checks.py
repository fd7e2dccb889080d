"""`jobthread check`: tests the settings, the store, Slack's tokens and each connection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.providers import fetch
from bot.providers.outside import outside
from bot.sdk.errors import FAULTS, JobthreadError, SettingsError, StoreError, StoreInUse
from bot.slack.client import (
    client_session,
    hello,
    revealed,
    scopes,
    try_app_token,
    web_client,
)
from bot.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.providers.connections import Connections
    from bot.settings import Settings

CONNECTION_TIMEOUT_SECONDS = 20.0
SETTINGS = "settings"  # the subject of problems that only a change of settings can fix
ADMIN_SCOPE = "users:read"


@dataclass(frozen=True)
class Finding:
    """One line of output: what was checked, whether it works, and a sentence."""

    what: str
    works: bool
    sentence: str


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """Check everything that the settings configure, one after another."""
    yield await _store(settings)
    async for finding in _slack(settings):
        yield finding
    try:
        loaded = outside(settings)
    except SettingsError as error:
        for problem in error.problems:
            yield Finding(SETTINGS, works=False, sentence=problem)
        return
    for problem in [*loaded.plugins.problems(), *await fetch.rehearsed(loaded.connections)]:
        yield Finding(SETTINGS, works=False, sentence=problem)
    async for finding in _connections(loaded.connections):
        yield finding


async def _store(settings: Settings) -> Finding:
    try:
        store = Store(settings.store.url)
    except StoreError as error:
        return Finding("store", works=False, sentence=str(error))
    try:
        await store.open()
        async with store.begin() as tx:
            await tx.inbox.next_due()
    except StoreInUse:
        return Finding("store", works=True, sentence="The database is in use by a running bot.")
    except JobthreadError as error:
        return Finding("store", works=False, sentence=str(error))
    finally:
        await store.close()
    return Finding("store", works=True, sentence="The database opens, and its tables are current.")


async def _slack(settings: Settings) -> AsyncIterator[Finding]:
    if problems := settings.slack.problems():
        for problem in problems:
            yield Finding("slack", works=False, sentence=problem)
        return
    async with client_session() as session:
        client = web_client(settings, session)
        yield await _bot_token(client)
        for sentence in await _missing_scopes(client, settings):
            yield Finding("slack", works=False, sentence=sentence)
        if settings.slack.mode == "socket":
            yield await _app_token(client, revealed(settings.slack.app_token))


async def _bot_token(client: AsyncWebClient) -> Finding:
    try:
        identity = await hello(client)
    except JobthreadError as error:
        return Finding("slack", works=False, sentence=str(error))
    sentence = f"The bot is {identity.get('user')} in {identity.get('team')}."
    return Finding("slack", works=True, sentence=sentence)


async def _missing_scopes(client: AsyncWebClient, settings: Settings) -> list[str]:
    """Return a sentence for each scope that the settings require and the token lacks."""
    granted = await scopes(client) if settings.notify.who_may_change == "admins" else None
    if granted is None or ADMIN_SCOPE in granted:
        return []
    needs = f'The token lacks {ADMIN_SCOPE}, which notify.who_may_change = "admins" needs:'
    return [f"{needs} paste manifest.yml again and reinstall the app."]


async def _app_token(client: AsyncWebClient, token: str) -> Finding:
    try:
        await try_app_token(client, token)
    except JobthreadError as error:
        return Finding("slack", works=False, sentence=str(error))
    return Finding("slack", works=True, sentence="The app token opens Socket Mode.")


async def _connections(connections: Connections) -> AsyncIterator[Finding]:
    if not connections:
        yield Finding("connections", works=False, sentence="None is set: add one to the settings.")
    try:
        for provider in connections:
            yield await _connection(provider)
    finally:
        await connections.close()


async def _connection(provider: Any) -> Finding:
    what = f"connection {provider.name}"
    try:
        async with asyncio.timeout(CONNECTION_TIMEOUT_SECONDS):
            return Finding(what, works=True, sentence=await fetch.run(provider, provider.check))
    except JobthreadError as error:
        return Finding(what, works=False, sentence=str(error))
    except TimeoutError:
        sentence = (
            f"It did not answer within {CONNECTION_TIMEOUT_SECONDS:.0f} s."
            " Check its address, and that it can be reached from this machine."
        )
        return Finding(what, works=False, sentence=sentence)
    except FAULTS as error:
        sentence = f"The provider {provider.kind} itself failed ({type(error).__name__})."
        return Finding(what, works=False, sentence=sentence)
