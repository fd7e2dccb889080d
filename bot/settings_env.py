"""Maps environment variables to settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from bot.sdk.settings import ENVIRONMENT_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONNECTIONS = f"{ENVIRONMENT_PREFIX}CONNECTIONS__"


def match_connection_names(tables: Any, known: Iterable[str]) -> Any:
    """Return the environment's connections under the names that the file gives them.

    `my_deploys` means `my-deploys` if only that matches. A name with several matches is left out;
    `ambiguity_problems` reports it.
    """
    if not isinstance(tables, dict):
        return tables
    found: dict[str, Any] = {}
    for name, table in tables.items():
        matches = [name] if "-" in name else [each for each in known if _normalized(each) == name]
        if len(matches) > 1:
            continue
        full_name = matches[0] if matches else name
        both = isinstance(table, dict) and isinstance(found.get(full_name), dict)
        found[full_name] = {**found[full_name], **table} if both else table
    return found


def ambiguity_problems(names: Iterable[str]) -> list[str]:
    """Return a sentence for each variable that matches several of these connections."""
    by_normalized: dict[str, list[str]] = {}
    for name in names:
        by_normalized.setdefault(_normalized(name), []).append(name)
    return [
        f"{env} can mean the connections {' and '.join(by_normalized[bare])}: rename one of them."
        for env in sorted(os.environ)
        if (bare := _connection_of(env)) in by_normalized and len(by_normalized[bare]) > 1
    ]


def _normalized(name: str) -> str:
    return name.lower().replace("-", "_")


def _connection_of(env: str) -> str:
    name, _, key = env.upper().removeprefix(_CONNECTIONS).partition("__")
    return name.lower() if key and env.upper().startswith(_CONNECTIONS) else ""
