"""Builds configured connections; collects all configuration problems."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

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
    from collections.abc import Iterable, Iterator, Mapping

    from bot.providers.plugin_thread import PluginThread
    from bot.sdk.clock import Clock
    from bot.sdk.provider import Endpoint, Provider

log = logging.getLogger(__name__)


class Connections:
    """The configured connections by name."""

    def __init__(self, providers: Iterable[Provider[Any]]) -> None:
        self._by_name = {provider.name: provider for provider in providers}

    def __iter__(self) -> Iterator[Provider[Any]]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __getitem__(self, name: str) -> Provider[Any]:
        return self._by_name[name]

    def get(self, name: str) -> Provider[Any] | None:
        """Return the connection of this name, or None."""
        return self._by_name.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order of the settings."""
        return tuple(self._by_name)

    async def close(self) -> None:
        """Close the HTTP clients and stop the plugin threads."""
        for provider in self:
            if provider.thread is None:
                await provider.http.close()
            else:
                await provider.thread.close()


def connect(
    tables: Mapping[str, Mapping[str, Any]],
    kinds: Mapping[str, type[Provider[Any]]],
    clock: Clock,
    disabled: Iterable[str] = (),
    threads: Mapping[str, PluginThread] | None = None,
) -> Connections:
    """Build every connection of the settings; raises SettingsError with all problems.

    `disabled` holds the names of the plugins that are switched off; `compartments` maps the kinds
    of third-party plugins to their threads.
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
    for provider, endpoint in providers:
        provider.http = Http(provider.name, endpoint)
        if thread := (threads or {}).get(provider.kind):
            provider.thread = thread
            thread.on_close(provider.http.close)
    return Connections(provider for provider, _ in providers)


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
