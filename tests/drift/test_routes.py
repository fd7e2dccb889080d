"""Every button, menu, command and modal has a handler, and every handler is used."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import pytest

from bot.commands.board_actions import BoardActions
from bot.commands.channel_settings import ChannelSettingsCommands
from bot.commands.context import CommandContext
from bot.commands.job_commands import JobCommands
from bot.commands.parser import Verb
from bot.commands.queries import Queries
from bot.commands.request import RequestKind
from bot.commands.router import RequestRouter
from bot.sdk.cards.action_ids import ActionId
from bot.slack import settings_modal
from bot.slack.events import GLOBAL_SHORTCUTS, SHORTCUTS
from bot.slack.payload_handlers import PayloadHandlers
from bot.slack.payloads import PayloadKind, Route
from tests.drift.syntax_trees import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NONE: Any = None
MODAL_CLICKS = {ActionId.PRESET}  # never in a message
BUILDERS = {"button": 1, "overflow": 0}  # position of the action id in their arguments


@pytest.fixture(scope="module")
def router() -> RequestRouter:
    """A router whose tables are complete; nothing is called."""
    context = CommandContext(
        store=NONE,
        connections=NONE,
        examples=NONE,
        explainer=NONE,
        clock=NONE,
        slack_workspace=NONE,
        command="/job",
    )
    settings = ChannelSettingsCommands(store=NONE, notifier=NONE, permissions=NONE, command="/job")
    return RequestRouter(
        executor=NONE,
        clock=NONE,
        explainer=NONE,
        job_commands=JobCommands(context),
        channel_settings=settings,
        queries=Queries(context),
        board_actions=BoardActions(NONE, NONE, NONE),
    )


def action_ids(path: Path) -> Iterator[tuple[int, ast.expr]]:
    """Return the line and the expression of each action id that a module gives a button."""
    for node in ast.walk(syntax_tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            position = BUILDERS.get(node.func.attr)
            if position is not None and len(node.args) > position:
                yield node.lineno, node.args[position]
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "action_id":
                    yield node.lineno, value


def test_every_action_id_of_a_message_has_a_handler(router: RequestRouter) -> None:
    """And no handler is left over."""
    assert set(router.clicks) == set(ActionId) - MODAL_CLICKS


def test_every_verb_has_a_handler(router: RequestRouter) -> None:
    """One table serves typed commands and buttons."""
    assert set(router.verbs) == set(Verb)


def test_every_request_kind_has_a_handler(router: RequestRouter) -> None:
    """The inbox stores no request that cannot be answered."""
    assert set(router.kinds) == set(RequestKind)


def test_every_action_id_is_in_the_enum(root: Path) -> None:
    """No module writes one as a string."""
    strings = [
        f"{path.relative_to(root)}:{line}"
        for path in sorted(root.glob("bot/**/*.py"))
        for line, value in action_ids(path)
        if isinstance(value, ast.Constant | ast.JoinedStr)
    ]
    assert strings == []


def test_every_action_id_is_on_a_button(root: Path) -> None:
    """The names are found in the calls that build buttons and menus."""
    used = {
        node.attr
        for path in root.glob("bot/**/*.py")
        for _, value in action_ids(path)
        for node in ast.walk(value)
        if isinstance(node, ast.Attribute)
    }
    assert {one.name for one in ActionId} <= used


def test_every_shortcut_and_modal_has_its_routes() -> None:
    """Those of the manifest, and the two modals."""
    table = PayloadHandlers(NONE, NONE, NONE, NONE, NONE).table
    modals = {*GLOBAL_SHORTCUTS, settings_modal.CALLBACK_ID}
    wanted = {Route(PayloadKind.MESSAGE_SHORTCUT, id_) for id_ in SHORTCUTS}
    wanted |= {Route(PayloadKind.SHORTCUT, id_) for id_ in GLOBAL_SHORTCUTS}
    wanted |= {Route(PayloadKind.MODAL_SUBMISSION, id_) for id_ in modals}
    wanted |= {Route(PayloadKind.MODAL_OPTIONS, id_) for id_ in modals}
    assert wanted <= set(table)
    assert {route.kind for route in table} == set(PayloadKind)
