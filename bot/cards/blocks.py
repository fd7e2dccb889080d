"""Block Kit as plain dicts that stay within Slack's limits, whatever text they are given. Pure.

Limits: https://docs.slack.dev/reference/block-kit/blocks. Text is counted in UTF-16 units, the
longest of the ways in which Slack may count. Untrusted text belongs in `plain`, `text`,
`preformatted` and cells, which are never parsed; in mrkdwn it goes through `escape` or `code`.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

Block = dict[str, Any]

MAX_BLOCKS = 50
MAX_TEXT = 3_000
MAX_WEIGHT = 12_000  # of all blocks as JSON: past about 13,000 Slack says msg_blocks_too_long
NOTHING = "—"  # stands where a text would be empty

# C0 and C1 controls but for \n and \t, overrides and isolates of direction, halves of characters.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NEWLINES = re.compile("\r\n?|[\u0085\u2028\u2029]")
_CUT_MARKUP = re.compile(r"(<[^<>]*|&[a-z]{0,3})\Z")
# A mark formats at the edge of a word; inside one, as in VMAPP_UPGRADE_002, it is a letter.
_MARK = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])|`")
_EMOJI = re.compile(r":(?=[\w+'-]*[^\W\d][\w+'-]*:)")  # :smile:, but not the 30 of 12:30:45
_QUOTE = re.compile(r"^>", re.MULTILINE)
_TICK = "\u02cb"  # looks like `
_LIKENESS = {"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": _TICK}
_COLON, _ANGLE = "\u2236", "\u203a"  # look like : and >
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_NOT_IN_A_LINK = re.compile(
    '[\\s<>|"`\\\\\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]'
)


def clean(text: str) -> str:
    """Return text without control characters, direction overrides and broken characters."""
    if text.isprintable() and text.isascii():
        return text
    return _UNSEEN.sub("", _NEWLINES.sub("\n", text))


def one_line(text: str) -> str:
    """Return clean text with every run of white space as one space."""
    return " ".join(clean(text).split())


def visible(text: str) -> bool:
    """Whether a reader would see anything of the text."""
    if text.isprintable():
        return bool(text.strip())
    return any(letter.isprintable() and not letter.isspace() for letter in text)


def length(text: str) -> int:
    """Return the length in UTF-16 units."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clip(text: str, limit: int) -> str:
    """Return at most `limit` units of the text, the last of them "…" if some are left out."""
    if length(text) <= limit:
        return text
    room, kept = limit - 1, 0
    for letter in text:
        room -= 2 if letter > "\uffff" else 1
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip(" \n\u200d") + "…"


def tail(text: str, *, lines: int = 25, limit: int = 2_500) -> str:
    """Return the end of a log, "…" first if its beginning is left out."""
    whole = clean(text).strip("\n").rstrip()
    kept = "\n".join(whole.split("\n")[-lines:])
    while length(kept) > limit - 2:
        kept = kept[max(1, (length(kept) - limit + 2) // 2) :]
    return kept if kept == whole else f"…\n{kept}"


def escape(text: str, limit: int = MAX_TEXT) -> str:
    """Return untrusted text so that mrkdwn shows it and neither mentions nor formats anything.

    Slack has no way to write a literal *, _, ~ or ` at the edge of a word: a likeness stands in.
    """
    calm = _MARK.sub(lambda mark: _LIKENESS[mark[0]], clean(text))
    return _entities(_QUOTE.sub(_ANGLE, _EMOJI.sub(_COLON, calm)), limit)


def _entities(content: str, limit: int, cut: Callable[[str, int], str] = clip) -> str:
    """Write & < > as entities, cut before so that they count and none is cut in two."""
    for room in (limit, limit - limit // 4, limit // 2, limit // 5):
        written = cut(content, room).translate(_ENTITIES)
        if length(written) <= limit:
            return written
    return "…"


def code(text: str, limit: int = 300) -> str:
    """Return untrusted text as mrkdwn code on one line, where nothing is formatted."""
    inside = _entities(one_line(text).replace("`", _TICK), limit - 2)
    return f"`{inside}`" if visible(inside) else NOTHING


def web_address(url: str | None) -> str | None:
    """Return the address if it is a clean http(s) one that Slack takes as a link, else None."""
    if not url or length(url) > MAX_TEXT or _NOT_IN_A_LINK.search(url):
        return None
    try:
        parts = urlsplit(url)
        clean_host = bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and clean_host else None


def date(moment: datetime, fmt: str = "{date_short_pretty} at {time}") -> str:
    """Return mrkdwn for a moment in the reader's own zone, in English UTC where that fails."""
    return f"<!date^{int(moment.timestamp())}^{fmt}|{words.moment(moment)}>"


def mention(id_: str) -> str:
    """Return mrkdwn that mentions a person or, by an id that begins with S, a user group."""
    if not re.fullmatch(r"[A-Za-z0-9_]{1,40}", id_):
        return ""
    return f"<!subteam^{id_}>" if id_.startswith("S") else f"<@{id_}>"


def plain(text: str, limit: int = MAX_TEXT) -> Block:
    """Return untrusted text as a text object that is not parsed, not even for :emoji:."""
    kept = clip(clean(text), limit)
    return {"type": "plain_text", "text": kept if visible(kept) else NOTHING, "emoji": False}


def mrkdwn(text: str, limit: int = MAX_TEXT) -> Block:
    """Return mrkdwn whose untrusted parts are escaped already; a cut never leaves half a token."""
    if length(text) > limit:
        text = _CUT_MARKUP.sub("", clip(text, limit)[:-1]) + "…"
    return {"type": "mrkdwn", "text": text if visible(text) else NOTHING, "verbatim": True}


def header(text: str) -> Block:
    """Return a large heading of one line."""
    return {"type": "header", "text": plain(one_line(text), 150)}


def section(text: str | Block) -> Block:
    """Return a paragraph: mrkdwn as a string, or a text object made by `plain`."""
    return {"type": "section", "text": mrkdwn(text) if isinstance(text, str) else text}


def fields(pairs: Sequence[tuple[str, str]]) -> list[Block]:
    """Return labels over values in two columns: untrusted labels, values in mrkdwn."""
    shown = [mrkdwn(f"*{escape(one_line(name), 60)}*\n{value}", 2_000) for name, value in pairs]
    tens = [shown[first : first + 10] for first in range(0, len(shown), 10)]
    return [{"type": "section", "fields": ten} for ten in tens]


def context(*texts: str | Block) -> Block:
    """Return small print: mrkdwn strings, or text objects made by `plain`."""
    elements = [mrkdwn(text) if isinstance(text, str) else text for text in texts]
    return {"type": "context", "elements": elements[:10] or [plain("")]}


def divider() -> Block:
    """Return a line across."""
    return {"type": "divider"}


def confirm(title: str, text: str, *, yes: str, no: str) -> Block:
    """Return the question that is asked before a button does its work."""
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
    """Return a button; `style` is "primary" or "danger", an address that is not clean is left."""
    optional = {"url": web_address(url), "style": style, "confirm": confirm, "value": value[:2_000]}
    kept = {name: given for name, given in optional.items() if given}
    return {"type": "button", "text": plain(label, 75), "action_id": action_id[:255], **kept}


def overflow(action_id: str, options: Sequence[tuple[str, str]]) -> Block:
    """Return a "…" menu of one to five pairs of label and value."""
    shown = [{"text": plain(label, 75), "value": value[:150]} for label, value in options[:5]]
    return {"type": "overflow", "action_id": action_id[:255], "options": shown}


def actions(elements: Iterable[Block]) -> list[Block]:
    """Return a row of buttons and menus, or no block when there are none."""
    kept = list(elements)[:25]
    return [{"type": "actions", "elements": kept}] if kept else []


def text(content: str, *, limit: int = MAX_TEXT, **style: bool) -> Block:
    """Return a part of rich text that is not parsed; styles are bold, italic, strike and code."""
    kept = clip(clean(content), limit) or NOTHING
    return {"type": "text", "text": kept, **({"style": style} if style else {})}


def link(url: str, label: str) -> Block:
    """Return a link in rich text, or its label alone when the address is not clean."""
    address = web_address(url)
    part = text(label, limit=300)
    return {"type": "link", "url": address, "text": part["text"]} if address else part


def called(id_: str) -> Block:
    """Return a mention of a person or a user group in rich text, as `mention` does."""
    if id_.startswith("S"):
        return {"type": "usergroup", "usergroup_id": id_}
    return {"type": "user", "user_id": id_}


def date_part(moment: datetime, fmt: str = "{date_short_pretty} at {time}") -> Block:
    """Return a moment in rich text, in the reader's own zone."""
    seconds = int(moment.timestamp())
    return {"type": "date", "timestamp": seconds, "format": fmt, "fallback": words.moment(moment)}


def line(*parts: Block) -> Block:
    """Return one paragraph of rich text."""
    return {"type": "rich_text_section", "elements": list(parts) or [text("")]}


def quote(content: str, *, limit: int = 500) -> Block:
    """Return untrusted text as a quotation in rich text."""
    return {"type": "rich_text_quote", "elements": [text(tail(content, limit=limit))]}


def preformatted(content: str, *, limit: int = 2_500) -> Block:
    """Return the end of a log in fixed width: at most 25 lines and 2,500 units."""
    shown = tail(content, limit=min(limit, 2_500))
    return {"type": "rich_text_preformatted", "elements": [text(shown)]}


def rich_text(*elements: Block) -> Block:
    """Return rich text made of `line`, `quote` and `preformatted`."""
    return {"type": "rich_text", "elements": list(elements) or [line()]}


def fence(content: str, *, limit: int = 2_500) -> Block:
    """Return the end of a log in fixed width, for where rich text is refused."""
    shown = _entities(content.replace("`", _TICK), min(limit, 2_500), _end)
    return section(f"```\n{shown if visible(shown) else NOTHING}\n```")


def _end(content: str, limit: int) -> str:
    return tail(content, limit=limit)


def task_card(
    task_id: str, title: str, status: str, *, output: str = "", limit: int = 300
) -> Block:
    """Return one step of a plan; status is pending, in_progress, complete or error."""
    name = clip(one_line(title), 150)
    card = {
        "type": "task_card",
        "task_id": task_id[:255],
        "title": name if visible(name) else NOTHING,
        "status": status,
    }
    said = tail(output, lines=5, limit=limit)
    return {**card, "output": rich_text(line(text(said)))} if visible(said) else card


def plan(title: str, cards: Sequence[Block]) -> Block:
    """Return a list of steps, each made by `task_card` with an id of its own."""
    name = clip(one_line(title), 150)
    return {"type": "plan", "title": name if visible(name) else NOTHING, "tasks": list(cards)}


def weight(blocks: Iterable[Block]) -> int:
    """Return how many characters the blocks are as JSON."""
    return len(json.dumps(list(blocks), ensure_ascii=False, separators=(",", ":")))


def sealed(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return at most 50 blocks, each with a block_id that changes when its content does.

    Slack's clients keep a block that has the id of one they know already, so a changed block
    under its old id may not be drawn again.
    """
    return tuple(
        block if "block_id" in block else {**block, "block_id": _id(n, block)}
        for n, block in enumerate(blocks[:MAX_BLOCKS])
    )


def _id(place: int, block: Block) -> str:
    content = repr(block).encode("utf-8", "replace")
    return f"{place}-{block['type']}-{hashlib.sha256(content).hexdigest()[:12]}"
