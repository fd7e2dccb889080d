"""Nothing in the repository belongs to one machine or to one package registry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

# Put together from pieces, so that this file does not hold what it looks for.
FOLDERS = re.compile(r"(?<![\w.~/-])/(?:work|root)/")
HOSTS = re.compile(
    "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("pypi", "python", "org"),
            ("pythonhosted", "org"),
            ("npmjs", "org"),
            ("npmjs", "com"),
            ("yarnpkg", "com"),
            ("npmmirror", "com"),
        )
    )
)


def text(path: Path) -> str:
    """Return what a file says, or nothing if it is no text."""
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("what", "pattern"), [("a machine's folder", FOLDERS), ("a registry's host", HOSTS)]
)
def test_no_file_names(what: str, pattern: re.Pattern[str], sources: list[Path]) -> None:
    """Whoever clones the repository has other folders, and perhaps another registry."""
    found = [
        f"{path.name}:{number}: {what}"
        for path in sources
        for number, line in enumerate(text(path).splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


def test_the_patterns_find_what_they_look_for() -> None:
    """And nothing that only resembles it."""
    folder, host = "/".join(["", "work", "main"]), ".".join(["pypi", "org"])  # noqa: FLY002
    assert FOLDERS.search(f"cd {folder}")
    assert not FOLDERS.search(f"https://example.com{folder}")
    assert HOSTS.search(f"https://{host}/simple")
