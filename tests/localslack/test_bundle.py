"""The committed bundle of the page: built from its sources, and self-contained."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "localslack" / "page"
STATIC = ROOT / "localslack" / "static"
SINGLE = ("index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts")

# Names, not requested URLs: XML namespaces, error references of React and react-markdown, and a
# debugging link of slack-blocks-to-jsx, which the page does not use.
NAMES = (
    "http://www.w3.org/",
    "https://react.dev/errors/",
    "https://github.com/syntax-tree/hast-util-to-jsx-runtime",
    "https://app.slack.com/block-kit-builder",
)


def digest() -> str:
    """Return one digest of all sources, computed as in localslack/page/vite.config.ts."""
    below = [path for path in (SOURCES / "src").rglob("*") if path.is_file()]
    found = {path.relative_to(SOURCES).as_posix(): path for path in below}
    found |= {name: SOURCES / name for name in SINGLE}
    whole = sha256()
    for name in sorted(found):
        whole.update(f"{name}\0{sha256(found[name].read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def bundled() -> dict[str, str]:
    """Return every committed file of the page, by its path."""
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    return {path.relative_to(STATIC).as_posix(): path.read_text("utf-8") for path in files}


def test_bundle_is_built_from_the_committed_sources() -> None:
    """A change of localslack/page requires `make page`."""
    written = (STATIC / "sources.sha256").read_text("utf-8").strip()
    assert written == digest(), "Run: make page"


def test_bundle_contains_the_files_that_the_server_serves() -> None:
    """File names carry no hash, so a rebuild changes the same files."""
    expected = {"index.html", "LICENSES.txt", "sources.sha256"}
    expected |= {"assets/page.js", "assets/page.css", "assets/page.svg"}
    assert set(bundled()) == expected


def test_bundle_refers_to_no_other_host() -> None:
    """The page works offline: no fonts, images or scripts of other hosts."""
    for name, text in bundled().items():
        if name == "LICENSES.txt":
            continue
        found = re.findall(r"(?:https?|wss?)://[\w.-]+[^\s\"'`)]*", text)
        assert [address for address in found if not address.startswith(NAMES)] == [], name


def test_index_contains_no_inline_code() -> None:
    """index.html has no inline script, style or event attribute, as its content policy requires."""
    index = bundled()["index.html"]
    assert re.findall(r"<script(?![^>]*\bsrc=)", index) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|(?:src|href)=\"data:", index) == []


HOMES = [f"/{folder}/" for folder in ("work", "root", "home", "Users")]


@pytest.mark.parametrize("trace", ["npmjs", "registry.", *HOMES])
def test_bundle_contains_no_traces_of_the_build_machine(trace: str) -> None:
    """The bundle contains neither a registry nor a local path."""
    assert [name for name, text in bundled().items() if trace in text] == []


def test_lock_file_names_no_registry() -> None:
    """npm fetches the packages from its own configured registry."""
    assert '"resolved"' not in (SOURCES / "package-lock.json").read_text("utf-8")


def test_bundle_includes_the_licences_of_its_packages() -> None:
    """MIT requires the licence text with every copy."""
    licences = bundled()["LICENSES.txt"]
    for package in ("react", "react-dom", "scheduler", "slack-blocks-to-jsx", "react-markdown"):
        assert re.search(rf"^{package} \d", licences, re.MULTILINE), package
    assert "@yozora/parser" in licences  # slack-blocks-to-jsx ships it within its own code
    assert licences.count("Permission is hereby granted") >= 3
