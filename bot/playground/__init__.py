"""A Slack of one's own: offline, in memory, as strict as the real one."""

from bot.playground.faults import Faults
from bot.playground.server import LocalSlack

__all__ = ["Faults", "LocalSlack"]
