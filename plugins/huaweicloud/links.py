"""Job ids in URLs that people paste; it is `bot.links`, under the name by which it was known."""

from bot.links import found

__all__ = ["found"]
