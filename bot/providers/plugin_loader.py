"""Loads and validates plugins."""

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

from bot.providers.plugin_thread import PluginThread
from bot.sdk import hookspecs
from bot.sdk.errors import PLUGIN_EXCEPTIONS, origin
from bot.sdk.fuzzy import closest_match
from bot.sdk.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from bot.sdk.models import Change

log = logging.getLogger(__name__)

OWN_DISTRIBUTION = "jobthread"  # its plugins run in the bot's event loop
HOOK_TIMEOUT_SECONDS = 10.0  # of one plugin's `job_changed`
REQUIRED_ATTRIBUTES = ("kind", "Settings", "statuses")  # of a provider class


class PluginState(StrEnum):
    """State of an installed plugin."""

    READY = "ready"
    NOT_CONFIGURED = "not configured"  # loaded, but no connection uses its kinds
    DISABLED = "disabled"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """An installed plugin and its state."""

    name: str
    distribution: str = ""
    version: str = ""
    state: PluginState = PluginState.READY
    reason: str = ""  # reason why it is not ready
    kinds: tuple[str, ...] = ()  # of its providers


@dataclass(frozen=True)
class Plugins:
    """All plugins, their provider classes and their hooks."""

    listing: tuple[Plugin, ...]
    kinds: Mapping[str, type[Provider[Any]]]
    hooks: pluggy.PluginManager
    not_installed: tuple[str, ...] = ()  # disabled names without a plugin

    @property
    def disabled(self) -> tuple[str, ...]:
        """The names of the plugins that are switched off."""
        return tuple(p.name for p in self.listing if p.state is PluginState.DISABLED)

    def listing_for(self, used: Iterable[str]) -> tuple[Plugin, ...]:
        """Return the listing; a plugin whose kinds no connection uses is not configured."""
        return tuple(_with_usage(plugin, frozenset(used)) for plugin in self.listing)

    def problems(self) -> list[str]:
        """Return a sentence for each disabled name that no plugin has."""
        names = [plugin.name for plugin in self.listing]
        return [_no_plugin(name, closest_match(name, names)) for name in self.not_installed]

    async def job_changed(self, change: Change) -> None:
        """Call `job_changed` of every plugin; exceptions and timeouts are only logged."""
        for plugin in reversed(self.hooks.hook.job_changed.get_hookimpls()):
            listener: Any = partial(plugin.function, *(change for _ in plugin.argnames))
            try:
                await self._run_listener(plugin.plugin_name, listener)
            except PLUGIN_EXCEPTIONS as error:
                log.error("a job_changed hook failed for %s: %s", change.ref, origin(error))

    async def _run_listener(
        self, name: str, listener: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        if thread := self._threads.get(name):
            await thread.run(listener, HOOK_TIMEOUT_SECONDS)
            return
        async with asyncio.timeout(HOOK_TIMEOUT_SECONDS):
            await listener()

    def threads(self) -> dict[str, PluginThread]:
        """Return the plugin threads by kind, of the kinds of third-party plugins."""
        return {
            kind: self._threads[plugin.name]
            for plugin in self.listing
            for kind in plugin.kinds
            if plugin.name in self._threads
        }

    async def close(self) -> None:
        """Stop the plugin threads."""
        for thread in self._threads.values():
            await thread.close()

    @cached_property
    def _threads(self) -> dict[str, PluginThread]:
        """One for each third-party plugin; it starts at the first call."""
        third_party = (p for p in self.listing if p.distribution != OWN_DISTRIBUTION)
        return {p.name: PluginThread(p.name) for p in third_party}


def load_plugins(disabled: Iterable[str] = ()) -> Plugins:
    """Load every installed plugin; a broken one does not affect the others."""
    off = frozenset(disabled)
    hooks = pluggy.PluginManager(hookspecs.GROUP)
    hooks.add_hookspecs(hookspecs)
    kinds: dict[str, type[Provider[Any]]] = {}
    listing = [
        _load(point, hooks, kinds, off)
        for point in sorted(metadata.entry_points(group=hookspecs.GROUP), key=lambda p: p.name)
    ]
    not_installed = off - {plugin.name for plugin in listing}
    return Plugins(tuple(listing), kinds, hooks, tuple(sorted(not_installed)))


def _with_usage(plugin: Plugin, used: frozenset[str]) -> Plugin:
    unused = plugin.state is PluginState.READY and plugin.kinds and used.isdisjoint(plugin.kinds)
    return replace(plugin, state=PluginState.NOT_CONFIGURED) if unused else plugin


def _no_plugin(name: str, suggestion: str) -> str:
    hint = f"did you mean {suggestion}?" if suggestion else "`jobthread plugins` lists them."
    return f"disabled_plugins: there is no plugin {name!r}; {hint}"


def _load(
    point: metadata.EntryPoint,
    hooks: pluggy.PluginManager,
    kinds: dict[str, type[Provider[Any]]],
    disabled: frozenset[str],
) -> Plugin:
    distribution, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
    plugin = Plugin(name=point.name, distribution=distribution, version=version)
    if point.name in disabled:
        reason = "switched off in the settings"
        return replace(plugin, state=PluginState.DISABLED, reason=reason)
    try:
        return replace(plugin, kinds=_register(point, hooks, kinds))
    except PLUGIN_EXCEPTIONS as error:
        log.error("plugin %s is broken: %s", point.name, origin(error))
        reason = f"{type(error).__name__}: {error}"
        return replace(plugin, state=PluginState.BROKEN, reason=reason)


def _register(
    point: metadata.EntryPoint,
    hooks: pluggy.PluginManager,
    kinds: dict[str, type[Provider[Any]]],
) -> tuple[str, ...]:
    """Register a plugin and its providers; undo the registration if the plugin is invalid."""
    module = point.load()
    if hooks.has_plugin(point.name) or hooks.is_registered(module):
        raise ValueError("it is there already, under this name or another")
    try:
        hooks.register(module, name=point.name)
        providers = _validate_plugin(module, hooks, kinds)
    except PLUGIN_EXCEPTIONS:
        if hooks.is_registered(module):
            hooks.unregister(module)
        raise
    kinds.update(providers)
    return tuple(providers)


def _validate_plugin(
    module: Any, hooks: pluggy.PluginManager, kinds: Mapping[str, type[Provider[Any]]]
) -> dict[str, type[Provider[Any]]]:
    """Return the providers of a registered plugin by kind; raises if the plugin is invalid."""
    _validate_hooks(module, hooks)
    hooks.check_pending()
    classes = map(_validate_provider, _provider_classes(module, hooks))
    providers = {provider.kind: provider for provider in classes}
    if taken := sorted(providers.keys() & kinds.keys()):
        raise ValueError(f"another plugin already brings the provider {taken[0]}")
    return providers


def _validate_hooks(module: Any, hooks: pluggy.PluginManager) -> None:
    for hook in (hooks.hook.register_providers, hooks.hook.job_changed):
        if hasattr(module, hook.name) and not _implementations(hook, module):
            raise TypeError(f"{hook.name} is not marked with @hookimpl")
    if not all(map(inspect.iscoroutinefunction, _implementations(hooks.hook.job_changed, module))):
        raise TypeError("job_changed must be an `async def`")


def _implementations(hook: pluggy.HookCaller, module: Any) -> list[Any]:
    return [each.function for each in hook.get_hookimpls() if each.plugin is module]


def _provider_classes(module: Any, hooks: pluggy.PluginManager) -> list[type[Provider[Any]]]:
    hook = hooks.hook.register_providers
    return [provider for function in _implementations(hook, module) for provider in function()]


def _validate_provider(provider: type[Provider[Any]]) -> type[Provider[Any]]:
    """Return the class if it is a complete provider; raises TypeError."""
    name = getattr(provider, "__name__", repr(provider))
    if not (inspect.isclass(provider) and issubclass(provider, Provider)):
        raise TypeError(f"{name} is not a class of Provider")
    missing = [each for each in REQUIRED_ATTRIBUTES if not hasattr(provider, each)]
    missing += sorted(provider.__abstractmethods__)
    if missing:
        raise TypeError(f"{name} lacks {', '.join(missing)}")
    return provider
