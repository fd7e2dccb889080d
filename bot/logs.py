"""The log: one line an event, no stack trace, no secret, whoever writes it."""

from __future__ import annotations

import logging
import re

from bot.errors import trail

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
CHATTY = ("httpx", "alembic", "aiosqlite", "slack_bolt", "slack_sdk", "aiohttp.access")

# What is a secret by its own form: Slack's tokens, single-use socket addresses and response_urls;
# who signs in, before the @ of an address; how a header signs in.
_FORM = re.compile(
    r"(?:xoxe\.)?xox[a-z]-[\w-]+|xapp-[\w-]+|wss?://\S+"
    r"|https?://\S{0,300}?(?:hooks\.slack|/respon(?:d|se))\S*"
    r"|(?<=sql://)\S{1,300}(?=@)|(?<=://)[^\s/]{1,300}(?=@)"
    r"|(?i:bearer)\W{1,4}\S+|(?i:\bbasic)\W{1,4}(?=\S*[A-Z0-9=+/])[\w+/-]{6,}={0,2}"
)

# What is a secret by its name, as HTTP, JSON, Python, an address or a settings file write it.
_NAME = (
    r"(?:pass(?:word|wd|phrase)|secret|token|ticket|credential|signature|cookie|authorization"
    r"|(?:api|access|private)[-_]?key)"
)
_VALUE = (
    r'"(?:\\.|[^"\\])*"?|\'(?:\\.|[^\'\\])*\'?'  # in quotes, which may be cut off
    r"|\\+[\"'].*?(?:\\+[\"']|$)"  # in quotes, within quotes
    r"|[\[{][^\]}]*[\]}]?"  # several
    r"|[\w-]+ \w+=[^\s,]*(?:, *\w+=[^\s,]*)*"  # how a call is signed
    r"|[^\s&`][^\s&]*"
)
_NAMED = re.compile(
    rf"(?i:({_NAME}[\w-]{{0,40}}(?:\\*[\"'])?\s?(?:[:=]|(?<=[\"']),)\s?b?))({_VALUE})"
)


def discreet(text: str) -> str:
    """Return a text without what is a secret by its form or by its name."""
    return _FORM.sub("…", _NAMED.sub(_hidden, text))


def _hidden(found: re.Match[str]) -> str:
    """Keep a secret's name and the quotes around it."""
    name, value = found.groups()
    quotes = re.fullmatch(r"(\\*[\"']).*?(\\*[\"'])?", value, re.DOTALL)
    return f"{name}{quotes[1]}…{quotes[2] or ''}" if quotes else f"{name}…"


class Discretion(logging.Filter):
    """Takes secrets and stack traces out of a record; where it was raised stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, made discreet."""
        text = _message(record)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            text = f"{text} ({trail(error)})"
        record.msg, record.args = discreet(" ".join(text.splitlines())), ()
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
