"""Client-side form validation: what Slack's client rejects before it submits a modal. Pure.

https://docs.slack.dev/reference/block-kit/blocks/input-block
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from localslack.blockkit.form_state import initial_state, inputs, value_field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from localslack.state.messages import Json

REQUIRED = "Please complete this required field."
_EMAIL = re.compile(r"\S+@\S+\.\S+")
_URL = re.compile(r"https?://\S+")


def form_errors(blocks: Iterable[Json], values: Json) -> dict[str, str]:
    """Return the error message of each invalid input, by block id."""
    errors = {}
    for block, element in inputs(blocks):
        if block["type"] != "input":
            continue
        state = values.get(block["block_id"], {}).get(element["action_id"]) or initial_state(
            element
        )
        error = _error(block, element, state.get(value_field(element["type"])))
        if error:
            errors[block["block_id"]] = error
    return errors


def _error(block: Json, element: Json, value: object) -> str | None:
    if value in (None, "", []):
        return None if block.get("optional") else REQUIRED
    match element["type"]:
        case "number_input":
            return _number_error(element, str(value).strip())
        case "plain_text_input":
            return _length_error(element, str(value))
        case "email_text_input" if not _EMAIL.fullmatch(str(value)):
            return "Enter an email address."
        case "url_text_input" if not _URL.fullmatch(str(value)):
            return "Enter a URL that starts with http:// or https://."
    return None


def _number_error(element: Json, typed: str) -> str | None:
    try:
        number = Decimal(typed)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        return "Enter a number."
    if number % 1 and not element.get("is_decimal_allowed"):
        return "Enter a whole number."
    minimum, maximum = element.get("min_value"), element.get("max_value")
    if minimum is not None and number < Decimal(minimum):
        return f"Enter a number that is {minimum} or more."
    if maximum is not None and number > Decimal(maximum):
        return f"Enter a number that is {maximum} or less."
    return None


def _length_error(element: Json, typed: str) -> str | None:
    minimum, maximum = element.get("min_length") or 0, element.get("max_length") or 3000
    if len(typed) < minimum:
        return f"Enter at least {minimum} characters."
    return f"Enter at most {maximum} characters." if len(typed) > maximum else None
