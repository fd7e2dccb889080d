"""Parts of payload models: keys in any case, times with any fraction, words that may be absent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator


def moment(value: Any) -> datetime | None:
    """Return a time with however many fraction digits, or None if it is not one."""
    try:
        found = datetime.fromisoformat(str(value))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _text(value: Any) -> str:
    return "" if value is None else str(value)


Moment = Annotated[datetime | None, BeforeValidator(moment)]
Word = Annotated[str, BeforeValidator(_text)]


class AnyCase(BaseModel):
    """A payload whose keys may be written in any case; unknown keys are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _small_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {str(key).lower(): item for key, item in value.items()}
