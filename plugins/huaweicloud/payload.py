"""Pydantic base model that ignores the case of keys."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class CaseInsensitiveModel(BaseModel):
    """A payload whose keys may have any case; unknown keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _lower_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {str(key).lower(): item for key, item in value.items()}
