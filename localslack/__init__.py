"""A local Slack: offline, in memory, with Slack's own limits and errors."""

from localslack.server import LocalSlack
from localslack.state.faults import Faults
from localslack.state.messages import Message
from localslack.state.timing import Timing

__all__ = ["Faults", "LocalSlack", "Message", "Timing"]
