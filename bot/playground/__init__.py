"""A local Slack: offline, in memory, with Slack's own limits and errors."""

from bot.playground.faults import Faults
from bot.playground.server import LocalSlack

__all__ = ["Faults", "LocalSlack"]
