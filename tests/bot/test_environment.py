"""Which setting a variable means."""

from __future__ import annotations

from bot.environment import named, variable


def test_a_variable_is_the_place_in_capitals() -> None:
    """As a shell can set it."""
    assert variable("slack.bot_token") == "JOBTHREAD_SLACK__BOT_TOKEN"
    assert variable("connections.my-jobs.token") == "JOBTHREAD_CONNECTIONS__MY_JOBS__TOKEN"


def test_both_spellings_of_one_connection_are_one_table() -> None:
    """Some tools set variables with hyphens, others cannot."""
    found = named({"my-jobs": {"a": "1"}, "my_jobs": {"b": "2"}}, ["my-jobs"])
    assert found == {"my-jobs": {"a": "1", "b": "2"}}


def test_what_can_mean_several_connections_is_given_to_none() -> None:
    """A secret goes to nobody by chance."""
    assert named({"a_b": {"token": "x"}}, ["a-b", "a_b"]) == {}


def test_what_is_no_table_is_left_to_be_told_as_that() -> None:
    """Whoever checks the settings says what is wrong with it."""
    assert named("x", ["a"]) == "x"
    assert named({"a": "x"}, ["a"]) == {"a": "x"}
