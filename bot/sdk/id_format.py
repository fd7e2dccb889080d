"""Form of a provider's job ids. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.sdk.models import MAX_ID_LENGTH
from bot.sdk.urls import ids_in

ANY_WORD = re.compile(r"[^\s/]+")


@dataclass(frozen=True)
class IdFormat:
    """The ids that a connection accepts, and how they are found in text."""

    pattern: re.Pattern[str] = ANY_WORD  # of a bare id
    named: re.Pattern[str] | None = None  # of what follows `connection:`; None: same as `pattern`
    match_bare: bool = True  # whether bare ids are found in free text
    example: str = ""  # an id of this form; if the format is set on `self`, an existing job

    def matches(self, text: str) -> bool:
        """Whether a text is a bare id."""
        return _fits(self.pattern, text)

    def matches_named(self, text: str) -> bool:
        """Whether a text can follow `connection:`."""
        return _fits(self.named or self.pattern, text)

    def find_in_urls(self, text: str, template: str) -> list[str]:
        """Return the ids in the URLs of a text; `template` is a URL with {id}."""
        return list(ids_in(text, template, self.pattern))


def _fits(pattern: re.Pattern[str], text: str) -> bool:
    is_storable = 0 < len(text) <= MAX_ID_LENGTH and "\x00" not in text
    return is_storable and bool(pattern.fullmatch(text))
