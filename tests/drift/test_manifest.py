"""The manifest asks Slack for what the code uses: no more, no less."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from bot.settings import SlackSettings
from bot.slack.events import COMMANDS, EVENTS, GLOBAL_SHORTCUTS, SHORTCUTS

if TYPE_CHECKING:
    from pathlib import Path

HISTORY = {"channels:history", "groups:history", "im:history", "mpim:history"}
SCOPES_OF_METHODS: dict[str, set[str]] = {  # https://docs.slack.dev/reference/methods
    "apps.connections.open": set(),  # connections:write, of the app-level token
    "auth.test": set(),
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": HISTORY,
    "conversations.open": {"im:write"},  # the bot opens direct messages with one person only
    "conversations.replies": HISTORY,
    "reactions.add": {"reactions:write"},
    "reactions.remove": {"reactions:write"},
    "usergroups.list": {"usergroups:read"},
    "users.info": {"users:read"},
    "views.open": set(),
    "views.update": set(),
}
SCOPES_OF_EVENTS = {  # https://docs.slack.dev/reference/events
    "app_mention": {"app_mentions:read"},
    "message.im": {"im:history"},
}
_FAMILIES = "apps|auth|bots|chat|conversations|files|reactions|team|usergroups|users|views"
_NAMED = re.compile(rf"(?:{_FAMILIES})\.\w+")
_CALLED = re.compile(rf"({_FAMILIES})_(\w+)")


@pytest.fixture(scope="module")
def manifest(root: Path) -> dict[str, Any]:
    """The manifest as Slack reads it."""
    loaded: dict[str, Any] = yaml.safe_load((root / "manifest.yml").read_text("utf-8"))
    return loaded


def methods(root: Path) -> set[str]:
    """Return the Web API methods that the bot's code names or calls."""
    found: set[str] = set()
    for path in [*root.glob("bot/*.py"), *root.glob("bot/slack/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if _NAMED.fullmatch(node.value) else set()
            if isinstance(node, ast.Attribute) and (called := _CALLED.fullmatch(node.attr)):
                words = called[2].split("_")
                found.add(f"{called[1]}.{'.'.join(words)}")
    return found


def test_slack_would_take_the_manifest(manifest: dict[str, Any], root: Path) -> None:
    """It is valid by the schema that Slack publishes."""
    schema = json.loads((root / "tests/drift/data/manifest.schema.json").read_text("utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(manifest)


def test_the_commands_are_those_the_code_answers(manifest: dict[str, Any]) -> None:
    """The settings may name another, but this one is the default."""
    commands = manifest["features"]["slash_commands"]
    assert [command["command"] for command in commands] == list(COMMANDS)
    assert SlackSettings().command in COMMANDS
    assert all(command["should_escape"] for command in commands)


def test_the_events_are_those_the_code_reads(manifest: dict[str, Any]) -> None:
    """Slack sends nothing that nobody reads, and everything that somebody does."""
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == sorted(EVENTS)


def test_the_shortcuts_are_those_the_code_knows(manifest: dict[str, Any]) -> None:
    """By their callback ids and kinds; names are short enough to be read."""
    shortcuts = manifest["features"]["shortcuts"]
    expected = [
        *((id_, "message") for id_ in SHORTCUTS),
        *((g, "global") for g in GLOBAL_SHORTCUTS),
    ]
    assert [(shortcut["callback_id"], shortcut["type"]) for shortcut in shortcuts] == expected
    assert all(len(shortcut["name"]) <= 24 for shortcut in shortcuts)


def test_every_method_that_the_code_calls_has_its_scopes_here(root: Path) -> None:
    """A new call of Slack's needs a line in the table, and perhaps a scope."""
    assert methods(root) == set(SCOPES_OF_METHODS)


def test_the_scopes_are_those_the_code_needs(manifest: dict[str, Any]) -> None:
    """No right is asked for that is not used."""
    needed = {"commands"}.union(*SCOPES_OF_METHODS.values(), *SCOPES_OF_EVENTS.values())
    scopes = manifest["oauth_config"]["scopes"]
    assert scopes["bot"] == sorted(needed)
    assert "user" not in scopes
    assert set(SCOPES_OF_EVENTS) == set(EVENTS)


def test_what_the_bot_is_talked_to_with_is_switched_on(manifest: dict[str, Any]) -> None:
    """Direct messages, buttons, and Socket Mode as the first steps describe it."""
    assert manifest["features"]["app_home"]["messages_tab_enabled"]
    assert not manifest["features"]["app_home"]["messages_tab_read_only_enabled"]
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert manifest["settings"]["socket_mode_enabled"]
