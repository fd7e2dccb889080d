"""`jobthread check`: its line for each connection and for missing scopes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from bot.cli import checks
from bot.cli.checks import run_checks
from bot.notifications.policy import NotifySettings
from bot.providers.connections import Connection
from bot.sdk import ConnectionSettings, Endpoint, Provider
from bot.sdk.errors import CredentialsRefused
from bot.sdk.testing import ManualClock
from localslack import LocalSlack
from tests.harness import settings_for

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    from bot.sdk.models import Job, JobRef, Status

pytestmark = pytest.mark.anyio


class Zebra(Provider[ConnectionSettings]):
    """A provider whose check returns or raises a given value, or never returns."""

    kind = "zebra"
    Settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    statuses: ClassVar[dict[str, Status]] = {}

    def __init__(self, outcome: Any) -> None:
        super().__init__("north", ConnectionSettings(), ManualClock())
        self.outcome = outcome

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1")

    async def fetch_job(self, ref: JobRef) -> Job:
        raise NotImplementedError

    async def check(self) -> str:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome or await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    ("outcome", "works", "sentence"),
    [
        ("It answers.", True, "It answers."),
        (CredentialsRefused("No."), False, "No. The operator of this bot must renew them"),
        (KeyError("hush"), False, "The provider zebra itself failed (KeyError)."),
        (SystemExit(1), False, "The provider zebra itself failed (SystemExit)."),
        (None, False, "It did not answer within 0 s. Check its address"),
    ],
)
async def test_check_reports_each_connection_in_a_sentence(
    outcome: Any, sentence: str, monkeypatch: pytest.MonkeyPatch, *, works: bool
) -> None:
    """The line says whether the connection works and why not; a hung check times out."""
    monkeypatch.setattr(checks, "CONNECTION_TIMEOUT_SECONDS", 0.01)
    zebra = Connection(Zebra(outcome))
    finding = await checks._connection(zebra)
    assert (finding.subject, finding.ok) == ("connection north", works)
    assert finding.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("who", "granted", "reported"),
    [
        ("admins", ("chat:write",), True),
        ("admins", ("chat:write", "users:read"), False),
        ("members", ("chat:write",), False),
    ],
)
async def test_missing_scope_is_reported_if_the_settings_need_it(
    tmp_path: Path, who: Literal["admins", "members"], granted: tuple[str, ...], *, reported: bool
) -> None:
    """`users:read` is required only if admins alone may change the channel settings."""
    async with LocalSlack() as slack:
        slack.workspace.app = replace(slack.workspace.app, scopes=granted)
        notify = {"notify": NotifySettings(who_may_change=who)}
        settings = settings_for(slack, "http://127.0.0.1:1/", tmp_path).model_copy(update=notify)
        sentences = [
            each.sentence async for each in run_checks(settings) if each.subject == "slack"
        ]
    assert any("The token lacks users:read" in sentence for sentence in sentences) == reported
