"""The log: one line an event, no stack trace, no secret, whoever writes it."""

from __future__ import annotations

import logging
import re

from bot.errors import trail

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

# Slack's tokens, single-use socket addresses and response_urls; bearer tokens; signatures.
_SECRET = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|wss?://\S+|https?://\S*(?:hooks\.slack|/response)\S*"
    r"|(?i:bearer|signature=|x-auth-token[:=]|explorer_token=)\s*\S+"
)


class Discretion(logging.Filter):
    """Takes secrets and stack traces out of a record; where it was raised stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, made discreet."""
        text = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            text = f"{text} ({trail(error)})"
        record.msg, record.args = _SECRET.sub("…", text), ()
        record.exc_info = record.exc_text = record.stack_info = None
        return True


def configure(level: int = logging.INFO) -> None:
    """Write the log to standard error; the libraries' chatter stays out of it."""
    out = logging.StreamHandler()
    out.setFormatter(logging.Formatter(FORMAT))
    out.addFilter(Discretion())
    logging.basicConfig(level=level, handlers=[out], force=True)
    for name in ("httpx", "alembic", "aiosqlite", "slack_bolt", "slack_sdk", "aiohttp.access"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
