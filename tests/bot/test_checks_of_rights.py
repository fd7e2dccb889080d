"""What `jobthread check` says of the rights that the settings need."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.checks import findings
from bot.playground import LocalSlack
from bot.settings import NotifySettings
from tests.bot.conftest import settings_for

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

pytestmark = pytest.mark.anyio


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
