"""Menus and modals on the page: every type of input."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.localslack.page.conftest import App, Json, button, message, option, posted

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

    from localslack import LocalSlack

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

TIMES = [option("Once", "once"), option("Every night", "nightly")]
DAYS = [option(day, day.lower()) for day in ("Monday", "Tuesday")]
JOBS = [option("deploy-api · succeeded", "deploys:1")]


def plain(text: str) -> Json:
    """Return a plain text."""
    return {"type": "plain_text", "text": text}


def input_block(name: str, label: str, element: Json, **more: Any) -> Json:
    """Return an input block of this name."""
    own = {"type": "input", "block_id": name, "label": plain(label)}
    return {**own, "element": {"action_id": name, **element}, **more}


def schedule() -> Json:
    """Return a modal with every input."""
    number = {"type": "number_input", "is_decimal_allowed": False, "min_value": "1"}
    blocks = [
        {"type": "header", "text": plain("Run it later")},
        {"type": "section", "block_id": "for", "text": {"type": "mrkdwn", "text": "*deploy-api*"}},
        input_block(
            "name", "Name", {"type": "plain_text_input"}, hint=plain("As it stands in the list")
        ),
        input_block("minutes", "Minutes", {**number, "initial_value": "5"}),
        input_block("at", "At", {"type": "timepicker"}, optional=True),
        input_block(
            "often", "How often", {"type": "static_select", "options": TIMES}, optional=True
        ),
        input_block("what", "What", {"type": "radio_buttons", "options": TIMES}),
        input_block("days", "Days", {"type": "checkboxes", "options": DAYS}, optional=True),
        input_block(
            "job", "Job", {"type": "external_select", "min_query_length": 0}, optional=True
        ),
        {"type": "divider"},
        {"type": "actions", "block_id": "deeds", "elements": [button("Add a day", "add")]},
        {"type": "context", "elements": [plain("You can change it later.")]},
    ]
    return {"type": "modal", "title": plain("Schedule"), "submit": plain("Save"), "blocks": blocks}


@pytest.fixture
async def modal(slack: LocalSlack, app: App, page: Page) -> Locator:
    """Open the modal on the page."""
    app.offers = {"": {"options": JOBS}}
    trigger = slack.views.triggers.issue(slack.workspace.me.id)
    await app.client.views_open(trigger_id=trigger, view=schedule())
    shown = page.get_by_test_id("modal")
    await expect(shown).to_be_visible()
    return shown


def input_values(payload: Json) -> Json:
    """Return the state of each input, by its name."""
    return {name: entry[name] for name, entry in payload["view"]["state"]["values"].items()}


async def test_overflow_menu_opens_and_sends_its_option(
    slack: LocalSlack, app: App, page: Page
) -> None:
    """It works with the keyboard and with the mouse."""
    options = [option("Show log", "log"), option("Stop", "stop")]
    menu = {"type": "overflow", "action_id": "row", "options": options}
    row = {"type": "section", "block_id": "job", "text": plain("deploy-api"), "accessory": menu}
    ts = await posted(app, "Jobs.", blocks=[row])
    await message(page, ts).locator('[data-action-id="row"]').press("Enter")
    await expect(page.get_by_role("menuitem")).to_have_text(["Show log", "Stop"])
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    [action] = (await slack.until(lambda: app.last("block_actions")))["actions"]
    assert (action["block_id"], action["selected_option"]) == ("job", options[1])
    assert "value" not in action


async def test_every_input_is_filled_in_and_submitted(
    slack: LocalSlack, app: App, modal: Locator
) -> None:
    """Each value arrives in Slack's form."""
    await modal.get_by_label("Name").fill("nightly")
    await expect(modal.get_by_label("Minutes")).to_have_value("5")
    await modal.get_by_label("Minutes").fill("30")
    await modal.locator('[data-action-id="at"]').fill("18:30")
    await modal.locator('select[data-action-id="often"]').select_option("nightly")
    await modal.get_by_role("radio", name="Once").check()
    await modal.get_by_role("checkbox", name="Tuesday").check()
    await modal.get_by_role("combobox", name="Job").click()
    await modal.get_by_role("option", name="deploy-api").click()
    await modal.get_by_role("button", name="Save").click()
    await expect(modal).to_have_count(0)
    values = input_values(await slack.until(lambda: app.last("view_submission")))
    assert values == {
        "name": {"type": "plain_text_input", "value": "nightly"},
        "minutes": {"type": "number_input", "value": "30"},
        "at": {"type": "timepicker", "selected_time": "18:30"},
        "often": {"type": "static_select", "selected_option": TIMES[1]},
        "what": {"type": "radio_buttons", "selected_option": TIMES[0]},
        "days": {"type": "checkboxes", "selected_options": DAYS[1:]},
        "job": {"type": "external_select", "selected_option": JOBS[0]},
    }


async def test_validation_errors_are_shown_at_their_inputs(app: App, modal: Locator) -> None:
    """Nothing is sent, the first invalid input has the focus, and the values stay."""
    await modal.get_by_role("checkbox", name="Monday").check()
    await modal.get_by_label("Minutes").fill("soon")
    await modal.get_by_role("button", name="Save").click()
    name = modal.get_by_label("Name")
    await expect(name).to_be_focused()
    await expect(name).to_have_accessible_description(
        "Please complete this required field. As it stands in the list"
    )
    await expect(modal.get_by_label("Minutes")).to_have_accessible_description("Enter a number.")
    await expect(modal.get_by_role("checkbox", name="Monday")).to_be_checked()
    await name.press_sequentially("nightly")
    await expect(name).to_have_value("nightly")
    await expect(name).to_have_accessible_description("As it stands in the list")
    assert app.last("view_submission") is None


async def test_click_in_a_modal_sends_and_keeps_the_values(
    slack: LocalSlack, app: App, modal: Locator
) -> None:
    """An input with the same ids keeps its value after an update."""
    await modal.get_by_label("Name").fill("nightly")
    await modal.get_by_role("button", name="Add a day").click()
    payload = await slack.until(lambda: app.last("block_actions"))
    assert payload["container"]["type"] == "view"
    assert input_values(payload)["name"]["value"] == "nightly"
    changed = schedule()
    changed["blocks"][0]["text"]["text"] = "Run it on two days"
    for place in (2, 3):
        changed["blocks"][place]["element"]["initial_value"] = "7"
    view = payload["view"]
    await app.client.views_update(view_id=view["id"], hash=view["hash"], view=changed)
    await expect(modal.get_by_role("heading", name="Run it on two days")).to_be_visible()
    await expect(modal.get_by_label("Name")).to_have_value("nightly")
    await expect(modal.get_by_label("Minutes")).to_have_value("5")


async def test_optional_choice_can_be_cleared(slack: LocalSlack, app: App, modal: Locator) -> None:
    """It works in a static and in an external select."""
    often = modal.locator('select[data-action-id="often"]')
    await often.select_option("once")
    await often.select_option("")
    job = modal.get_by_role("combobox", name="Job")
    await job.click()
    await modal.get_by_role("option", name="deploy-api").click()
    await job.fill("")
    await modal.get_by_role("button", name="Add a day").click()
    values = input_values(await slack.until(lambda: app.last("block_actions")))
    assert values["often"]["selected_option"] is None
    assert values["job"]["selected_option"] is None


async def test_dispatching_input_is_sent_on_enter(
    slack: LocalSlack, app: App, modal: Locator
) -> None:
    """Enter does not submit the modal there."""
    view = schedule()
    view["blocks"][2] |= {"dispatch_action": True, "hint": plain("Enter looks it up")}
    await app.client.views_update(view_id=slack.modals()[0].id, view=view)
    await expect(modal).to_contain_text("Enter looks it up")
    name = modal.get_by_label("Name")
    await name.fill("nightly")
    await expect(name).to_have_value("nightly")
    await name.press("Enter")
    [action] = (await slack.until(lambda: app.last("block_actions")))["actions"]
    assert (action["action_id"], action["value"]) == ("name", "nightly")
    assert app.last("view_submission") is None


async def test_options_are_shown_in_their_groups(
    slack: LocalSlack, app: App, modal: Locator
) -> None:
    """Each group of options has its heading."""
    groups = [
        {"label": plain("Once"), "options": TIMES[:1]},
        {"label": plain("Again"), "options": TIMES[1:]},
    ]
    view = schedule()
    view["blocks"][5]["element"] = {
        "type": "static_select",
        "action_id": "often",
        "option_groups": groups,
    }
    await app.client.views_update(view_id=slack.modals()[0].id, view=view)
    shown = modal.locator('select[data-action-id="often"] optgroup')
    await expect(shown).to_have_count(2)
    await expect(shown.last).to_have_attribute("label", "Again")
    await expect(shown.last.locator("option")).to_have_text(re.compile("Every night"))
