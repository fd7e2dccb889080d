"""Typed text in Slack's markup and rich text."""

import pytest

from bot.sdk.clock import SystemClock
from localslack.client import composer
from localslack.state.workspace import Workspace


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(SystemClock())


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("hello", "hello"),
        ("@ben", "<@U0BEN>"),
        ("<@U0BEN>", "<@U0BEN>"),
        ("<!here>", "<!here>"),
        ("me@ben.test", "me@ben.test"),
        ("@oncall now", "<!subteam^S0ONCALL> now"),
        ("<!subteam^S0ONCALL>", "<!subteam^S0ONCALL>"),
        ("@nobody", "@nobody"),
        ("see #deploys.", "see <#C0DEPLOYS|deploys>."),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("(https://x.test/a?b=1&c=2).", "(<https://x.test/a?b=1&amp;c=2>)."),
        ("ref deploys:JOB1#2", "ref deploys:JOB1#2"),
    ],
)
def test_message_text_has_slack_markup(workspace: Workspace, typed: str, sent: str) -> None:
    """Mentions and links become markup; the rest is escaped."""
    assert composer.event_text(workspace, typed) == sent


def test_command_text_contains_ids_and_names(workspace: Workspace) -> None:
    """With `should_escape` a mention has id and name; without it the text is unchanged."""
    assert composer.command_text(workspace, "@ben", should_escape=True) == "<@U0BEN|ben>"
    group = composer.command_text(workspace, "@oncall", should_escape=True)
    assert group == "<!subteam^S0ONCALL|@oncall>"
    assert composer.command_text(workspace, "@ben <&>", should_escape=False) == "@ben <&>"


def test_message_has_a_rich_text_block(workspace: Workspace) -> None:
    """The block's elements are the parts of the text."""
    [section] = composer.rich_text(workspace, "@ben see https://x.test @oncall")["elements"]
    assert section["elements"] == [
        {"type": "user", "user_id": "U0BEN"},
        {"type": "text", "text": " see "},
        {"type": "link", "url": "https://x.test"},
        {"type": "text", "text": " "},
        {"type": "usergroup", "usergroup_id": "S0ONCALL"},
    ]
