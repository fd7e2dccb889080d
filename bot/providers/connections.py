"""Connections: the configured providers, made from the settings, with every problem told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bot.errors import FAULTS, SettingsError, trail
from bot.likeness import closest
from bot.problems import (
    Unread,
    missing_secret,
    of_the_whole,
    read_secret_files,
    secret_fields,
    sentences,
)
from bot.providers.http import Http

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bot.clock import Clock
    from bot.providers.compartment import Compartment
    from bot.providers.provider import Endpoint, Provider

log = logging.getLogger(__name__)


class Connections:
    """The configured providers by name; closes what it opened."""

    def __init__(self, providers: Iterable[Provider[Any]]) -> None:
        self._by_name = {provider.name: provider for provider in providers}

    def __iter__(self) -> Iterator[Provider[Any]]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __getitem__(self, name: str) -> Provider[Any]:
        return self._by_name[name]

    def get(self, name: str) -> Provider[Any] | None:
        """Return the connection of that name, if there is one."""
        return self._by_name.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order of the settings."""
        return tuple(self._by_name)

    async def close(self) -> None:
        """Close every connection's client."""
        for provider in self:
            if provider.compartment is None:
                await provider.http.close()
            else:
                await provider.compartment.close()


def connect(
    tables: Mapping[str, Mapping[str, Any]],
    kinds: Mapping[str, type[Provider[Any]]],
    clock: Clock,
    disabled: Iterable[str] = (),
    compartments: Mapping[str, Compartment] | None = None,
) -> Connections:
    """Make every connection that the settings name; raises SettingsError with all problems.

    `disabled` are the names of the plugins that are switched off; `compartments` are those of the
    kinds that strangers wrote.
    """
    off = frozenset(disabled)
    providers: list[tuple[Provider[Any], Endpoint]] = []
    problems: list[str] = []
    for name, table in tables.items():
        try:
            if switched_off := _switched_off(name, table, kinds, off):
                raise SettingsError([switched_off])  # noqa: TRY301  told with the others
            provider = _connection(name, table, kinds, clock)
            providers.append((provider, provider.connect()))
        except SettingsError as error:
            problems += error.problems
        except FAULTS as error:
            log.error("connection %s cannot be made: %s", name, trail(error))
            what = type(error).__name__
            problems.append(f"connections.{name}: its provider failed ({what}): see the log.")
    if problems:
        raise SettingsError(problems)
    for provider, endpoint in providers:
        provider.http = Http(provider.name, endpoint)
        if compartment := (compartments or {}).get(provider.kind):
            provider.compartment = compartment
            compartment.at_end(provider.http.close)
    return Connections(provider for provider, _ in providers)


def _connection(
    name: str,
    table: Mapping[str, Any],
    kinds: Mapping[str, type[Provider[Any]]],
    clock: Clock,
) -> Provider[Any]:
    where = f"connections.{name}"
    kind = str(table.get("provider", ""))
    if kind not in kinds:
        raise SettingsError([_unknown_kind(where, kind, kinds)])
    provider = kinds[kind]
    raw = read_secret_files({k: v for k, v in table.items() if k != "provider"}, provider.Settings)
    problems = [f"{where}.{value}." for value in raw.values() if isinstance(value, Unread)]
    try:
        settings = provider.Settings(**raw)
    except ValidationError as error:
        problems += _connection_problems(error, where, provider)
        problems += of_the_whole(error, where, provider.Settings, raw)
    if problems:
        raise SettingsError(problems) from None
    return provider(name, settings, clock)


def _switched_off(
    name: str, table: Mapping[str, Any], kinds: Mapping[str, Any], off: Iterable[str]
) -> str:
    """Return that a connection's plugin is switched off, if it is.

    Such a plugin is not imported, so its kinds are not known: it must be named as its kind is.
    """
    kind = str(table.get("provider", ""))
    plugin = next((each for each in off if each.replace("_", "-") == kind.replace("_", "-")), "")
    if kind in kinds or not plugin:
        return ""
    where = f"connections.{name}.provider"
    return f"{where}: {kind}: it is switched off; take {plugin} out of disabled_plugins."


def _unknown_kind(where: str, kind: str, kinds: Mapping[str, Any]) -> str:
    near = closest(kind, kinds)
    choice = f"did you mean {near}?" if near else f"it can be {', '.join(sorted(kinds))}."
    what = f"there is no provider {kind!r}" if kind else "it must be set"
    return f"{where}.provider: {what}; {choice} (`jobthread plugins` lists them.)"


def _connection_problems(
    error: ValidationError, where: str, provider: type[Provider[Any]]
) -> list[str]:
    secrets = set(secret_fields(provider.Settings))
    missing = {
        str(item["loc"][0])
        for item in error.errors(include_input=False, include_url=False)
        if item["type"] == "missing" and item["loc"] and item["loc"][0] in secrets
    }
    told = [
        s
        for s in sentences(error, where)
        if not any(s.startswith(f"{where}.{key} is missing") for key in missing)
    ]
    return told + [missing_secret(where, key) for key in sorted(missing)]
