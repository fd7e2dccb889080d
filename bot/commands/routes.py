"""Types of the routing tables: verb → handler, action id → handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bot.commands.actions import Action
from bot.commands.parser import Command, Verb
from bot.commands.request import Request
from bot.sdk.cards.action_ids import ActionId

# Both get the workspace first, and return the actions of the answer.
VerbHandler = Callable[[str, Request, Command], Awaitable[list[Action]]]
ClickHandler = Callable[[str, Request], Awaitable[list[Action]]]
VerbTable = Mapping[Verb, VerbHandler]
ClickTable = Mapping[ActionId, ClickHandler]
