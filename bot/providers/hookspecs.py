"""The two hooks: providers are collected once; changes are heard by all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.models import Change
    from bot.providers.provider import Provider

GROUP = "jobthread"  # of the hooks, and of the entry points that bring plugins in

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def register_providers() -> Iterable[type[Provider[Any]]]:  # type: ignore[empty-body]
    """Return the provider classes that this plugin brings; the answers of all are joined."""


@hookspec
async def job_changed(change: Change) -> None:
    """Hear of a change after the thread was told; every plugin hears it, errors are logged."""
