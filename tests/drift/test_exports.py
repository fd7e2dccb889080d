"""The public API of the plugin kit: its names, their documentation, and its import cost."""

import inspect
import subprocess
import sys
from pathlib import Path

import bot
from bot import sdk
from bot.sdk import errors

PUBLIC = {
    "AccessDenied Ambiguous AnswerNotUnderstood BadReference CardContext Change Clock",
    "ConnectionSettings CredentialsRefused Detail Endpoint Job JobNotFound JobRef JobthreadError",
    "Message OneOrMany OptionalText Provider ProviderError RateLimited Sample Simulation Status",
    "Task Timestamp Unavailable hookimpl ids_in parse_time",
}


def test_public_names_are_exactly_these() -> None:
    """A removed name breaks plugins; a new one must stay."""
    names = {name for line in PUBLIC for name in line.split()}
    assert set(sdk.__all__) == names
    assert list(sdk.__all__) == sorted(sdk.__all__)


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
