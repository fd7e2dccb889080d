"""Builds the connections of the settings; collects all configuration problems."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bot.providers import response_log
from bot.providers.connections import Connection, Connections
from bot.providers.deadline import acquire_slot
from bot.providers.plugin_loader import Plugins, load_plugins
from bot.sdk.clock import Clock, SystemClock
from bot.sdk.errors import PLUGIN_EXCEPTIONS, SettingsError, origin
from bot.sdk.fuzzy import closest_match
from bot.sdk.http import Http
from bot.sdk.settings import (
    UnreadableSecret,
    error_sentences,
    missing_secret,
    model_errors,
    read_secret_files,
    secret_fields,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.providers.plugin_thread import PluginThread
    from bot.sdk.http import Endpoint
    from bot.sdk.provider import Provider

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedProviders:
    """The plugins and connections of an installation, ready for calls."""

    plugins: Plugins
    connections: Connections


def load_providers(
    tables: Mapping[str, Mapping[str, Any]],
    disabled: Iterable[str] = (),
    clock: Clock | None = None,
    plugins: Plugins | None = None,
) -> LoadedProviders:
    """Load the plugins and build the connections; raises SettingsError with all problems.

    `tables` are the settings of the connections by name. Without `plugins` the installed ones are
    loaded, except those that are `disabled`.
    """
    plugins = plugins or load_plugins(disabled)
    connections = connect(
        tables, plugins.kinds, clock or SystemClock(), plugins.disabled, plugins.threads()
    )
    return LoadedProviders(plugins, connections)


def connect(
    tables: Mapping[str, Mapping[str, Any]],
    kinds: Mapping[str, type[Provider[Any]]],
    clock: Clock,
    disabled: Iterable[str] = (),
    threads: Mapping[str, PluginThread] | None = None,
) -> Connections:
    """Build every connection of the settings; raises SettingsError with all problems.

    `disabled` holds the names of the plugins that are switched off; `threads` maps the kinds of
    third-party plugins to their threads.
    """
    off = frozenset(disabled)
    providers: list[tuple[Provider[Any], Endpoint]] = []
    problems: list[str] = []
    for name, table in tables.items():
        try:
            if problem := _disabled_plugin(name, table, kinds, off):
                raise SettingsError([problem])  # noqa: TRY301  reported with the others
            provider = _build_provider(name, table, kinds, clock)
            providers.append((provider, provider.connect()))
        except SettingsError as error:
            problems += error.problems
        except PLUGIN_EXCEPTIONS as error:
            log.error("connection %s cannot be built: %s", name, origin(error))
            error_name = type(error).__name__
            problems.append(f"connections.{name}: its provider failed ({error_name}): see the log.")
    if problems:
        raise SettingsError(problems)
    return Connections(
        _connection(provider, endpoint, (threads or {}).get(provider.kind))
        for provider, endpoint in providers
    )


def _connection(
    provider: Provider[Any], endpoint: Endpoint, thread: PluginThread | None
) -> Connection:
    provider.http = Http(
        provider.name, endpoint, slot=acquire_slot, on_response=response_log.record
    )
    return Connection(provider, thread)


def _build_provider(
    name: str,
    table: Mapping[str, Any],
    kinds: Mapping[str, type[Provider[Any]]],
    clock: Clock,
) -> Provider[Any]:
    path = f"connections.{name}"
    kind = str(table.get("provider", ""))
    if kind not in kinds:
        raise SettingsError([_unknown_kind(path, kind, kinds)])
    provider = kinds[kind]
    raw = read_secret_files({k: v for k, v in table.items() if k != "provider"}, provider.Settings)
    problems = [f"{path}.{value}." for value in raw.values() if isinstance(value, UnreadableSecret)]
    try:
        settings = provider.Settings(**raw)
    except ValidationError as error:
        problems += _validation_problems(error, path, provider)
        problems += model_errors(error, path, provider.Settings, raw)
    if problems:
        raise SettingsError(problems) from None
    return provider(name, settings, clock)


def _disabled_plugin(
    name: str, table: Mapping[str, Any], kinds: Mapping[str, Any], off: Iterable[str]
) -> str:
    """Return a problem if the connection's plugin is switched off, else "".

    Such a plugin is not imported and its kinds are unknown, so its name is compared with the kind.
    """
    kind = str(table.get("provider", ""))
    plugin = next((each for each in off if each.replace("_", "-") == kind.replace("_", "-")), "")
    if kind in kinds or not plugin:
        return ""
    path = f"connections.{name}.provider"
    return f"{path}: {kind}: it is switched off; take {plugin} out of disabled_plugins."


def _unknown_kind(path: str, kind: str, kinds: Mapping[str, Any]) -> str:
    suggestion = closest_match(kind, kinds)
    choices = f"it can be {', '.join(sorted(kinds))}."
    hint = f"did you mean {suggestion}?" if suggestion else choices
    problem = f"there is no provider {kind!r}" if kind else "it must be set"
    return f"{path}.provider: {problem}; {hint} (`jobthread plugins` lists them.)"


def _validation_problems(
    error: ValidationError, path: str, provider: type[Provider[Any]]
) -> list[str]:
    secrets = set(secret_fields(provider.Settings))
    missing = {
        str(item["loc"][0])
        for item in error.errors(include_input=False, include_url=False)
        if item["type"] == "missing" and item["loc"] and item["loc"][0] in secrets
    }
    others = [
        s
        for s in error_sentences(error, path)
        if not any(s.startswith(f"{path}.{key} is missing") for key in missing)
    ]
    return others + [missing_secret(path, key) for key in sorted(missing)]
