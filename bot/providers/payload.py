"""Parts of answers, read with patience: what may be absent, empty, or spelled in several ways.

For the pydantic models in which a provider describes what its API tells.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from bot.providers.times import known_zone, moment


def _word(value: Any) -> str:
    return "" if value is None else str(value)


def _rows(value: Any) -> Any:
    """Return a list, whether the API gave a list, a single object or nothing."""
    return [value] if value and isinstance(value, dict) else value or ()


ZoneName = Annotated[str, AfterValidator(known_zone)]  # for settings
RowT = TypeVar("RowT")

Word = Annotated[str, BeforeValidator(_word)]
Moment = Annotated[datetime | None, BeforeValidator(moment)]
Rows = Annotated[tuple[RowT, ...], BeforeValidator(_rows)]


class CamelCase(BaseModel):
    """A part whose keys are written like thisOne; unknown keys are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)
