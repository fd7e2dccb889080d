"""Payload models whose keys may be written in any case."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class AnyCase(BaseModel):
    """A payload whose keys may be written in any case; unknown keys are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _small_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {str(key).lower(): item for key, item in value.items()}
