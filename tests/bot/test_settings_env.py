"""Which setting a variable sets."""

from __future__ import annotations

from bot.sdk.settings import variable_name
from bot.settings_env import match_connection_names


def test_variable_is_the_key_in_capitals() -> None:
    """A shell can set it."""
    assert variable_name("slack.bot_token") == "JOBTHREAD_SLACK__BOT_TOKEN"
    assert variable_name("connections.my-jobs.token") == "JOBTHREAD_CONNECTIONS__MY_JOBS__TOKEN"


def test_both_spellings_of_a_connection_are_one_table() -> None:
    """Some tools set variables with hyphens, others cannot."""
    found = match_connection_names({"my-jobs": {"a": "1"}, "my_jobs": {"b": "2"}}, ["my-jobs"])
    assert found == {"my-jobs": {"a": "1", "b": "2"}}


def test_ambiguous_variable_is_given_to_no_connection() -> None:
    """A secret must not go to a connection by chance."""
    assert match_connection_names({"a_b": {"token": "x"}}, ["a-b", "a_b"]) == {}


def test_value_that_is_no_table_is_left_unchanged() -> None:
    """The validation of the settings reports it."""
    assert match_connection_names("x", ["a"]) == "x"
    assert match_connection_names({"a": "x"}, ["a"]) == {"a": "x"}
