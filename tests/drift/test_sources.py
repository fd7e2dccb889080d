"""No file names a folder of one machine or the host of a package registry."""

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
    """Return a file's text, or nothing if it is binary."""
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("what", "pattern"), [("a machine's folder", FOLDERS), ("a registry's host", HOSTS)]
)
def test_no_file_contains_the_pattern(
    what: str, pattern: re.Pattern[str], sources: list[Path]
) -> None:
    """Other machines have other folders, and perhaps another registry."""
    found = [
        f"{path.name}:{number}: {what}"
        for path in sources
        for number, line in enumerate(text(path).splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


def test_patterns_find_folders_and_hosts() -> None:
    """A path of a URL is no folder."""
    folder, host = "/".join(["", "work", "main"]), ".".join(["pypi", "org"])  # noqa: FLY002
    assert FOLDERS.search(f"cd {folder}")
    assert not FOLDERS.search(f"https://example.com{folder}")
    assert HOSTS.search(f"https://{host}/simple")
