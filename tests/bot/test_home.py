"""Links to messages, made without asking Slack."""

from bot.home import Home

HOME = Home(url="https://acme.slack.com/", bot_user="U0BOT")


def test_a_message_has_its_permalink() -> None:
    """As Slack itself writes it."""
    assert HOME.link("C1", "1732276800.000100") == (
        "https://acme.slack.com/archives/C1/p1732276800000100"
    )


def test_a_reply_is_linked_inside_its_thread() -> None:
    """The click opens the thread beside the channel."""
    assert HOME.link("C1", "1732276800.000200", "1732276800.000100") == (
        "https://acme.slack.com/archives/C1/p1732276800000200?thread_ts=1732276800.000100&cid=C1"
    )


def test_a_message_that_is_not_there_yet_has_no_link() -> None:
    """Nor has any, before Slack said where the workspace is."""
    assert HOME.link("C1", None) is None
    assert Home().link("C1", "1.2") is None
