"""The page that is committed is the page that was built, and it needs nobody else."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "page"
STATIC = ROOT / "bot" / "playground" / "static"
SINGLE = ("index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts")

# Names, not addresses: XML namespaces, where errors of React and of react-markdown are explained,
# and a link that slack-blocks-to-jsx shows to debug a message, which nobody asks it for.
NAMES = (
    "http://www.w3.org/",
    "https://react.dev/errors/",
    "https://github.com/syntax-tree/hast-util-to-jsx-runtime",
    "https://app.slack.com/block-kit-builder",
)


def digest() -> str:
    """Return one digest of all sources; the recipe stands in page/vite.config.ts."""
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


def test_the_committed_bundle_was_built_from_the_committed_sources() -> None:
    """Whoever changes page/ also runs `npm run build` there."""
    written = (STATIC / "sources.sha256").read_text("utf-8").strip()
    assert written == digest(), "Run: cd page && npm ci && npm run build"


def test_the_bundle_has_the_names_that_the_server_serves() -> None:
    """The names carry no hash, so that a change of the page is a change of the same files."""
    expected = {"index.html", "LICENSES.txt", "sources.sha256"}
    expected |= {"assets/page.js", "assets/page.css", "assets/page.svg"}
    assert set(bundled()) == expected


def test_the_page_needs_no_address_but_its_own() -> None:
    """It works on a train: no fonts, pictures or scripts of other hosts."""
    for name, text in bundled().items():
        if name == "LICENSES.txt":
            continue
        found = re.findall(r"(?:https?|wss?)://[\w.-]+[^\s\"'`)]*", text)
        assert [address for address in found if not address.startswith(NAMES)] == [], name


def test_the_page_runs_under_a_policy_that_allows_no_inline_code() -> None:
    """index.html holds no script, style or event attribute of its own."""
    index = bundled()["index.html"]
    assert re.findall(r"<script(?![^>]*\bsrc=)", index) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|(?:src|href)=\"data:", index) == []


HOMES = [f"/{folder}/" for folder in ("work", "root", "home", "Users")]


@pytest.mark.parametrize("trace", ["npmjs", "registry.", *HOMES])
def test_the_bundle_tells_nothing_of_the_machine_that_built_it(trace: str) -> None:
    """Neither a registry nor a path of a machine has a place in it."""
    assert [name for name, text in bundled().items() if trace in text] == []


def test_the_lock_file_names_no_registry() -> None:
    """Everybody's npm fetches the packages from where that npm is told to."""
    assert '"resolved"' not in (SOURCES / "package-lock.json").read_text("utf-8")


def test_the_licences_of_the_bundled_packages_travel_with_them() -> None:
    """MIT asks for that."""
    licences = bundled()["LICENSES.txt"]
    for package in ("react", "react-dom", "scheduler", "slack-blocks-to-jsx", "react-markdown"):
        assert re.search(rf"^{package} \d", licences, re.MULTILINE), package
    assert "@yozora/parser" in licences  # slack-blocks-to-jsx ships it within its own code
    assert licences.count("Permission is hereby granted") >= 3
