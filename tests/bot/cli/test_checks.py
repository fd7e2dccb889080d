"""What `jobthread check` says of connections, whatever they do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from bot.cli import checks
from bot.cli.checks import findings
from bot.errors import CredentialsRefused
from bot.playground import LocalSlack
from bot.providers.provider import ConnectionSettings, Endpoint, Provider
from bot.settings import NotifySettings
from bot.testing import ManualClock
from tests.bot.conftest import settings_for

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    from bot.models import Job, JobRef, Status

pytestmark = pytest.mark.anyio


class Zebra(Provider[ConnectionSettings]):
    """Its check says, raises, or waits for, what it is told to."""

    kind = "zebra"
    Settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    statuses: ClassVar[dict[str, Status]] = {}

    def __init__(self, said: Any) -> None:
        super().__init__("north", ConnectionSettings(), ManualClock())
        self.said = said

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1")

    async def fetch_job(self, ref: JobRef) -> Job:
        raise NotImplementedError

    async def check(self) -> str:
        if isinstance(self.said, BaseException):
            raise self.said
        return self.said or await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    ("said", "works", "told"),
    [
        ("It answers.", True, "It answers."),
        (CredentialsRefused("No."), False, "No. Whoever runs this bot must renew them"),
        (KeyError("hush"), False, "The provider zebra itself failed (KeyError)."),
        (SystemExit(1), False, "The provider zebra itself failed (SystemExit)."),
        (None, False, "It did not answer within 0 s. Check its address"),
    ],
)
async def test_each_connection_is_told_in_a_sentence(
    said: Any, told: str, monkeypatch: pytest.MonkeyPatch, *, works: bool
) -> None:
    """What works, what does not and why, and one that never answers does not hold up the rest."""
    monkeypatch.setattr(checks, "LONGEST_SECONDS", 0.01)
    zebra = Zebra(said)
    finding = await checks._connection(zebra)
    assert (finding.what, finding.works) == ("connection north", works)
    assert finding.sentence.startswith(told)


@pytest.mark.parametrize(
    ("who", "granted", "told"),
    [
        ("admins", ("chat:write",), True),
        ("admins", ("chat:write", "users:read"), False),
        ("members", ("chat:write",), False),
    ],
)
async def test_a_right_is_missed_only_where_the_settings_need_it(
    tmp_path: Path, who: Literal["admins", "members"], granted: tuple[str, ...], *, told: bool
) -> None:
    """Who is an admin is asked for only where admins alone may change what is told."""
    async with LocalSlack() as slack:
        slack.workspace.app = replace(slack.workspace.app, scopes=granted)
        notify = {"notify": NotifySettings(who_may_change=who)}
        settings = settings_for(slack, "http://127.0.0.1:1/", tmp_path).model_copy(update=notify)
        said = [each.sentence async for each in findings(settings) if each.what == "slack"]
    assert any("The token lacks users:read" in sentence for sentence in said) == told
