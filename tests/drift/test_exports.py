"""The public API of the plugin kit: its names, their documentation, and its import cost."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import bot
from bot import sdk
from bot.sdk import errors

MODULES = {"blocks", "conformance", "tables"}


def documented(root: Path) -> set[str]:
    """Return the names in the first column of the table of names in docs/hooks.md."""
    table = (root / "docs/hooks.md").read_text("utf-8").split("## Names of `bot.sdk`")[1]
    rows = re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_public_names_are_the_documented_ones(root: Path) -> None:
    """A removed name breaks plugins; a new one must stay."""
    assert documented(root) == set(sdk.__all__)


def test_public_names_are_listed_once() -> None:
    """The only modules among them are those that a plugin uses by their name."""
    assert len(sdk.__all__) == len(set(sdk.__all__))
    assert {name for name in sdk.__all__ if inspect.ismodule(getattr(sdk, name))} == MODULES


def test_every_public_name_is_documented() -> None:
    """`help()` works on each of them."""
    for name in sdk.__all__:
        assert inspect.getdoc(getattr(sdk, name)), name


def test_every_provider_error_is_public() -> None:
    """A provider can import every error that it may raise."""
    raised = [e for e in vars(errors).values() if inspect.isclass(e)]
    provider_errors = {e.__name__ for e in raised if issubclass(e, errors.ProviderError)}
    assert provider_errors <= set(sdk.__all__)


def test_command_line_imports_nothing_heavy() -> None:
    """So `jobthread --help` is fast."""
    program = (
        "import sys, bot.cli.main\n"
        "heavy = {'httpx', 'pydantic', 'aiohttp', 'slack_sdk', 'slack_bolt', 'sqlalchemy'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_package_is_typed() -> None:
    """Type checkers read the kit's annotations."""
    assert Path(inspect.getfile(bot)).with_name("py.typed").is_file()
