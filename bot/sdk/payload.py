"""Lenient pydantic types for API payloads: values may be absent, empty or written differently.

For the models in which a provider describes its API's responses.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from bot.sdk.timestamps import check_zone, parse_time


def _to_text(value: Any) -> str:
    return "" if value is None else str(value)


def _to_list(value: Any) -> Any:
    """Return a list, whether the API sent a list, a single object or nothing."""
    return [value] if value and isinstance(value, dict) else value or ()


ZoneName = Annotated[str, AfterValidator(check_zone)]  # for settings
RowT = TypeVar("RowT")

OptionalText = Annotated[str, BeforeValidator(_to_text)]
Timestamp = Annotated[datetime | None, BeforeValidator(parse_time)]
OneOrMany = Annotated[tuple[RowT, ...], BeforeValidator(_to_list)]


class CamelCase(BaseModel):
    """Base of payload models with camelCase keys; unknown keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)
