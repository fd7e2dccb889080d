"""The safeguards against lost and duplicate messages; each can be disabled in this process.

The proof must fail without any one of them. The bot has no switch for it: `disable` replaces
methods of its classes, in a process that `chaos.launcher` starts.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from bot.slack.web_api import WebApiTransport
from bot.store.decisions import Decisions
from bot.store.inbox import Inbox
from bot.store.jobs import Jobs
from bot.store.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bot.sdk.models import Job
    from bot.store.records import NewMessage, WatchedJob


class Safeguard(StrEnum):
    """What keeps a message from being lost or duplicated."""

    CAS = "cas"  # the compare-and-set on a job's revision
    KEY = "key"  # the unique idempotency keys of requests and messages
    LOOKUP = "lookup"  # the search in Slack before an unconfirmed message is sent again


class Patch(Protocol):
    """Sets an attribute of a class, as `setattr` does."""

    def __call__(self, owner: type, name: str, value: Callable[..., Any], /) -> None:
        """Set the attribute."""
        ...


def disable(safeguard: Safeguard, patch: Patch = setattr) -> None:
    """Disable a safeguard for the rest of the process."""
    match safeguard:
        case Safeguard.CAS:
            _disable_compare_and_set(patch)
        case Safeguard.KEY:
            _disable_unique_keys(patch)
        case Safeguard.LOOKUP:
            _disable_lookup(patch)


def _disable_compare_and_set(patch: Patch) -> None:
    """Store every snapshot as if it had been read from the row's present revision."""
    original = Jobs.compare_and_set

    async def overwrite(jobs: Jobs, watched: WatchedJob, job: Job, **times: Any) -> bool:
        current = (await jobs.get(watched.workspace, [watched.ref])).get(watched.ref, watched)
        return await original(jobs, replace(watched, revision=current.revision), job, **times)

    patch(Jobs, "compare_and_set", overwrite)


def _disable_unique_keys(patch: Patch) -> None:
    """Give each stored request, message and decision a key that no other can have."""
    add_request, add_decision = Inbox.add, Decisions.add
    add, add_claimed, replace_message = Outbox.add, Outbox.add_claimed, Outbox.replace

    async def add_request_anyway(inbox: Inbox, *, key: str, **rest: Any) -> Any:
        return await add_request(inbox, key=_unique(key), **rest)

    async def add_decision_anyway(decisions: Decisions, decision: Any) -> Any:
        return await add_decision(decisions, _with_unique_key(decision))

    async def add_anyway(outbox: Outbox, messages: Iterable[NewMessage], *rest: Any) -> Any:
        return await add(outbox, map(_with_unique_key, messages), *rest)

    async def add_claimed_anyway(outbox: Outbox, message: NewMessage, *rest: Any) -> Any:
        return await add_claimed(outbox, _with_unique_key(message), *rest)

    async def replace_anyway(outbox: Outbox, message: NewMessage, *rest: Any) -> Any:
        return await replace_message(outbox, _with_unique_key(message), *rest)

    patch(Inbox, "add", add_request_anyway)
    patch(Decisions, "add", add_decision_anyway)
    patch(Outbox, "add", add_anyway)
    patch(Outbox, "add_claimed", add_claimed_anyway)
    patch(Outbox, "replace", replace_anyway)


def _disable_lookup(patch: Patch) -> None:
    """Find no message in Slack, so that an unconfirmed one is sent again."""

    async def find_nothing(*_: Any, **__: Any) -> None:
        return None

    patch(WebApiTransport, "find", find_nothing)


def _with_unique_key(record: Any) -> Any:
    return replace(record, idempotency_key=_unique(record.idempotency_key))


def _unique(key: str) -> str:
    return f"{key}~{secrets.token_hex(4)}"
