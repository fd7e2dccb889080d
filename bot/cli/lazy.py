"""Runs a command's body from a module that is imported only when the command is called.

The modules of the bodies take up to a second to import; `jobthread --help` needs none of them.
"""

from __future__ import annotations

import functools
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def body(target: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator: the decorated function declares the command, `target` is its body.

    `target` is "module:function", a module of bot.cli. Both functions have the same parameters.
    """

    def decorate(declaration: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(declaration)
        def command(**arguments: Any) -> None:
            load(target)(**arguments)

        command.__dict__["body"] = target
        return command

    return decorate


def load(target: str) -> Callable[..., None]:
    """Import and return a body, such as "serve:serve"."""
    module, _, name = target.partition(":")
    function: Callable[..., None] = getattr(import_module(f"bot.cli.{module}"), name)
    return function
