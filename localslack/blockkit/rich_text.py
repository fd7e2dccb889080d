"""Schema of rich text. Pure.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

from localslack.blockkit.checks import (
    Check,
    anything,
    boolean,
    by_type,
    items,
    number,
    one_of,
    shape,
    string,
    typed_object,
)

_STYLES = ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight")
_STYLE = {"style": shape({}, dict.fromkeys((*_STYLES, "unlink"), boolean))}


def _inline(name: str, required: dict[str, Check], **optional: Check) -> Check:
    return typed_object(name, required, {**_STYLE, **optional})


_LINK = _inline("link", {"url": string(3000)}, text=string(min_length=0), unsafe=boolean)
_TEXT = _inline("text", {"text": string()})
_DATE = _inline(
    "date",
    {"timestamp": number(), "format": string()},
    url=string(),
    fallback=string(),
)
_INLINE = by_type(
    {
        "text": _TEXT,
        "link": _LINK,
        "date": _DATE,
        "user": _inline("user", {"user_id": string()}),
        "channel": _inline("channel", {"channel_id": string()}),
        "usergroup": _inline("usergroup", {"usergroup_id": string()}),
        "team": _inline("team", {"team_id": string()}),
        "color": _inline("color", {"value": string()}),
        "emoji": _inline("emoji", {"name": string()}, unicode=string(), skin_tone=anything),
        "broadcast": _inline("broadcast", {"range": one_of("here", "channel", "everyone")}),
    }
)
_BORDER = {"border": number(0, 1)}
_SECTION = typed_object("rich_text_section", {"elements": items(_INLINE, min_items=0)}, {})
_LIST = typed_object(
    "rich_text_list",
    {
        "style": one_of("bullet", "ordered"),
        "elements": items(by_type({"rich_text_section": _SECTION})),
    },
    {"indent": number(0, 8), "offset": number(0), **_BORDER},
)
_QUOTE = typed_object("rich_text_quote", {"elements": items(_INLINE)}, _BORDER)
_PREFORMATTED = typed_object(
    "rich_text_preformatted",
    {"elements": items(by_type({"text": _TEXT, "link": _LINK}))},
    {"language": string(), **_BORDER},
)
_ELEMENTS = by_type(
    {
        "rich_text_section": _SECTION,
        "rich_text_list": _LIST,
        "rich_text_quote": _QUOTE,
        "rich_text_preformatted": _PREFORMATTED,
    }
)
RICH_TEXT = typed_object("rich_text", {"elements": items(_ELEMENTS)}, {"block_id": string(255)})
