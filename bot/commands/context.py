"""What the commands about jobs and the read-only commands work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.commands.examples import Examples
    from bot.delivery.permalinks import Workspace
    from bot.notifications.explain import Explainer
    from bot.providers.connections import Connections
    from bot.sdk.clock import Clock
    from bot.store import Store


@dataclass(frozen=True, kw_only=True)
class CommandContext:
    """The parts of the bot that answer a command."""

    store: Store
    connections: Connections
    examples: Examples
    explainer: Explainer
    clock: Clock
    slack_workspace: Workspace
    command: str  # the slash command, such as /job
