"""Plugins: which are installed, the providers they bring, and what became of each."""

from __future__ import annotations

import asyncio
import inspect
import logging
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, partial
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pluggy

from bot.errors import FAULTS, trail
from bot.likeness import closest
from bot.providers import hookspecs
from bot.providers.compartment import Compartment
from bot.providers.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from bot.models import Change

log = logging.getLogger(__name__)

OWN = "jobthread"  # the distribution whose plugins run in the bot's own loop
HOOK_SECONDS = 10.0  # that a listener may take to hear of one change
MUST = ("kind", "Settings", "statuses")  # what a provider class must set


class PluginState(StrEnum):
    """Whether a plugin can be used."""

    READY = "ready"
    NOT_CONFIGURED = "not configured"  # ready, but no connection uses any of its kinds
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
    not_installed: tuple[str, ...] = ()  # names that are switched off, but no plugin has them

    @property
    def disabled(self) -> tuple[str, ...]:
        """The names of the plugins that are switched off."""
        return tuple(p.name for p in self.listing if p.state is PluginState.DISABLED)

    def listing_for(self, used: Iterable[str]) -> tuple[Plugin, ...]:
        """Return the listing, given the kinds that connections use: some plugins serve none."""
        return tuple(_as_used(plugin, frozenset(used)) for plugin in self.listing)

    def problems(self) -> list[str]:
        """Return a sentence for each name that is switched off though no plugin has it."""
        names = [plugin.name for plugin in self.listing]
        return [_no_plugin(name, closest(name, names)) for name in self.not_installed]

    async def job_changed(self, change: Change) -> None:
        """Tell every listening plugin of a change; one that raises or hangs is logged, no more."""
        for plugin in reversed(self.hooks.hook.job_changed.get_hookimpls()):
            hear: Any = partial(plugin.function, *(change for _ in plugin.argnames))
            try:
                await self._hear(plugin.plugin_name, hear)
            except FAULTS as error:
                log.error("a plugin failed to hear of %s: %s", change.ref, trail(error))

    async def _hear(self, name: str, hear: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if compartment := self._compartments.get(name):
            await compartment.run(hear, HOOK_SECONDS)
            return
        async with asyncio.timeout(HOOK_SECONDS):
            await hear()

    def compartments(self) -> dict[str, Compartment]:
        """Return the compartments of the kinds that strangers' plugins bring."""
        return {
            kind: self._compartments[plugin.name]
            for plugin in self.listing
            for kind in plugin.kinds
            if plugin.name in self._compartments
        }

    async def close(self) -> None:
        """Let the threads of strangers' plugins end."""
        for compartment in self._compartments.values():
            await compartment.close()

    @cached_property
    def _compartments(self) -> dict[str, Compartment]:
        """One for each plugin of strangers; its thread starts when something is asked of it."""
        return {p.name: Compartment(p.name) for p in self.listing if p.distribution != OWN}


def load_plugins(disabled: Iterable[str] = ()) -> Plugins:
    """Load every installed plugin; one that is broken does not stop the others."""
    off = frozenset(disabled)
    hooks = pluggy.PluginManager(hookspecs.GROUP)
    hooks.add_hookspecs(hookspecs)
    kinds: dict[str, type[Provider[Any]]] = {}
    listing = [
        _load(point, hooks, kinds, off)
        for point in sorted(metadata.entry_points(group=hookspecs.GROUP), key=lambda p: p.name)
    ]
    strange = off - {plugin.name for plugin in listing}
    return Plugins(tuple(listing), kinds, hooks, tuple(sorted(strange)))


def _as_used(plugin: Plugin, used: frozenset[str]) -> Plugin:
    idle = plugin.state is PluginState.READY and plugin.kinds and used.isdisjoint(plugin.kinds)
    return replace(plugin, state=PluginState.NOT_CONFIGURED) if idle else plugin


def _no_plugin(name: str, near: str) -> str:
    better = f"did you mean {near}?" if near else "`jobthread plugins` lists them."
    return f"disabled_plugins: there is no plugin {name!r}; {better}"


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
    except FAULTS as error:
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
    if hooks.has_plugin(point.name) or hooks.is_registered(module):
        raise ValueError("it is there already, under this name or another")
    try:
        hooks.register(module, name=point.name)
        brought = _sound(module, hooks, kinds)
    except FAULTS:
        if hooks.is_registered(module):
            hooks.unregister(module)
        raise
    kinds.update(brought)
    return tuple(brought)


def _sound(
    module: Any, hooks: pluggy.PluginManager, kinds: Mapping[str, type[Provider[Any]]]
) -> dict[str, type[Provider[Any]]]:
    """Return the providers of a registered plugin; raises when anything is wrong with it."""
    _well_marked(module, hooks)
    hooks.check_pending()
    brought = {provider.kind: provider for provider in map(_whole, _providers_of(module, hooks))}
    if taken := sorted(brought.keys() & kinds.keys()):
        raise ValueError(f"another plugin already brings the provider {taken[0]}")
    return brought


def _well_marked(module: Any, hooks: pluggy.PluginManager) -> None:
    for hook in (hooks.hook.register_providers, hooks.hook.job_changed):
        if hasattr(module, hook.name) and not _functions(hook, module):
            raise TypeError(f"{hook.name} is not marked with @hookimpl")
    if not all(map(inspect.iscoroutinefunction, _functions(hooks.hook.job_changed, module))):
        raise TypeError("job_changed must be an `async def`")


def _functions(hook: pluggy.HookCaller, module: Any) -> list[Any]:
    return [each.function for each in hook.get_hookimpls() if each.plugin is module]


def _providers_of(module: Any, hooks: pluggy.PluginManager) -> list[type[Provider[Any]]]:
    hook = hooks.hook.register_providers
    return [provider for function in _functions(hook, module) for provider in function()]


def _whole(provider: type[Provider[Any]]) -> type[Provider[Any]]:
    """Return the class if a connection can be made of it; raises TypeError."""
    name = getattr(provider, "__name__", repr(provider))
    if not (inspect.isclass(provider) and issubclass(provider, Provider)):
        raise TypeError(f"{name} is not a class of Provider")
    lacking = [each for each in MUST if not hasattr(provider, each)]
    lacking += sorted(provider.__abstractmethods__)
    if lacking:
        raise TypeError(f"{name} lacks {', '.join(lacking)}")
    return provider
