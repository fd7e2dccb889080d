"""Schema of blocks. Pure.

https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localslack.blockkit.checks import (
    Check,
    all_of,
    any_field,
    anything,
    boolean,
    by_type,
    items,
    number,
    one_of,
    plain_text,
    problem,
    shape,
    string,
    text_object,
    typed_object,
)
from localslack.blockkit.elements import ACCESSORY, ACTIONS, BUTTON, CONTEXT_ACTIONS, IMAGE, INPUT
from localslack.blockkit.rich_text import RICH_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_CELL_CHARACTERS = 10_000


def _block(name: str, required: dict[str, Check], **optional: Check) -> Check:
    return typed_object(name, required, {"block_id": string(255), **optional})


def _check_cell_characters(value: Any, path: str) -> Iterator[str]:
    if sum(map(len, cell_texts(value.get("rows")))) > _MAX_CELL_CHARACTERS:
        yield problem(f"no more than {_MAX_CELL_CHARACTERS} characters allowed in all cells", path)


def cell_texts(value: Any) -> Iterator[str]:
    """Yield the text of every cell of a table."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from cell_texts(each)
    elif isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        yield from cell_texts(value.get("elements"))


def _check_equal_rows(value: Any, path: str) -> Iterator[str]:
    rows = value.get("rows")
    if isinstance(rows, list) and len({len(row) for row in rows if isinstance(row, list)}) > 1:
        yield problem("every row must have the same number of cells", f"{path}/rows")


def _check_plain_header(value: Any, path: str) -> Iterator[str]:
    rows = value.get("rows")
    header = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], list) else []
    for position, cell in enumerate(header):
        if isinstance(cell, dict) and cell.get("type") == "rich_text":
            yield problem("the header row may not hold rich_text", f"{path}/rows/0/{position}")


_CELL = by_type(
    {
        "raw_text": typed_object("raw_text", {"text": string()}, {}),
        "raw_number": typed_object("raw_number", {"value": number(), "text": string()}, {}),
        "rich_text": RICH_TEXT,
    }
)
_ROW = items(_CELL, 1, 20)
_COLUMN = shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})


def _column(value: Any, path: str) -> Iterator[str]:
    if value is not None:  # null: the column keeps its default.
        yield from _COLUMN(value, path)


TABLE = all_of(
    _block("table", {"rows": items(_ROW, 1, 100)}, column_settings=items(_column, 0, 20)),
    _check_cell_characters,
)
DATA_TABLE = all_of(
    _block(
        "data_table",
        {"caption": string(), "rows": items(_ROW, 2, 101)},
        page_size=number(1, 100),
        row_header_column_index=number(0),
    ),
    _check_equal_rows,
    _check_plain_header,
    _check_cell_characters,
)

_POINT = shape({"label": string(), "value": number()})
_SERIES = shape({"name": string(), "data": items(_POINT, 1, 20)})


def _chart(name: str) -> Check:
    fields = {"series": items(_SERIES, 1, 12), "axis_config": anything}
    return typed_object(name, fields, {})


_CHART = by_type(
    {
        "pie": typed_object("pie", {"segments": items(_POINT, 1, 20)}, {}),
        **{name: _chart(name) for name in ("bar", "line", "area")},
    }
)
_SOURCE = by_type({"url": typed_object("url", {"url": string(3000), "text": string()}, {})})
TASK = _block(
    "task_card",
    {
        "task_id": string(),
        "title": string(),
        "status": one_of("pending", "in_progress", "complete", "error"),
    },
    details=RICH_TEXT,
    output=RICH_TEXT,
    sources=items(_SOURCE),
)
SECTION = all_of(
    _block(
        "section",
        {},
        text=text_object(3000),
        fields=items(text_object(2000), 1, 10),
        accessory=ACCESSORY,
        expand=boolean,
    ),
    any_field("text", "fields"),
)
IMAGE_BLOCK = all_of(
    _block(
        "image",
        {"alt_text": string(2000)},
        image_url=string(3000),
        slack_file=anything,
        title=plain_text(2000),
    ),
    any_field("image_url", "slack_file"),
)
CONTEXT_ITEM = by_type(
    {"image": IMAGE, "plain_text": text_object(3000), "mrkdwn": text_object(3000)}
)
CARD = all_of(
    _block(
        "card",
        {},
        hero_image=IMAGE,
        icon=IMAGE,
        title=text_object(150),
        subtitle=text_object(150),
        body=text_object(200),
        actions=items(by_type({"button": BUTTON})),
    ),
    any_field("hero_image", "title", "actions", "body"),
)
_CLASSIC: dict[str, Check] = {
    "actions": _block("actions", {"elements": items(ACTIONS, 1, 25)}),
    "context": _block("context", {"elements": items(CONTEXT_ITEM, 1, 10)}),
    "divider": _block("divider", {}),
    "header": _block("header", {"text": plain_text(150)}),
    "image": IMAGE_BLOCK,
    "input": _block(
        "input",
        {"label": plain_text(2000), "element": INPUT},
        hint=plain_text(2000),
        optional=boolean,
        dispatch_action=boolean,
    ),
    "rich_text": RICH_TEXT,
    "section": SECTION,
    "video": _block(
        "video",
        {
            "alt_text": string(),
            "title": plain_text(200),
            "thumbnail_url": string(),
            "video_url": string(),
        },
        author_name=string(50),
        description=plain_text(200),
        provider_icon_url=string(),
        provider_name=string(),
        title_url=string(),
    ),
}
_FILE = _block("file", {"external_id": string(), "source": one_of("remote")})
CONTAINER = all_of(
    _block(
        "container",
        {"child_blocks": items(by_type({**_CLASSIC, "file": _FILE, "table": TABLE}), 1, 10)},
        title=plain_text(150),
        rich_text_title=RICH_TEXT,
        subtitle=text_object(150),
        width=one_of("narrow", "standard", "wide", "full"),
        icon=IMAGE,
        is_collapsible=boolean,
        default_collapsed=boolean,
        has_header_divider=boolean,
    ),
    any_field("title", "rich_text_title"),
)

_LEVELS = one_of("default", "info", "warning", "error", "success")
MESSAGE_BLOCKS: dict[str, Check] = {
    **_CLASSIC,
    "card": CARD,
    "carousel": _block("carousel", {"elements": items(by_type({"card": CARD}), 1, 10)}),
    "container": CONTAINER,
    "context_actions": _block("context_actions", {"elements": items(CONTEXT_ACTIONS, 1, 5)}),
    "data_table": DATA_TABLE,
    "data_visualization": _block("data_visualization", {"title": string(50), "chart": _CHART}),
    "file": _FILE,
    "markdown": _block("markdown", {"text": string(12_000)}),
    "plan": _block("plan", {"title": string()}, tasks=items(by_type({"task_card": TASK}), 1, 50)),
    "table": TABLE,
    "task_card": TASK,
}
HOME_BLOCKS: dict[str, Check] = {**_CLASSIC, "container": CONTAINER}
MODAL_BLOCKS: dict[str, Check] = {
    **HOME_BLOCKS,
    "alert": _block("alert", {"text": text_object(3000)}, level=_LEVELS),
}
