"""Builds connections from the settings, or reports every problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretStr, model_validator

from bot.providers.connection_builder import connect
from bot.sdk import ConnectionSettings, Endpoint, Provider
from bot.sdk.errors import SettingsError
from bot.sdk.testing import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from bot.providers.connections import Connections
    from bot.sdk.models import Job, JobRef, Status

pytestmark = pytest.mark.anyio


class ZebraSettings(ConnectionSettings):
    """A URL, a required secret and an optional one."""

    url: str
    secret_key: SecretStr
    token: SecretStr = SecretStr("")
    pages: Annotated[int, Field(ge=1)] = 5


class Zebra(Provider[ZebraSettings]):
    """Cannot fetch jobs."""

    kind = "zebra"
    Settings: ClassVar[type[ConnectionSettings]] = ZebraSettings
    statuses: ClassVar[dict[str, Status]] = {}

    def connect(self) -> Endpoint:
        return Endpoint(self.settings.url)

    async def fetch_job(self, ref: JobRef) -> Job:
        raise NotImplementedError


VALID = {"provider": "zebra", "url": "http://127.0.0.1:1", "secret_key": "hush"}


def build(**tables: dict[str, Any]) -> Connections:
    return connect(tables, {"zebra": Zebra}, ManualClock())


def problems(**tables: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        build(**tables)
    return caught.value.problems


async def test_each_table_becomes_a_connection_with_its_client() -> None:
    """Two regions are two connections of one provider."""
    both = build(north=VALID, south=VALID)
    assert both.names == ("north", "south")
    assert [each.provider.http.name for each in both] == ["north", "south"]
    assert (len(both), both["north"].kind) == (2, "zebra")
    await both.close()


async def test_missing_connection_is_none() -> None:
    """A lookup of an unknown name is no error."""
    assert build().get("north") is None


def test_unknown_kind_is_reported_with_the_closest_one() -> None:
    """A typo gets a suggestion."""
    (problem,) = problems(north={"provider": "zebar"})
    assert problem == (
        "connections.north.provider: there is no provider 'zebar'; did you mean zebra?"
        " (`jobthread plugins` lists them.)"
    )


@pytest.mark.parametrize(("kind", "plugin"), [("lion", "lion"), ("sea-lion", "sea_lion")])
def test_kind_of_a_disabled_plugin_is_reported_as_disabled(kind: str, plugin: str) -> None:
    """It is installed, so "there is no provider" would be misleading."""
    tables = {"north": {"provider": kind}, "south": {"provider": "tiger"}, "west": VALID}
    with pytest.raises(SettingsError) as caught:
        connect(tables, {"zebra": Zebra}, ManualClock(), ["bear", plugin, "zebra"])
    first, second = caught.value.problems
    assert first == (
        f"connections.north.provider: {kind}: it is switched off;"
        f" take {plugin} out of disabled_plugins."
    )
    assert second.startswith("connections.south.provider: there is no provider 'tiger'")


def test_missing_kind_is_reported_with_the_choices() -> None:
    """There is no default."""
    (problem,) = problems(north={"url": "http://127.0.0.1"})
    assert problem.startswith("connections.north.provider: it must be set; it can be zebra.")


def test_missing_secret_is_reported_with_variable_and_file() -> None:
    """One problem shows both ways to set it."""
    table = {key: value for key, value in VALID.items() if key != "secret_key"}
    (problem,) = problems(north=table)
    assert problem == (
        "connections.north.secret_key is missing: set JOBTHREAD_CONNECTIONS__NORTH__SECRET_KEY,"
        " or connections.north.secret_key_file to a file's path."
    )


def test_all_problems_of_all_connections_are_reported(tmp_path: Path) -> None:
    """No problem hides another, in the same table or in another one."""
    north = {"provider": "zebra", "secret_key_file": str(tmp_path), "pages": 0, "colour": "x"}
    tables = {"north": north, "south": {"provider": "zebra"}, "west": {"provider": "lion"}}
    text = "\n".join(problems(**tables))
    for part in [
        "connections.north.secret_key_file cannot be read (IsADirectoryError)",
        "connections.north.pages: input should be greater than or equal to 1.",
        "connections.north.colour is not a setting",
        "connections.north.url is missing: set it.",
        "connections.south.url is missing",
        "connections.south.secret_key is missing",
        "connections.west.provider: there is no provider 'lion'",
    ]:
        assert part in text
    assert "north.secret_key is missing" not in text


class DependentSettings(ZebraSettings):
    """Needs the optional token if `pages` is large; a model validator checks it."""

    @model_validator(mode="after")
    def _check_token(self) -> Self:
        if self.pages > 5 and not self.token.get_secret_value():
            raise ValueError("token is missing: pages needs it.")
        return self


@pytest.mark.parametrize("wrong", [{"colour": "x"}, {"url": 7}, {"colour": "x", "pages": "hush"}])
def test_invalid_key_does_not_hide_a_model_error(wrong: dict[str, Any]) -> None:
    """An error of the whole table is reported too, unless the value it needs is invalid."""
    kinds = {"zebra": type("Tall", (Zebra,), {"Settings": DependentSettings})}
    with pytest.raises(SettingsError) as caught:
        connect({"north": {**VALID, "pages": 9, **wrong}}, kinds, ManualClock())
    found = caught.value.problems
    assert [p.split(":")[0].split()[0] for p in found[: len(wrong)]] == [
        f"connections.north.{key}" for key in sorted(wrong, reverse="pages" in wrong)
    ]
    model_error = "connections.north: token is missing: pages needs it."
    assert (model_error in found) is ("pages" not in wrong)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("method", ["__init__", "connect"])
def test_failing_provider_is_one_of_the_problems(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """There is no stack trace, and the exception's text is not shown."""

    def fail(*_: object) -> None:
        raise KeyError("hush")

    broken = type("Broken", (Zebra,), {method: fail, "kind": "broken"})
    kinds = {"zebra": Zebra, "broken": broken}
    with pytest.raises(SettingsError) as caught:
        connect({"a": {**VALID, "provider": "broken"}, "b": {}}, kinds, ManualClock())
    first, second = caught.value.problems
    assert first == "connections.a: its provider failed (KeyError): see the log."
    assert second.startswith("connections.b.provider")
    assert "connection a cannot be built: KeyError" in caplog.text
    assert "hush" not in f"{caught.value}{caplog.text}"


async def test_secret_is_read_from_a_file(tmp_path: Path) -> None:
    """This holds for every secret of the bot."""
    tmp_path.joinpath("key").write_text("from-file\n")
    table = {"provider": "zebra", "url": "http://127.0.0.1:1"}
    connections = build(north={**table, "secret_key_file": str(tmp_path / "key")})
    assert connections["north"].provider.settings.secret_key.get_secret_value() == "from-file"
    await connections.close()


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=40))
def test_no_problem_shows_a_secret(secret: str) -> None:
    """Neither an invalid secret nor another invalid key shows it."""
    wrong = {"provider": "zebra", "secret_key": secret, "token": [secret], "secret_kye": secret}
    with pytest.raises(SettingsError) as caught:
        build(north=wrong)
    assert secret not in f"{caught.value}{caught.value!r}"
    assert caught.value.__cause__ is None
    assert secret not in repr(ZebraSettings(url="http://x", secret_key=SecretStr(secret)))
