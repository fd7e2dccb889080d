"""Who may change channel settings."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bot.commands.permissions import ADMINS_ONLY, CANNOT_VERIFY, TRY_LATER, Permissions
from bot.sdk.errors import SlackError, SlackRateLimited, SlackRejected, SlackUnconfirmed

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
    assert await Permissions("members", people).denial_reason("U0ADA", "C1") == ""
    assert people.checked == []


async def test_only_admins_may_change_settings_if_configured() -> None:
    """Others get the reason."""
    rights = Permissions("admins", People())
    assert await rights.denial_reason("U0GRACE", "C1") == ""
    assert await rights.denial_reason("U0ADA", "C1") == ADMINS_ONLY


async def test_user_may_always_change_direct_message_settings() -> None:
    """No admin is needed."""
    assert await Permissions("admins", People()).denial_reason("U0ADA", "D1") == ""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SlackRejected("No.", code="missing_scope"), CANNOT_VERIFY),
        (SlackRateLimited("Later.", retry_after=1), TRY_LATER),
        (SlackUnconfirmed("…"), TRY_LATER),
    ],
)
async def test_change_is_denied_when_the_admin_lookup_fails(
    error: SlackError, sentence: str
) -> None:
    """The reason says whether to try again or whom to contact."""
    assert await Permissions("admins", People(error)).denial_reason("U0GRACE", "C1") == sentence
