"""The log: one line an event, no stack trace, no secret, whoever writes it."""

from __future__ import annotations

import logging
import re

from bot.errors import trail

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
CHATTY = ("httpx", "alembic", "aiosqlite", "slack_bolt", "slack_sdk", "aiohttp.access")

# Slack's tokens, single-use socket addresses and response_urls; a database's password; headers
# that sign a call, as HTTP and as Python write them.
_SECRET = re.compile(
    r"(?:xoxe\.)?xox[a-z]-[\w-]+|xapp-[\w-]+|wss?://\S+"
    r"|https?://\S*(?:hooks\.slack|/respon(?:d|se))\S*|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|(?i:bearer\W{1,4}|signature\W{1,4}|(?:x-(?:auth|subject|security)|explorer)[-_]token\W{1,4})\S+"
)


class Discretion(logging.Filter):
    """Takes secrets and stack traces out of a record; where it was raised stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, made discreet."""
        text = _message(record)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            text = f"{text} ({trail(error)})"
        record.msg, record.args = _SECRET.sub("…", " ".join(text.splitlines())), ()
        record.exc_info = record.exc_text = record.stack_info = None
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001  strangers' objects, written into a log
        return f"a line that cannot be written ({type(error).__name__})"


def configure(level: int = logging.INFO) -> None:
    """Write the log to standard error; the libraries' chatter stays out of it."""
    out = logging.StreamHandler()
    out.setFormatter(logging.Formatter(FORMAT))
    out.addFilter(Discretion())
    logging.basicConfig(level=level, handlers=[out], force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
