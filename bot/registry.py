"""Plugins: which are installed, the providers they bring, and what became of each."""

from __future__ import annotations

import inspect
import logging
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pluggy

from bot import hookspecs
from bot.errors import trail

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.models import Change
    from bot.provider import Provider

log = logging.getLogger(__name__)


class PluginState(StrEnum):
    """Whether a plugin can be used."""

    READY = "ready"
    DISABLED = "disabled"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """An installed plugin, and what became of it."""

    name: str
    distribution: str = ""
    version: str = ""
    state: PluginState = PluginState.READY
    why: str = ""  # it is not ready
    kinds: tuple[str, ...] = ()  # of the providers it brings


@dataclass(frozen=True)
class Plugins:
    """All plugins, the provider classes they bring, and the hooks they listen on."""

    listing: tuple[Plugin, ...]
    kinds: Mapping[str, type[Provider[Any]]]
    hooks: pluggy.PluginManager

    async def job_changed(self, change: Change) -> None:
        """Tell every listening plugin of a change; what a plugin raises is logged, no more."""
        for heard in self.hooks.hook.job_changed(change=change):
            try:
                await heard
            except Exception as error:  # noqa: BLE001  the edge of a hook
                log.error("a plugin failed to hear of %s: %s", change.ref, trail(error))


def load_plugins(disabled: Iterable[str] = ()) -> Plugins:
    """Load every installed plugin; one that is broken does not stop the others."""
    hooks = pluggy.PluginManager(hookspecs.GROUP)
    hooks.add_hookspecs(hookspecs)
    kinds: dict[str, type[Provider[Any]]] = {}
    listing = [
        _load(point, hooks, kinds, frozenset(disabled))
        for point in sorted(metadata.entry_points(group=hookspecs.GROUP), key=lambda p: p.name)
    ]
    return Plugins(tuple(listing), kinds, hooks)


def _load(
    point: metadata.EntryPoint,
    hooks: pluggy.PluginManager,
    kinds: dict[str, type[Provider[Any]]],
    disabled: frozenset[str],
) -> Plugin:
    distribution, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
    plugin = Plugin(name=point.name, distribution=distribution, version=version)
    if point.name in disabled:
        why = "switched off in the settings"
        return replace(plugin, state=PluginState.DISABLED, why=why)
    try:
        return replace(plugin, kinds=_register(point, hooks, kinds))
    except Exception as error:  # noqa: BLE001  strangers' code: the edge of a plugin
        log.error("plugin %s cannot be used: %s", point.name, trail(error))
        why = f"{type(error).__name__}: {error}"
        return replace(plugin, state=PluginState.BROKEN, why=why)


def _register(
    point: metadata.EntryPoint,
    hooks: pluggy.PluginManager,
    kinds: dict[str, type[Provider[Any]]],
) -> tuple[str, ...]:
    """Register one plugin and take in its providers; undo it when anything is wrong with it."""
    module = point.load()
    hooks.register(module, name=point.name)
    try:
        brought = _sound(module, hooks, kinds)
    except Exception:
        hooks.unregister(module)
        raise
    kinds.update(brought)
    return tuple(brought)


def _sound(
    module: Any, hooks: pluggy.PluginManager, kinds: Mapping[str, type[Provider[Any]]]
) -> dict[str, type[Provider[Any]]]:
    """Return the providers of a registered plugin; raises when anything is wrong with it."""
    _listens_asynchronously(module)
    hooks.check_pending()
    brought = {provider.kind: provider for provider in _providers_of(module)}
    if taken := sorted(brought.keys() & kinds.keys()):
        raise ValueError(f"another plugin already brings the provider {taken[0]}")
    return brought


def _listens_asynchronously(module: Any) -> None:
    hook = getattr(module, "job_changed", None)
    if hook is not None and not inspect.iscoroutinefunction(hook):
        raise TypeError("job_changed must be an `async def`")


def _providers_of(module: Any) -> list[type[Provider[Any]]]:
    hook = getattr(module, "register_providers", None)
    return list(hook()) if hook is not None else []
