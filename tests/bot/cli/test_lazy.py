"""Commands whose bodies are imported when they are called."""

from __future__ import annotations

import inspect

import pytest
import typer

from bot.cli.lazy import body, load
from bot.cli.main import app

COMMANDS = {
    command.callback.__name__: command.callback
    for command in app.registered_commands
    if command.callback is not None
}


@pytest.mark.parametrize("name", COMMANDS)
def test_declaration_and_body_have_the_same_parameters(name: str) -> None:
    """A command passes all its options to its body by name."""
    declared = COMMANDS[name]
    wanted = inspect.signature(load(declared.__dict__["body"])).parameters
    assert list(inspect.signature(declared).parameters) == list(wanted)


def test_body_gets_the_arguments_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The declaration itself is not called."""

    def declared(sentence: str, code: int) -> None:
        """Do nothing."""

    with pytest.raises(typer.Exit):
        body("options:exit_with_error")(declared)(sentence="Not today.", code=3)
    assert capsys.readouterr().err == "Not today.\n"
