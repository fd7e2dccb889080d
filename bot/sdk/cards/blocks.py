"""Block Kit builders: plain dicts that stay within Slack's limits for any text. Pure.

Limits: https://docs.slack.dev/reference/block-kit/blocks. Text length is counted in UTF-16 code
units, the strictest way in which Slack may count. Put untrusted text into `plain`, `text`,
`preformatted` and cells, which Slack never parses; in mrkdwn, pass it through `escape` or `code`.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.sdk import formatting
from bot.sdk.cards.message_size import json_size
from bot.sdk.models import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

Block = dict[str, Any]

MAX_BLOCKS = 50
MAX_TEXT = 3_000
PLACEHOLDER = "—"  # shown instead of empty text

# C0 and C1 controls except \n and \t, bidirectional overrides and isolates, lone surrogates.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NEWLINES = re.compile("\r\n?|[\u0085\u2028\u2029]")
_PARTIAL_TOKEN = re.compile(r"(<[^<>]*|&[a-z]{0,3})\Z")
# Marks format only at the edge of a word, not inside one as in VMAPP_UPGRADE_002.
_MARK = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])|`")
_EMOJI = re.compile(r":(?=[\w+'-]*[^\W\d][\w+'-]*:)")  # :smile:, but not the :30: of 12:30:45
_QUOTE = re.compile(r"^>", re.MULTILINE)
_TICK = "\u02cb"  # looks like `
_LOOKALIKES = {"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": _TICK}
_COLON, _ANGLE = "\u2236", "\u203a"  # look like : and >
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_UNSAFE_IN_URL = re.compile(
    '[\\s<>|"`\\\\\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]'
)


def clean(text: str) -> str:
    """Return text without control characters, bidirectional overrides and lone surrogates."""
    if text.isprintable() and text.isascii():
        return text
    return _INVISIBLE.sub("", _NEWLINES.sub("\n", text))


def one_line(text: str) -> str:
    """Return clean text; each run of white space becomes one space."""
    return " ".join(clean(text).split())


def is_visible(text: str) -> bool:
    """Whether the text has any visible character."""
    if text.isprintable():
        return bool(text.strip())
    return any(letter.isprintable() and not letter.isspace() for letter in text)


def length(text: str) -> int:
    """Return the length in UTF-16 code units."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clip(text: str, limit: int) -> str:
    """Return at most `limit` units of the text; a shortened text ends with "…"."""
    if length(text) <= limit:
        return text
    remaining, kept = limit - 1, 0
    for letter in text:
        remaining -= 2 if letter > "\uffff" else 1
        if remaining < 0:
            break
        kept += 1
    return text[:kept].rstrip(" \n\u200d") + "…"


def tail(text: str, *, lines: int = 25, limit: int = 2_500) -> str:
    """Return the end of a log; a shortened log starts with "…"."""
    whole = clean(text).strip("\n").rstrip()
    kept = "\n".join(whole.split("\n")[-lines:])
    while length(kept) > limit - 2:
        kept = kept[max(1, (length(kept) - limit + 2) // 2) :]
    return kept if kept == whole else f"…\n{kept}"


def escape(text: str, limit: int = MAX_TEXT) -> str:
    """Return untrusted text escaped for mrkdwn: without mentions or formatting.

    Slack cannot show a literal *, _, ~ or ` at the edge of a word; a similar character replaces it.
    """
    unformatted = _MARK.sub(lambda mark: _LOOKALIKES[mark[0]], clean(text))
    return _entities(_QUOTE.sub(_ANGLE, _EMOJI.sub(_COLON, unformatted)), limit)


def _entities(content: str, limit: int, cut: Callable[[str, int], str] = clip) -> str:
    """Replace & < > by entities; cut the text first so that the entities fit and stay whole."""
    for content_limit in (limit, limit - limit // 4, limit // 2, limit // 5):
        written = cut(content, content_limit).translate(_ENTITIES)
        if length(written) <= limit:
            return written
    return "…"


def code(text: str, limit: int = 300) -> str:
    """Return untrusted text as inline code in mrkdwn, on one line."""
    inside = _entities(one_line(text).replace("`", _TICK), limit - 2)
    return f"`{inside}`" if is_visible(inside) else PLACEHOLDER


def web_address(url: str | None) -> str | None:
    """Return the URL if it is a safe http(s) URL that Slack accepts as a link, else None."""
    if not url or json_size(url) > MAX_TEXT or _UNSAFE_IN_URL.search(url):
        return None
    try:
        parts = urlsplit(url)
        clean_host = bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and clean_host else None


def date(moment: datetime, fmt: str = "{date_short_pretty} at {time}") -> str:
    """Return mrkdwn for a time in the reader's time zone; the fallback is English, in UTC."""
    return f"<!date^{int(moment.timestamp())}^{fmt}|{formatting.utc_time(moment)}>"


def mention(id_: str) -> str:
    """Return mrkdwn that mentions a user, or a user group if the id begins with S."""
    if not re.fullmatch(r"[A-Za-z0-9_]{1,40}", id_):
        return ""
    return f"<!subteam^{id_}>" if id_.startswith("S") else f"<@{id_}>"


def plain(text: str, limit: int = MAX_TEXT) -> Block:
    """Return untrusted text as a plain_text object; Slack does not parse it, not even :emoji:."""
    kept = clip(clean(text), limit)
    return {"type": "plain_text", "text": kept if is_visible(kept) else PLACEHOLDER, "emoji": False}


def mrkdwn(text: str, limit: int = MAX_TEXT) -> Block:
    """Return a mrkdwn object; untrusted parts must be escaped already. Tokens are never cut."""
    if length(text) > limit:
        text = _PARTIAL_TOKEN.sub("", clip(text, limit)[:-1]) + "…"
    return {"type": "mrkdwn", "text": text if is_visible(text) else PLACEHOLDER, "verbatim": True}


def header(text: str) -> Block:
    """Return a header block of one line."""
    return {"type": "header", "text": plain(one_line(text), 150)}


def section(text: str | Block) -> Block:
    """Return a section: mrkdwn as a string, or a text object from `plain`."""
    return {"type": "section", "text": mrkdwn(text) if isinstance(text, str) else text}


def fields(pairs: Sequence[tuple[str, str]]) -> list[Block]:
    """Return sections of two columns: untrusted labels above values in mrkdwn."""
    shown = [mrkdwn(f"*{escape(one_line(name), 60)}*\n{value}", 2_000) for name, value in pairs]
    chunks = [shown[first : first + 10] for first in range(0, len(shown), 10)]
    return [{"type": "section", "fields": chunk} for chunk in chunks]


def context(*texts: str | Block) -> Block:
    """Return a context block: mrkdwn strings, or text objects from `plain`."""
    elements = [mrkdwn(text) if isinstance(text, str) else text for text in texts]
    return {"type": "context", "elements": elements[:10] or [plain("")]}


def divider() -> Block:
    """Return a divider."""
    return {"type": "divider"}


def confirm(title: str, text: str, *, yes: str, no: str) -> Block:
    """Return the confirmation dialog of a button."""
    return {
        "title": plain(title, 100),
        "text": plain(text, 300),
        "confirm": plain(yes, 30),
        "deny": plain(no, 30),
    }


def button(
    label: str,
    action_id: str,
    *,
    value: str = "",
    url: str | None = None,
    style: str | None = None,
    confirm: Block | None = None,
) -> Block:
    """Return a button; `style` is "primary" or "danger"; an unsafe URL is left out."""
    optional = {"url": web_address(url), "style": style, "confirm": confirm, "value": value[:2_000]}
    kept = {name: given for name, given in optional.items() if given}
    return {"type": "button", "text": plain(label, 75), "action_id": action_id[:255], **kept}


def overflow(action_id: str, options: Sequence[tuple[str, str]]) -> Block:
    """Return an overflow menu of one to five pairs of label and value."""
    shown = [{"text": plain(label, 75), "value": value[:150]} for label, value in options[:5]]
    return {"type": "overflow", "action_id": action_id[:255], "options": shown}


def actions(elements: Iterable[Block]) -> list[Block]:
    """Return an actions block of buttons and menus, or no block without any."""
    kept = list(elements)[:25]
    return [{"type": "actions", "elements": kept}] if kept else []


def paragraphs(lines: Iterable[str]) -> list[Block]:
    """Return the lines in section blocks of at most 3,000 characters."""
    shown: list[str] = []
    for line in lines:
        if shown and length(shown[-1]) + length(line) < 2_900:
            shown[-1] += "\n" + line
        else:
            shown.append(line)
    return [section(text) for text in shown]


def text_message(text: str, *buttons: Block) -> Message:
    """Return a message of one mrkdwn text and buttons; untrusted parts must be escaped already."""
    return Message(text=text, blocks=(section(text), *actions(buttons)))


def text(content: str, *, limit: int = MAX_TEXT, **style: bool) -> Block:
    """Return a rich text element, not parsed; styles are bold, italic, strike and code."""
    kept = clip(clean(content), limit) or PLACEHOLDER
    return {"type": "text", "text": kept, **({"style": style} if style else {})}


def link(url: str, label: str) -> Block:
    """Return a link element of rich text, or its label alone if the URL is unsafe."""
    address = web_address(url)
    part = text(label, limit=300)
    return {"type": "link", "url": address, "text": part["text"]} if address else part


def mention_element(id_: str) -> Block:
    """Return a rich text element that mentions a user, or a user group if the id begins with S."""
    if id_.startswith("S"):
        return {"type": "usergroup", "usergroup_id": id_}
    return {"type": "user", "user_id": id_}


def date_element(moment: datetime, fmt: str = "{date_short_pretty} at {time}") -> Block:
    """Return a rich text element for a time in the reader's time zone."""
    seconds = int(moment.timestamp())
    return {
        "type": "date",
        "timestamp": seconds,
        "format": fmt,
        "fallback": formatting.utc_time(moment),
    }


def line(*parts: Block) -> Block:
    """Return a rich text section."""
    return {"type": "rich_text_section", "elements": list(parts) or [text("")]}


def quote(content: str, *, limit: int = 500) -> Block:
    """Return untrusted text as a rich text quote."""
    return {"type": "rich_text_quote", "elements": [text(tail(content, limit=limit))]}


def preformatted(content: str, *, limit: int = 2_500) -> Block:
    """Return the end of a log as preformatted rich text: at most 25 lines and 2,500 units."""
    shown = tail(content, limit=min(limit, 2_500))
    return {"type": "rich_text_preformatted", "elements": [text(shown)]}


def rich_text(*elements: Block) -> Block:
    """Return a rich text block of `line`, `quote` and `preformatted` elements."""
    return {"type": "rich_text", "elements": list(elements) or [line()]}


def fence(content: str, *, limit: int = 2_500) -> Block:
    """Return the end of a log as a code fence in mrkdwn, where rich text is rejected."""
    shown = _entities(content.replace("`", _TICK), min(limit, 2_500), _clip_start)
    return section(f"```\n{shown if is_visible(shown) else PLACEHOLDER}\n```")


def _clip_start(content: str, limit: int) -> str:
    return tail(content, limit=limit)


def task_card(
    task_id: str, title: str, status: str, *, output: str = "", limit: int = 300
) -> Block:
    """Return one task of a plan; status is pending, in_progress, complete or error."""
    name = clip(one_line(title), 150)
    card = {
        "type": "task_card",
        "task_id": task_id[:255],
        "title": name if is_visible(name) else PLACEHOLDER,
        "status": status,
    }
    shown = tail(output, lines=5, limit=limit)
    return {**card, "output": rich_text(line(text(shown)))} if is_visible(shown) else card


def plan(title: str, cards: Sequence[Block]) -> Block:
    """Return a plan of tasks from `task_card`, each with a unique id."""
    name = clip(one_line(title), 150)
    return {
        "type": "plan",
        "title": name if is_visible(name) else PLACEHOLDER,
        "tasks": list(cards),
    }


def with_block_ids(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return at most 50 blocks, each with a block_id derived from its content.

    Slack's clients may not redraw a changed block that keeps its block_id.
    """
    return tuple(
        block if "block_id" in block else {**block, "block_id": _id(n, block)}
        for n, block in enumerate(blocks[:MAX_BLOCKS])
    )


def _id(index: int, block: Block) -> str:
    content = repr(block).encode("utf-8", "replace")
    return f"{index}-{block['type']}-{hashlib.sha256(content).hexdigest()[:12]}"
