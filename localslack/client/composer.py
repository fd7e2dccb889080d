"""Typed text → Slack's markup and rich_text. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localslack.state.messages import Json
    from localslack.state.workspace import Workspace

_TOKEN = re.compile(
    r"<(?P<marked>[@#!][^<>\s]+|https?://[^<>\s]+)>"
    r"|(?P<url>https?://[^\s<>|]*[^\s<>|.,;:!?)\]}'\"])"
    r"|(?<![\w@])@(?P<user>[\w.-]*\w)"
    r"|(?<![\w#])#(?P<channel>[\w-]+)"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a typed text: plain text, a link, or a resolved mention."""

    kind: str  # text, link, user, usergroup, channel or marked
    value: str  # the text, the address or the id
    name: str = ""


def parse(workspace: Workspace, typed: str) -> list[Part]:
    """Return the parts of the text, in order."""
    found, end = [], 0
    for match in _TOKEN.finditer(typed):
        part = _parse_token(workspace, match)
        if part:
            found += [Part("text", typed[end : match.start()]), part]
            end = match.end()
    found.append(Part("text", typed[end:]))
    return [part for part in found if part.value]


def event_text(workspace: Workspace, typed: str) -> str:
    """Return the text with Slack's markup, as in messages."""
    return "".join(_markup(part) for part in parse(workspace, typed))


def command_text(workspace: Workspace, typed: str, *, should_escape: bool) -> str:
    """Return the text as in slash commands; mentions keep the name beside the id."""
    if not should_escape:
        return typed
    return "".join(_markup(part, with_name=True) for part in parse(workspace, typed))


def rich_text(workspace: Workspace, typed: str) -> Json:
    """Return the rich_text block that Slack's clients send with the text."""
    elements = [_element(part) for part in parse(workspace, typed)]
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "block_id": workspace.next_id("b"), "elements": [section]}


def _parse_token(workspace: Workspace, match: re.Match[str]) -> Part | None:
    if match["marked"]:
        return _parse_markup(match["marked"])
    if match["url"]:
        return Part("link", match["url"])
    if match["user"]:
        return _find_mention(workspace, match["user"])
    channel = workspace.find_channel(match["channel"])
    return Part("channel", channel.id, channel.name) if channel else None


def _find_mention(workspace: Workspace, name: str) -> Part | None:
    for user in workspace.users.values():
        if user.name == name:
            return Part("user", user.id, user.name)
    for group in workspace.groups.values():
        if group.handle == name and not group.is_disabled:
            return Part("usergroup", group.id, f"@{group.handle}")
    return None


def _parse_markup(marked: str) -> Part:
    for prefix, kind in (("@", "user"), ("!subteam^", "usergroup")):
        if marked.startswith(prefix):
            id_, _, name = marked.removeprefix(prefix).partition("|")
            return Part(kind, id_, name)
    return Part("link", marked) if marked.startswith("http") else Part("marked", marked)


def _markup(part: Part, *, with_name: bool = False) -> str:
    label = f"|{part.name}" if with_name and part.name else ""
    marks = {"link": "<{}>", "marked": "<{}>", "user": "<@{}" + label + ">"}
    marks["usergroup"] = "<!subteam^{}" + label + ">"
    marks["channel"] = "<#{}|" + part.name + ">"
    # Ampersands are escaped inside links too.
    escaped = part.value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return marks.get(part.kind, "{}").format(escaped)


def _element(part: Part) -> Json:
    match part.kind:
        case "link":
            return {"type": "link", "url": part.value}
        case "user":
            return {"type": "user", "user_id": part.value}
        case "usergroup":
            return {"type": "usergroup", "usergroup_id": part.value}
        case "channel":
            return {"type": "channel", "channel_id": part.value}
        case _:
            return {"type": "text", "text": part.value}
