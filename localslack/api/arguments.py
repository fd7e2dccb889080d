"""Reads Web API arguments from form or JSON. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from localslack.state.errors import SlackApiError

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call; forms hold strings, JSON bodies hold any JSON value."""

    values: Json

    def text(self, name: str, default: str = "") -> str:
        """Return the value as text."""
        value = self.values.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        """Return the value as text. Raise SlackApiError if it is missing or empty."""
        value = self.text(name)
        if not value:
            raise SlackApiError("invalid_arguments", problems=(f"missing required field: {name}",))
        return value

    def optional(self, name: str) -> str | None:
        """Return the value as text, or None if it is missing or empty."""
        return self.text(name) or None

    def boolean(self, name: str, *, default: bool = False) -> bool:
        """Return the value as a boolean; forms write 1 or true."""
        value = self.values.get(name)
        return default if value is None else str(value).lower() in {"1", "true", "yes"}

    def integer(self, name: str, default: int) -> int:
        """Return the value as an integer. Raise SlackApiError if it is none."""
        try:
            return int(self.text(name) or default)
        except ValueError:
            raise SlackApiError(f"invalid_{name}") from None

    def json_list(self, name: str, error: str) -> list[Any] | None:
        """Return the value as a JSON list, or None if missing. Raise SlackApiError otherwise."""
        value = self._parsed(name, error)
        if value is None or isinstance(value, list):
            return value
        raise SlackApiError(error)

    def json_object(self, name: str, error: str) -> Json | None:
        """Return the value as a JSON object, or None if missing. Raise SlackApiError otherwise."""
        value = self._parsed(name, error)
        if value is None or isinstance(value, dict):
            return value
        raise SlackApiError(error)

    def _parsed(self, name: str, error: str) -> Any:
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise SlackApiError(error) from None
