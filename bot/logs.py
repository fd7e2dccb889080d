"""Log set-up: one line per record, without stack traces; redacts secrets."""

from __future__ import annotations

import logging
import re

from bot.sdk.errors import origin

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
VERBOSE_LOGGERS = ("httpx", "alembic", "aiosqlite", "slack_bolt", "slack_sdk", "aiohttp.access")

# Secrets recognised by their form: Slack tokens, single-use WebSocket URLs and response_urls,
# user info before the @ of a URL, Bearer and Basic headers.
_BY_FORM = re.compile(
    r"(?:xoxe\.)?xox[a-z]-[\w-]+|xapp-[\w-]+|wss?://\S+"
    r"|https?://\S{0,300}?(?:hooks\.slack|/respon(?:d|se))\S*"
    r"|(?<=sql://)\S{1,300}(?=@)|(?<=://)[^\s/]{1,300}(?=@)"
    r"|(?i:bearer)\W{1,4}\S+|(?i:\bbasic)\W{1,4}(?=\S*[A-Z0-9=+/])[\w+/-]{6,}={0,2}"
)

# Secrets recognised by their name, as HTTP, JSON, Python, a URL or a settings file write it.
_KEYWORD = (
    r"(?:pass(?:word|wd|phrase)|secret|token|ticket|credential|signature|cookie|authorization"
    r"|(?:api|access|private)[-_]?key)"
)
_VALUE = (
    r'"(?:\\.|[^"\\])*"?|\'(?:\\.|[^\'\\])*\'?'  # quoted; the end may be cut off
    r"|\\+[\"'].*?(?:\\+[\"']|$)"  # escaped quotes
    r"|[\[{][^\]}]*[\]}]?"  # a list
    r"|[\w-]+ \w+=[^\s,]*(?:, *\w+=[^\s,]*)*"  # the parameters of a signature
    r"|[^\s&`][^\s&]*"
)
_BY_NAME = re.compile(
    rf"(?i:({_KEYWORD}[\w-]{{0,40}}(?:\\*[\"'])?\s?(?:[:=]|(?<=[\"']),)\s?b?))({_VALUE})"
)


def redact(text: str) -> str:
    """Replace secrets in a text with "…"."""
    return _BY_FORM.sub("…", _BY_NAME.sub(_redacted, text))


def _redacted(found: re.Match[str]) -> str:
    """Keep the secret's name and quotes."""
    name, value = found.groups()
    quotes = re.fullmatch(r"(\\*[\"']).*?(\\*[\"'])?", value, re.DOTALL)
    return f"{name}{quotes[1]}…{quotes[2] or ''}" if quotes else f"{name}…"


class RedactingFilter(logging.Filter):
    """Removes secrets and stack traces from a record; keeps the origin of its error."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact a record; let every record pass."""
        text = _message(record)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            text = f"{text} ({origin(error)})"
        record.msg, record.args = redact(" ".join(text.splitlines())), ()
        record.exc_info = record.exc_text = record.stack_info = None
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001  an argument may be any object
        return f"unformattable log record ({type(error).__name__})"


def configure(level: int = logging.INFO) -> None:
    """Log to standard error; libraries log warnings only."""
    out = logging.StreamHandler()
    out.setFormatter(logging.Formatter(FORMAT))
    out.addFilter(RedactingFilter())
    logging.basicConfig(level=level, handlers=[out], force=True)
    for name in VERBOSE_LOGGERS:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
