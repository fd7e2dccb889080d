"""manifest.yml requests exactly what the code uses."""

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
from tests.drift.syntax_trees import syntax_tree

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
        for node in ast.walk(syntax_tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if _NAMED.fullmatch(node.value) else set()
            if isinstance(node, ast.Attribute) and (called := _CALLED.fullmatch(node.attr)):
                words = called[2].split("_")
                found.add(f"{called[1]}.{'.'.join(words)}")
    return found


def test_manifest_is_valid_by_slacks_schema(manifest: dict[str, Any], root: Path) -> None:
    """Slack publishes the schema."""
    schema = json.loads((root / "tests/drift/data/manifest.schema.json").read_text("utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(manifest)


def test_commands_are_those_of_the_code(manifest: dict[str, Any]) -> None:
    """The default command of the settings is one of them."""
    commands = manifest["features"]["slash_commands"]
    assert [command["command"] for command in commands] == list(COMMANDS)
    assert SlackSettings().command in COMMANDS
    assert all(command["should_escape"] for command in commands)


def test_events_are_those_of_the_code(manifest: dict[str, Any]) -> None:
    """The bot subscribes to no event that it ignores."""
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == sorted(EVENTS)


def test_shortcuts_are_those_of_the_code(manifest: dict[str, Any]) -> None:
    """They have the same callback ids and types; Slack cuts no name."""
    shortcuts = manifest["features"]["shortcuts"]
    expected = [
        *((id_, "message") for id_ in SHORTCUTS),
        *((g, "global") for g in GLOBAL_SHORTCUTS),
    ]
    assert [(shortcut["callback_id"], shortcut["type"]) for shortcut in shortcuts] == expected
    assert all(len(shortcut["name"]) <= 24 for shortcut in shortcuts)


def test_every_web_api_method_has_its_scopes_in_the_table(root: Path) -> None:
    """A new method needs a line in the table, and perhaps a scope."""
    assert methods(root) == set(SCOPES_OF_METHODS)


def test_scopes_are_those_of_the_methods_and_events(manifest: dict[str, Any]) -> None:
    """The manifest requests no scope that is not used."""
    needed = {"commands"}.union(*SCOPES_OF_METHODS.values(), *SCOPES_OF_EVENTS.values())
    scopes = manifest["oauth_config"]["scopes"]
    assert scopes["bot"] == sorted(needed)
    assert "user" not in scopes
    assert set(SCOPES_OF_EVENTS) == set(EVENTS)


def test_direct_messages_and_interactivity_are_enabled(manifest: dict[str, Any]) -> None:
    """Socket Mode is enabled too, as the README describes."""
    assert manifest["features"]["app_home"]["messages_tab_enabled"]
    assert not manifest["features"]["app_home"]["messages_tab_read_only_enabled"]
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert manifest["settings"]["socket_mode_enabled"]
