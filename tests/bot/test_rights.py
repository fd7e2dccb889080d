"""Who may change what a channel hears."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bot.errors import SlackBusy, SlackError, SlackRefused, SlackSilent
from bot.rights import ADMINS_ONLY, NEVER, NOT_NOW, Rights

pytestmark = pytest.mark.anyio


@dataclass
class People:
    """Knows one admin, or fails; remembers who was asked about."""

    error: SlackError | None = None
    asked: list[str] = field(default_factory=list)

    async def is_admin(self, user: str) -> bool:
        """Whether it is Grace."""
        self.asked.append(user)
        if self.error:
            raise self.error
        return user == "U0GRACE"


async def test_members_may_and_slack_is_not_asked() -> None:
    """The default costs no call."""
    people = People()
    assert await Rights("members", people).refusal("U0ADA", "C1") == ""
    assert people.asked == []


async def test_admins_may_and_others_get_a_sentence() -> None:
    """Where the settings say so."""
    rights = Rights("admins", People())
    assert await rights.refusal("U0GRACE", "C1") == ""
    assert await rights.refusal("U0ADA", "C1") == ADMINS_ONLY


async def test_a_direct_message_is_its_persons_own() -> None:
    """No admin is needed for it."""
    assert await Rights("admins", People()).refusal("U0ADA", "D1") == ""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SlackRefused("No.", code="missing_scope"), NEVER),
        (SlackBusy("Later.", retry_after=1), NOT_NOW),
        (SlackSilent("…"), NOT_NOW),
    ],
)
async def test_where_slack_does_not_say_who_is_an_admin_nobody_may(
    error: SlackError, sentence: str
) -> None:
    """The sentence says whether to try again or whom to ask."""
    assert await Rights("admins", People(error)).refusal("U0GRACE", "C1") == sentence
