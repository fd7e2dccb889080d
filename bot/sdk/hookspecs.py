"""pluggy hook specifications: one registers providers, one listens to job changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.sdk.models import Change
    from bot.sdk.provider import Provider

GROUP = "jobthread"  # name of the pluggy project and of the entry point group

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def register_providers() -> Iterable[type[Provider[Any]]]:  # type: ignore[empty-body]
    """Return the provider classes of this plugin; the results of all plugins are joined."""


@hookspec
async def job_changed(change: Change) -> None:
    """Handle a change of a followed job, after its threads are updated; errors are logged."""
