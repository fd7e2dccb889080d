"""Permalinks, built without a call to Slack."""

from bot.delivery.permalinks import Workspace

WORKSPACE = Workspace(url="https://acme.slack.com/", bot_user="U0BOT")


def test_message_has_its_permalink() -> None:
    """Slack's own format."""
    assert WORKSPACE.permalink("C1", "1732276800.000100") == (
        "https://acme.slack.com/archives/C1/p1732276800000100"
    )


def test_reply_is_linked_inside_its_thread() -> None:
    """A click opens the thread beside the channel."""
    assert WORKSPACE.permalink("C1", "1732276800.000200", "1732276800.000100") == (
        "https://acme.slack.com/archives/C1/p1732276800000200?thread_ts=1732276800.000100&cid=C1"
    )


def test_unposted_message_has_no_link() -> None:
    """Nor has any message while the workspace URL is unknown."""
    assert WORKSPACE.permalink("C1", None) is None
    assert Workspace().permalink("C1", "1.2") is None
