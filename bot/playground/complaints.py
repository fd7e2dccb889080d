"""What Slack's own client finds wrong with a form, before the app hears of it. Pure.

https://docs.slack.dev/reference/block-kit/blocks/input-block
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from bot.playground.entries import beginning, field_of, inputs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.playground.messages import Json

MISSING = "Please complete this required field."
_EMAIL = re.compile(r"\S+@\S+\.\S+")
_URL = re.compile(r"https?://\S+")


def complaints(blocks: Iterable[Json], values: Json) -> dict[str, str]:
    """Return a sentence for each input that keeps the form from being sent, by block id."""
    found = {}
    for block, element in inputs(blocks):
        if block["type"] != "input":
            continue
        entry = values.get(block["block_id"], {}).get(element["action_id"]) or beginning(element)
        said = _complaint(block, element, entry.get(field_of(element["type"])))
        if said:
            found[block["block_id"]] = said
    return found


def _complaint(block: Json, element: Json, held: object) -> str | None:
    if held in (None, "", []):
        return None if block.get("optional") else MISSING
    match element["type"]:
        case "number_input":
            return _number(element, str(held).strip())
        case "plain_text_input":
            return _length(element, str(held))
        case "email_text_input" if not _EMAIL.fullmatch(str(held)):
            return "Enter an email address."
        case "url_text_input" if not _URL.fullmatch(str(held)):
            return "Enter a URL that starts with http:// or https://."
    return None


def _number(element: Json, typed: str) -> str | None:
    try:
        number = Decimal(typed)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        return "Enter a number."
    if number % 1 and not element.get("is_decimal_allowed"):
        return "Enter a whole number."
    least, most = element.get("min_value"), element.get("max_value")
    if least is not None and number < Decimal(least):
        return f"Enter a number that is {least} or more."
    if most is not None and number > Decimal(most):
        return f"Enter a number that is {most} or less."
    return None


def _length(element: Json, typed: str) -> str | None:
    least, most = element.get("min_length") or 0, element.get("max_length") or 3000
    if len(typed) < least:
        return f"Enter at least {least} characters."
    return f"Enter at most {most} characters." if len(typed) > most else None
