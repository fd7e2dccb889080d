"""Who may change channel settings."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bot.commands.permissions import ADMINS_ONLY, NEVER, NOT_NOW, Rights
from bot.sdk.errors import SlackBusy, SlackError, SlackRefused, SlackSilent

pytestmark = pytest.mark.anyio


@dataclass
class People:
    """Admin lookup that knows one admin, or fails; records the users."""

    error: SlackError | None = None
    checked: list[str] = field(default_factory=list)

    async def is_admin(self, user: str) -> bool:
        """Whether the user is Grace."""
        self.checked.append(user)
        if self.error:
            raise self.error
        return user == "U0GRACE"


async def test_members_may_change_settings_without_a_slack_call() -> None:
    """The default costs no call."""
    people = People()
    assert await Rights("members", people).refusal("U0ADA", "C1") == ""
    assert people.checked == []


async def test_only_admins_may_change_settings_if_configured() -> None:
    """Others get the reason."""
    rights = Rights("admins", People())
    assert await rights.refusal("U0GRACE", "C1") == ""
    assert await rights.refusal("U0ADA", "C1") == ADMINS_ONLY


async def test_user_may_always_change_direct_message_settings() -> None:
    """No admin is needed."""
    assert await Rights("admins", People()).refusal("U0ADA", "D1") == ""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SlackRefused("No.", code="missing_scope"), NEVER),
        (SlackBusy("Later.", retry_after=1), NOT_NOW),
        (SlackSilent("…"), NOT_NOW),
    ],
)
async def test_change_is_denied_when_the_admin_lookup_fails(
    error: SlackError, sentence: str
) -> None:
    """The reason says whether to try again or whom to contact."""
    assert await Rights("admins", People(error)).refusal("U0GRACE", "C1") == sentence
