"""What a plugin's author imports from `bot`, and what that costs."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from bot import sdk
from bot.sdk import errors

PROMISED = {
    "AccessDenied Ambiguous AnswerNotUnderstood BadReference Change Clock ConnectionSettings",
    "CredentialsRefused Detail Endpoint Job JobNotFound JobRef JobthreadError Message Moment",
    "Provider ProviderError RateLimited Rows Sample Simulation Status Task Unavailable View Word",
    "hookimpl ids_in moment",
}


def test_the_authors_names_are_exactly_these() -> None:
    """A name that goes away breaks strangers; a new one is a promise."""
    names = {name for line in PROMISED for name in line.split()}
    assert set(sdk.__all__) == names
    assert list(sdk.__all__) == sorted(sdk.__all__)
    assert dir(sdk) == sdk.__all__


def test_every_name_is_there_and_documented() -> None:
    """An author can ask for help on each of them."""
    for name in sdk.__all__:
        assert inspect.getdoc(getattr(sdk, name)), name


def test_an_author_can_raise_every_error_of_a_provider() -> None:
    """What a provider may raise can be imported from one place."""
    raised = [e for e in vars(errors).values() if inspect.isclass(e)]
    provider_errors = {e.__name__ for e in raised if issubclass(e, errors.ProviderError)}
    assert provider_errors <= set(sdk.__all__)


def test_a_name_that_is_not_exported_is_an_error() -> None:
    """A misspelling is found at the import, as with any module."""
    with pytest.raises(AttributeError, match="module 'bot' has no attribute 'Jobs'"):
        sdk.Jobs  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_imports_nothing_heavy() -> None:
    """`jobthread --help` is quick because of it."""
    program = (
        "import sys, bot\n"
        "heavy = {'httpx', 'pydantic', 'aiohttp', 'slack_sdk', 'slack_bolt', 'sqlalchemy'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_package_says_that_it_is_typed() -> None:
    """An author's own type checker believes our annotations."""
    assert Path(inspect.getfile(bot)).with_name("py.typed").is_file()
