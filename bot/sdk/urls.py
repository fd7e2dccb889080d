"""Finds job ids in URLs. No I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def ids_in(text: str, template: str, ids: re.Pattern[str]) -> Iterator[str]:
    """Return the ids in the URLs of a text; a template without {id} matches no URL."""
    if "{id}" in template:
        for match in _url_pattern(template, ids).finditer(text):
            yield match["id"]


def _url_pattern(template: str, ids: re.Pattern[str]) -> re.Pattern[str]:
    """Return the pattern of a URL template; scheme and host are case-insensitive."""
    scheme, _, rest = template.partition("://")
    host, slash, path = rest.partition("/")
    path_pattern = re.escape(slash + path).replace(re.escape("{id}"), f"(?P<id>{ids.pattern})")
    origin = f"{re.escape(scheme)}://{re.escape(host)}"
    return re.compile(rf"(?i:{origin}){path_pattern}(?![0-9A-Za-z_-])")
