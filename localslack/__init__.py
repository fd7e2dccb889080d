"""A local Slack: offline, in memory, with Slack's own limits and errors."""

from localslack.server import LocalSlack
from localslack.state.faults import Faults

__all__ = ["Faults", "LocalSlack"]
