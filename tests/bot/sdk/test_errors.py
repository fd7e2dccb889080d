"""Exception tree: a sentence for a reader, and an origin for the log."""

import re

import pytest

from bot.sdk import errors
from bot.sdk.errors import (
    BadReference,
    JobNotFound,
    JobthreadError,
    ProviderError,
    RateLimited,
    SettingsError,
    SlackError,
    SlackRateLimited,
    SlackRejected,
    origin,
)


def every_error() -> list[type[JobthreadError]]:
    found = [e for e in vars(errors).values() if isinstance(e, type)]
    return [e for e in found if issubclass(e, JobthreadError)]


def test_error_text_is_a_sentence_and_the_next_step() -> None:
    """The reader knows what to do."""
    assert str(JobNotFound("There is no such job.")) == (
        "There is no such job. Check the id, and that it belongs to this connection."
    )


def test_own_next_step_replaces_the_default() -> None:
    """A plugin may know better what to do."""
    assert str(BadReference("No.", next_step="Ask Ada.")) == "No. Ask Ada."
    assert str(BadReference("No.", next_step="")) == "No."


def test_every_error_has_one_root() -> None:
    """One `except` catches all of them."""
    assert len(every_error()) >= 14
    assert issubclass(JobNotFound, ProviderError)
    assert issubclass(SlackRateLimited, SlackError)


def test_every_error_is_in_the_tree() -> None:
    """The tree in the module's docstring is complete."""
    listed = set(re.findall(r"^[│├└─ ]*(\w+) {2,}", errors.__doc__ or "", re.MULTILINE))
    assert listed == {error.__name__ for error in every_error()}


def test_only_transient_errors_are_retried() -> None:
    """Wrong credentials need a person; a busy provider does not."""
    transient = {e.__name__ for e in every_error() if issubclass(e, ProviderError) and e.transient}
    assert transient == {"RateLimited", "Unavailable", "AnswerNotUnderstood"}


def test_errors_carry_what_their_handler_needs() -> None:
    """Seconds to wait, and Slack's error code."""
    assert RateLimited("Busy.", retry_after=7).retry_after == 7
    assert RateLimited("Busy.").retry_after == 30.0
    assert SlackRateLimited("Busy.", retry_after=2).retry_after == 2
    assert SlackRejected("No.", code="is_archived").code == "is_archived"


def test_settings_error_lists_all_problems() -> None:
    """One run shows everything that must be corrected."""
    error = SettingsError(["a is missing.", "b is not a setting."])
    assert error.problems == ("a is missing.", "b is not a setting.")
    assert str(error).splitlines()[1:] == ["- a is missing.", "- b is not a setting."]


def test_origin_has_class_and_frames_but_no_text() -> None:
    """An exception's text may contain a secret."""
    with pytest.raises(KeyError) as caught:
        {}["xoxb-secret"]
    assert re.fullmatch(r"KeyError at test_errors\.py:\d+", origin(caught.value))


def test_origin_names_the_class_of_the_cause() -> None:
    """Also without its text."""
    with pytest.raises(ValueError, match="outer") as caught:
        raise ValueError("outer") from KeyError("xoxb-secret")
    assert origin(caught.value).endswith(", from KeyError")


def test_error_that_was_never_raised_has_an_origin() -> None:
    """Logging never fails without a traceback."""
    assert origin(OSError("never")) == "OSError at an unknown place"


def test_origin_is_limited_to_four_frames() -> None:
    """They are enough to find the error."""

    def deep(n: int) -> None:
        if n == 0:
            raise RuntimeError
        deep(n - 1)

    with pytest.raises(RuntimeError) as caught:
        deep(20)
    assert origin(caught.value).count("<") == 3
