"""What the environment's variables mean: which setting, and of which connection."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

ENVIRONMENT_PREFIX = "JOBTHREAD_"
_CONNECTIONS = f"{ENVIRONMENT_PREFIX}CONNECTIONS__"


def variable(place: str) -> str:
    """Return the variable that sets what stands at a place, such as `slack.bot_token`.

    No shell has variables with a hyphen: an underscore stands for it.
    """
    return f"{ENVIRONMENT_PREFIX}{place.replace('.', '__').replace('-', '_').upper()}"


def named(tables: Any, known: Iterable[str]) -> Any:
    """Return the environment's connections under the names that the file gives them.

    `my_deploys` is `my-deploys` where that is the only one it can mean; where it can mean several
    it is left out, and `ambiguous` says so.
    """
    if not isinstance(tables, dict):
        return tables
    found: dict[str, Any] = {}
    for name, table in tables.items():
        meant = [name] if "-" in name else [each for each in known if _bare(each) == name]
        if len(meant) > 1:
            continue
        whole = meant[0] if meant else name
        both = isinstance(table, dict) and isinstance(found.get(whole), dict)
        found[whole] = {**found[whole], **table} if both else table
    return found


def ambiguous(names: Iterable[str]) -> list[str]:
    """Return a sentence for each variable that can mean several of these connections."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(_bare(name), []).append(name)
    return [
        f"{each} can mean the connections {' and '.join(alike[bare])}: rename one of them."
        for each in sorted(os.environ)
        if (bare := _connection(each)) in alike and len(alike[bare]) > 1
    ]


def _bare(name: str) -> str:
    return name.lower().replace("-", "_")


def _connection(each: str) -> str:
    name, _, key = each.upper().removeprefix(_CONNECTIONS).partition("__")
    return name.lower() if key and each.upper().startswith(_CONNECTIONS) else ""
