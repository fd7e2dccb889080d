"""`jobthread check`: tests the settings, the store, Slack's tokens and each connection."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from bot import logs
from bot.cli.configuration import valid_settings
from bot.cli.options import EXIT_BAD_SETTINGS, EXIT_FAILED
from bot.cli.runtime import run
from bot.providers.connection_builder import load_providers
from bot.sdk.errors import PLUGIN_EXCEPTIONS, JobthreadError, SettingsError, StoreError, StoreInUse
from bot.slack.client import (
    WebClient,
    auth_test,
    check_app_token,
    client_session,
    secret_value,
    token_scopes,
    web_client,
)
from bot.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.providers.connections import Connection, Connections
    from bot.settings import Settings

CONNECTION_TIMEOUT_SECONDS = 20.0
SETTINGS = "settings"  # the subject of problems that only a change of settings can fix
ADMIN_SCOPE = "users:read"


@dataclass(frozen=True)
class CheckResult:
    """One line of output: what was checked, whether it works, and a sentence."""

    subject: str
    ok: bool
    sentence: str


def check(config: Path | None) -> None:
    """Print a line for each check; exit 1 or 2 if one fails."""
    logs.configure(level=logging.ERROR)
    run(_print_checks(valid_settings(config)))


async def _print_checks(settings: Settings) -> None:
    code = 0
    typer.echo("ok      settings: They are read.")
    async for finding in run_checks(settings):
        if not finding.ok:
            code = max(code, EXIT_BAD_SETTINGS if finding.subject == SETTINGS else EXIT_FAILED)
        typer.echo(f"{'ok' if finding.ok else 'FAILED':<7} {finding.subject}: {finding.sentence}")
    if code:
        raise typer.Exit(code)


async def run_checks(settings: Settings) -> AsyncIterator[CheckResult]:
    """Check everything that the settings configure, one after another."""
    yield await _store(settings)
    async for finding in _slack(settings):
        yield finding
    try:
        loaded = load_providers(settings.connections, settings.disabled_plugins)
    except SettingsError as error:
        for problem in error.problems:
            yield CheckResult(SETTINGS, ok=False, sentence=problem)
        return
    for problem in [*loaded.plugins.problems(), *await loaded.connections.validate_settings()]:
        yield CheckResult(SETTINGS, ok=False, sentence=problem)
    async for finding in _connections(loaded.connections):
        yield finding


async def _store(settings: Settings) -> CheckResult:
    try:
        store = Store(settings.store.url)
    except StoreError as error:
        return CheckResult("store", ok=False, sentence=str(error))
    try:
        await store.open()
        async with store.begin() as tx:
            await tx.inbox.next_due()
    except StoreInUse:
        return CheckResult("store", ok=True, sentence="The database is in use by a running bot.")
    except JobthreadError as error:
        return CheckResult("store", ok=False, sentence=str(error))
    finally:
        await store.close()
    return CheckResult("store", ok=True, sentence="The database opens, and its tables are current.")


async def _slack(settings: Settings) -> AsyncIterator[CheckResult]:
    if problems := settings.slack.problems():
        for problem in problems:
            yield CheckResult("slack", ok=False, sentence=problem)
        return
    async with client_session() as session:
        client = web_client(settings, session)
        yield await _bot_token(client)
        for sentence in await _missing_scopes(client, settings):
            yield CheckResult("slack", ok=False, sentence=sentence)
        if settings.slack.mode == "socket":
            yield await _app_token(client, secret_value(settings.slack.app_token))


async def _bot_token(client: WebClient) -> CheckResult:
    try:
        identity = await auth_test(client)
    except JobthreadError as error:
        return CheckResult("slack", ok=False, sentence=str(error))
    sentence = f"The bot is {identity.get('user')} in {identity.get('team')}."
    return CheckResult("slack", ok=True, sentence=sentence)


async def _missing_scopes(client: WebClient, settings: Settings) -> list[str]:
    """Return a sentence for each scope that the settings require and the token lacks."""
    granted = await token_scopes(client) if settings.notify.who_may_change == "admins" else None
    if granted is None or ADMIN_SCOPE in granted:
        return []
    needs = f'The token lacks {ADMIN_SCOPE}, which notify.who_may_change = "admins" needs:'
    return [f"{needs} paste manifest.yml again and reinstall the app."]


async def _app_token(client: WebClient, token: str) -> CheckResult:
    try:
        await check_app_token(client, token)
    except JobthreadError as error:
        return CheckResult("slack", ok=False, sentence=str(error))
    return CheckResult("slack", ok=True, sentence="The app token opens Socket Mode.")


async def _connections(connections: Connections) -> AsyncIterator[CheckResult]:
    if not connections:
        yield CheckResult("connections", ok=False, sentence="None is set: add one to the settings.")
    try:
        for connection in connections:
            yield await _connection(connection)
    finally:
        await connections.close()


async def _connection(connection: Connection) -> CheckResult:
    what = f"connection {connection.name}"
    try:
        async with asyncio.timeout(CONNECTION_TIMEOUT_SECONDS):
            return CheckResult(what, ok=True, sentence=await connection.check())
    except JobthreadError as error:
        return CheckResult(what, ok=False, sentence=str(error))
    except TimeoutError:
        sentence = (
            f"It did not answer within {CONNECTION_TIMEOUT_SECONDS:.0f} s."
            " Check its address, and that it can be reached from this machine."
        )
        return CheckResult(what, ok=False, sentence=sentence)
    except PLUGIN_EXCEPTIONS as error:
        sentence = f"The provider {connection.kind} itself failed ({type(error).__name__})."
        return CheckResult(what, ok=False, sentence=sentence)
