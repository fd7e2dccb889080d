"""Reactions and user groups on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.localslack.page.conftest import App, message, posted

if TYPE_CHECKING:
    from playwright.async_api import Page

    from localslack import LocalSlack

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_reaction_shows_its_name_count_and_users(
    slack: LocalSlack, app: App, page: Page
) -> None:
    """All three are text; an unknown emoji is shown by its name."""
    ts = await posted(app, "deploy-api runs.")
    shown = message(page, ts).get_by_role("list", name="Reactions").get_by_role("button")
    for name in ("hourglass_flowing_sand", "deploy_parrot"):
        await app.client.reactions_add(channel="C0DEPLOYS", timestamp=ts, name=name)
    slack.react(slack.messages()[0], "hourglass_flowing_sand", user="ben")
    await expect(shown).to_have_text(["⏳ 2", ":deploy_parrot: 1"])
    await expect(shown.first).to_have_accessible_name(
        "hourglass flowing sand, 2 reactions: jobthread, ben"
    )
    await app.client.reactions_remove(channel="C0DEPLOYS", timestamp=ts, name="deploy_parrot")
    await expect(shown).to_have_text(["⏳ 2"])


async def test_press_toggles_the_users_reaction(slack: LocalSlack, app: App, page: Page) -> None:
    """The user's own reaction is marked without colour too."""
    ts = await posted(app, "deploy-api runs.")
    await app.client.reactions_add(channel="C0DEPLOYS", timestamp=ts, name="eyes")
    eyes = message(page, ts).get_by_role("button", name="eyes")
    await eyes.click()
    await expect(eyes).to_have_attribute("aria-pressed", "true")
    assert slack.messages()[0].reactors("eyes") == ("U0JOBTHREAD", "U0ADA")
    await eyes.click()
    await expect(eyes).to_have_attribute("aria-pressed", "false")


async def test_mentioned_group_is_shown_by_its_name(app: App, page: Page) -> None:
    """This holds in mrkdwn and rich text; an unknown group is shown by its id."""
    element = {"type": "usergroup", "usergroup_id": "S0DEPLOYERS"}
    rich = {"type": "rich_text_section", "elements": [element]}
    ts = await posted(app, "Ask <!subteam^S0ONCALL> or <!subteam^S0GONE|@gone>.")
    other = await posted(app, "Rich.", blocks=[{"type": "rich_text", "elements": [rich]}])
    await expect(message(page, ts)).to_contain_text("Ask @oncall or @S0GONE.")
    await expect(message(page, other).locator(".mention")).to_have_text("@deployers")
