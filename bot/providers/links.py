"""Job ids in URLs that people paste. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def ids_in(text: str, template: str, ids: re.Pattern[str]) -> Iterator[str]:
    """Return the ids where the text holds the template's URL; a template without {id} has none."""
    if "{id}" in template:
        for match in _url(template, ids).finditer(text):
            yield match["id"]


def _url(template: str, ids: re.Pattern[str]) -> re.Pattern[str]:
    """Return the pattern of a URL template; its scheme and host may be written in any case."""
    scheme, _, rest = template.partition("://")
    host, slash, path = rest.partition("/")
    page = re.escape(slash + path).replace(re.escape("{id}"), f"(?P<id>{ids.pattern})")
    return re.compile(rf"(?i:{re.escape(scheme)}://{re.escape(host)}){page}(?![0-9A-Za-z_-])")
