"""Connections made from settings, or every problem told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretStr, model_validator

from bot.errors import SettingsError
from bot.providers.connections import Connections, connect
from bot.providers.provider import ConnectionSettings, Endpoint, Provider
from bot.testing import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from bot.models import Job, JobRef, Status

pytestmark = pytest.mark.anyio


class ZebraSettings(ConnectionSettings):
    """An address, a secret that must be set and one that may be."""

    url: str
    secret_key: SecretStr
    token: SecretStr = SecretStr("")
    pages: Annotated[int, Field(ge=1)] = 5


class Zebra(Provider[ZebraSettings]):
    """Reads nothing."""

    kind = "zebra"
    Settings: ClassVar[type[ConnectionSettings]] = ZebraSettings
    statuses: ClassVar[dict[str, Status]] = {}

    def connect(self) -> Endpoint:
        return Endpoint(self.settings.url)

    async def fetch_job(self, ref: JobRef) -> Job:
        raise NotImplementedError


SOUND = {"provider": "zebra", "url": "http://127.0.0.1:1", "secret_key": "hush"}


def made(**tables: dict[str, Any]) -> Connections:
    return connect(tables, {"zebra": Zebra}, ManualClock())


def problems(**tables: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        made(**tables)
    return caught.value.problems


async def test_each_table_becomes_a_connection_with_its_client() -> None:
    """Two regions are two connections of one provider."""
    both = made(north=SOUND, south=SOUND)
    assert both.names == ("north", "south")
    assert [provider.http.name for provider in both] == ["north", "south"]
    assert (len(both), both["north"].kind) == (2, "zebra")
    await both.close()


async def test_a_connection_that_does_not_exist_is_none() -> None:
    """Asking for a name that is not set up is no error."""
    assert made().get("north") is None


def test_an_unknown_kind_is_told_with_the_nearest_one() -> None:
    """A slip of the finger is shown its word."""
    (problem,) = problems(north={"provider": "zebar"})
    assert problem == (
        "connections.north.provider: there is no provider 'zebar'; did you mean zebra?"
        " (`jobthread plugins` lists them.)"
    )


@pytest.mark.parametrize(("kind", "plugin"), [("lion", "lion"), ("sea-lion", "sea_lion")])
def test_a_kind_whose_plugin_is_switched_off_says_so(kind: str, plugin: str) -> None:
    """It is installed, so "there is no provider" would send the operator the wrong way."""
    tables = {"north": {"provider": kind}, "south": {"provider": "tiger"}, "west": SOUND}
    with pytest.raises(SettingsError) as caught:
        connect(tables, {"zebra": Zebra}, ManualClock(), ["bear", plugin, "zebra"])
    first, second = caught.value.problems
    assert first == (
        f"connections.north.provider: {kind}: it is switched off;"
        f" take {plugin} out of disabled_plugins."
    )
    assert second.startswith("connections.south.provider: there is no provider 'tiger'")


def test_a_missing_kind_is_told_with_the_choices() -> None:
    """Nothing is guessed."""
    (problem,) = problems(north={"url": "http://127.0.0.1"})
    assert problem.startswith("connections.north.provider: it must be set; it can be zebra.")


def test_a_missing_secret_is_told_with_its_variable_and_its_file() -> None:
    """Both ways to set it, once."""
    table = {key: value for key, value in SOUND.items() if key != "secret_key"}
    (problem,) = problems(north=table)
    assert problem == (
        "connections.north.secret_key is missing: set JOBTHREAD_CONNECTIONS__NORTH__SECRET_KEY,"
        " or connections.north.secret_key_file to a file's path."
    )


def test_all_problems_of_all_connections_are_told_at_once(tmp_path: Path) -> None:
    """No problem hides another: neither a file of its own table, nor another table."""
    north = {"provider": "zebra", "secret_key_file": str(tmp_path), "pages": 0, "colour": "x"}
    told = "\n".join(problems(north=north, south={"provider": "zebra"}, west={"provider": "lion"}))
    for part in [
        "connections.north.secret_key_file cannot be read (IsADirectoryError)",
        "connections.north.pages: input should be greater than or equal to 1.",
        "connections.north.colour is not a setting",
        "connections.north.url is missing: set it.",
        "connections.south.url is missing",
        "connections.south.secret_key is missing",
        "connections.west.provider: there is no provider 'lion'",
    ]:
        assert part in told
    assert "north.secret_key is missing" not in told


class Whole(ZebraSettings):
    """Wants its optional token beside its pages, which is looked at last."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.pages > 5 and not self.token.get_secret_value():
            raise ValueError("token is missing: pages needs it.")
        return self


@pytest.mark.parametrize("wrong", [{"colour": "x"}, {"url": 7}, {"colour": "x", "pages": "hush"}])
def test_a_wrong_key_does_not_hide_what_the_keys_lack_together(wrong: dict[str, Any]) -> None:
    """What only the whole table can say is said beside it; a wrong value says nothing more."""
    kinds = {"zebra": type("Tall", (Zebra,), {"Settings": Whole})}
    with pytest.raises(SettingsError) as caught:
        connect({"north": {**SOUND, "pages": 9, **wrong}}, kinds, ManualClock())
    told = caught.value.problems
    assert [p.split(":")[0].split()[0] for p in told[: len(wrong)]] == [
        f"connections.north.{key}" for key in sorted(wrong, reverse="pages" in wrong)
    ]
    lacking = "connections.north: token is missing: pages needs it."
    assert (lacking in told) is ("pages" not in wrong)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("method", ["__init__", "connect"])
def test_a_provider_that_fails_is_a_problem_among_the_others(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A plugin's mistake is no stack trace, and its text stays out of the sentence."""

    def fail(*_: object) -> None:
        raise KeyError("hush")

    broken = type("Broken", (Zebra,), {method: fail, "kind": "broken"})
    kinds = {"zebra": Zebra, "broken": broken}
    with pytest.raises(SettingsError) as caught:
        connect({"a": {**SOUND, "provider": "broken"}, "b": {}}, kinds, ManualClock())
    first, second = caught.value.problems
    assert first == "connections.a: its provider failed (KeyError): see the log."
    assert second.startswith("connections.b.provider")
    assert "connection a cannot be made: KeyError" in caplog.text
    assert "hush" not in f"{caught.value}{caplog.text}"


async def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    """As every secret of the bot can."""
    tmp_path.joinpath("key").write_text("from-file\n")
    table = {"provider": "zebra", "url": "http://127.0.0.1:1"}
    found = made(north={**table, "secret_key_file": str(tmp_path / "key")})
    assert found["north"].settings.secret_key.get_secret_value() == "from-file"
    await found.close()


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=40))
def test_no_problem_shows_a_secret(secret: str) -> None:
    """Whatever is wrong beside it, or with it."""
    wrong = {"provider": "zebra", "secret_key": secret, "token": [secret], "secret_kye": secret}
    with pytest.raises(SettingsError) as caught:
        made(north=wrong)
    assert secret not in f"{caught.value}{caught.value!r}"
    assert caught.value.__cause__ is None
    assert secret not in repr(ZebraSettings(url="http://x", secret_key=SecretStr(secret)))
