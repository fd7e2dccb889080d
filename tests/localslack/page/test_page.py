"""The page of the local Slack, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from bot.slack.job_modal import view as asking_modal
from tests.localslack.page.conftest import (
    App,
    Json,
    button,
    card,
    connected,
    message,
    option,
    posted,
)

if TYPE_CHECKING:
    from playwright.async_api import Page, Route, WebSocketRoute

    from localslack import LocalSlack

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_typed_message_is_shown_in_the_channel(slack: LocalSlack, page: Page) -> None:
    """Enter sends, Shift-Enter does not."""
    composer = page.get_by_test_id("composer")
    await composer.fill("the first line")
    await composer.press("Shift+Enter")
    await composer.press_sequentially("the second")
    await composer.press("Enter")
    await expect(page.get_by_test_id("message").last).to_contain_text("the first line\nthe second")
    await expect(composer).to_have_value("")
    assert slack.messages("deploys")[-1].text == "the first line\nthe second"


async def test_mention_of_the_bot_is_highlighted(page: Page) -> None:
    """A real mention differs from text that looks like one."""
    await page.get_by_test_id("composer").fill("@jobthread deploys:JOB1")
    await page.get_by_test_id("composer").press("Enter")
    await expect(page.get_by_test_id("message").last.locator(".mention")).to_have_text("@jobthread")


async def test_click_on_a_button_reaches_the_app(slack: LocalSlack, app: App, page: Page) -> None:
    """The `block_actions` payload has the block, the action and the value of the button."""
    ts = await posted(app, "Running.", blocks=card("*Running*", button("Refresh", "refresh")))
    await expect(message(page, ts).get_by_role("heading")).to_have_text("deploy-api")
    await message(page, ts).locator('[data-action-id="refresh"]').click()
    payload = await slack.until(lambda: app.last("block_actions"))
    (action,) = payload["actions"]
    assert (action["block_id"], action["action_id"]) == ("deeds", "refresh")
    assert action["value"] == "JOB1"
    assert payload["message"]["ts"] == ts


async def test_button_with_confirm_opens_a_dialog(slack: LocalSlack, app: App, page: Page) -> None:
    """Denying sends nothing; confirming sends the click."""
    texts = {"title": "Cancel it?", "text": "It stops.", "confirm": "Stop it", "deny": "Keep it"}
    confirm = {name: {"type": "plain_text", "text": text} for name, text in texts.items()}
    ts = await posted(
        app, "Running.", blocks=card("*Running*", button("Cancel", "cancel", confirm=confirm))
    )
    await message(page, ts).get_by_role("button", name="Cancel").click()
    await page.get_by_role("dialog", name="Cancel it?").get_by_text("Keep it").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert app.heard == []
    await message(page, ts).get_by_role("button", name="Cancel").click()
    await page.get_by_role("dialog", name="Cancel it?").get_by_text("Stop it").click()
    payload = await slack.until(lambda: app.last("block_actions"))
    assert payload["actions"][0]["action_id"] == "cancel"


async def test_choice_in_a_menu_reaches_the_app(slack: LocalSlack, app: App, page: Page) -> None:
    """An overflow menu and a select send the chosen option."""
    options = [
        {"text": {"type": "plain_text", "text": name}, "value": name} for name in ("one", "two")
    ]
    overflow = {"type": "overflow", "action_id": "more", "options": options}
    select = {"type": "static_select", "action_id": "pick", "options": options}
    ts = await posted(app, "Choose.", blocks=card("*Running*", overflow, select))
    await message(page, ts).locator('[data-action-id="more"]').click()
    await page.get_by_role("menuitem", name="two").click()
    await slack.until(lambda: app.last("block_actions"))
    await message(page, ts).locator('select[data-action-id="pick"]').select_option("one")
    await slack.until(lambda: len(app.heard) == 2)
    chosen = [payload["actions"][0]["selected_option"]["value"] for payload in app.heard]
    assert chosen == ["two", "one"]


async def test_update_edits_the_message_in_place(app: App, page: Page) -> None:
    """The message keeps its position."""
    ts = await posted(app, "Running.", blocks=card("*Running*", button("Refresh", "refresh")))
    await posted(app, "Another.")
    await expect(page.get_by_test_id("message")).to_have_count(2)
    await app.client.chat_update(
        channel="C0DEPLOYS",
        ts=ts,
        text="Succeeded.",
        blocks=card("*Succeeded*", button("Again", "again")),
    )
    await expect(message(page, ts)).to_contain_text("Succeeded")
    await expect(message(page, ts)).not_to_contain_text("Running")
    await expect(page.get_by_test_id("message")).to_have_count(2)
    await expect(page.get_by_test_id("message").first).to_have_attribute("data-ts", ts)


async def test_deleted_message_disappears(app: App, page: Page) -> None:
    """The page removes a deleted message."""
    ts = await posted(app, "Gone soon.")
    await expect(message(page, ts)).to_be_visible()
    await app.client.chat_delete(channel="C0DEPLOYS", ts=ts)
    await expect(message(page, ts)).to_have_count(0)


async def test_thread_opens_and_its_composer_posts_replies(
    slack: LocalSlack, app: App, page: Page
) -> None:
    """The root shows the number of replies; the panel shows them and accepts another."""
    ts = await posted(app, "Running.")
    await posted(app, "Step 1 is done.", thread_ts=ts)
    await message(page, ts).get_by_test_id("replies").click()
    thread = page.get_by_test_id("thread")
    await expect(thread.get_by_test_id("message")).to_have_count(2)
    await page.get_by_test_id("thread-composer").fill("thanks")
    await page.get_by_test_id("thread-composer").press("Enter")
    await expect(thread.get_by_test_id("message").last).to_contain_text("thanks")
    await expect(message(page, ts).get_by_test_id("replies")).to_contain_text("2 replies")
    await expect(page.get_by_test_id("channel").get_by_test_id("message")).to_have_count(1)
    assert [message.text for message in slack.thread("deploys", ts)][-1] == "thanks"
    await thread.get_by_role("button", name="Close thread").click()
    await expect(thread).to_have_count(0)


async def test_broadcast_reply_is_shown_in_the_channel(app: App, page: Page) -> None:
    """It is marked as a thread reply and links to its thread."""
    ts = await posted(app, "deploy-api runs.")
    await posted(app, "It failed.", thread_ts=ts, reply_broadcast=True)
    last = page.get_by_test_id("channel").get_by_test_id("message").last
    await expect(last).to_contain_text("replied to a thread: deploy-api runs.")
    await last.get_by_role("button", name="deploy-api runs.").click()
    await expect(page.get_by_test_id("thread").get_by_test_id("message")).to_have_count(2)


async def test_ephemeral_message_says_who_sees_it(app: App, page: Page) -> None:
    """The message is marked as visible to one user only."""
    await app.client.chat_postEphemeral(channel="C0DEPLOYS", user="U0ADA", text="No such job.")
    shown = page.get_by_test_id("message").filter(has_text="No such job.")
    await expect(shown).to_contain_text("Only visible to you")


async def test_suggestion_fills_the_composer_or_is_sent(slack: LocalSlack, page: Page) -> None:
    """A click fills in the text or sends it."""
    first = page.get_by_test_id("suggestion").first
    await first.get_by_role("button", name=re.compile("^A deploy")).click()
    await expect(page.get_by_test_id("composer")).to_have_value("@jobthread deploys:JOB1")
    await expect(page.get_by_test_id("composer")).to_be_focused()
    assert slack.messages("deploys") == []
    await first.get_by_role("button", name="Send: @jobthread deploys:JOB1").click()
    await expect(page.get_by_test_id("message")).to_have_count(1)


async def test_slash_opens_command_completion(page: Page) -> None:
    """The suggested commands are completed with one key."""
    await page.get_by_test_id("composer").fill("/jo")
    await expect(page.get_by_test_id("slash-hint")).to_contain_text("/job help")
    await page.get_by_test_id("composer").press("Tab")
    await expect(page.get_by_test_id("composer")).to_have_value("/job help")


async def test_modal_is_filled_in_and_submitted(slack: LocalSlack, app: App, page: Page) -> None:
    """The values arrive in Slack's form, and the app's error is shown at its input."""
    ts = await posted(app, "Ask me.", blocks=card("Hello", button("Follow a job", "ask")))
    await message(page, ts).get_by_role("button", name="Follow a job").click()
    trigger = (await slack.until(lambda: app.last("block_actions")))["trigger_id"]
    element = {"type": "plain_text_input", "action_id": "id"}
    label = {"type": "plain_text", "text": "Job"}
    view = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Follow"},
        "submit": {"type": "plain_text", "text": "Start"},
        "blocks": [{"type": "input", "block_id": "job", "label": label, "element": element}],
    }
    await app.client.views_open(trigger_id=trigger, view=view)
    modal = page.get_by_test_id("modal")
    await modal.get_by_label("Job", exact=True).fill("JOB9")
    app.errors = {"job": "No job is called JOB9."}
    await modal.get_by_role("button", name="Start").click()
    await expect(modal).to_contain_text("No job is called JOB9.")
    app.errors = {}
    await modal.get_by_label("Job", exact=True).fill("JOB1")
    await modal.get_by_role("button", name="Start").click()
    await expect(modal).to_have_count(0)
    submitted = app.last("view_submission")
    assert submitted is not None
    values = submitted["view"]["state"]["values"]
    assert values == {"job": {"id": {"type": "plain_text_input", "value": "JOB1"}}}


async def test_shortcut_opens_a_modal_usable_by_keyboard(
    slack: LocalSlack, app: App, page: Page
) -> None:
    """The keyboard is enough from the shortcut button to the submission."""
    jobs = [option("deploy-api · ✅ succeeded · 1", "d:1"), option("backup · ❌ failed · 2", "d:2")]
    label = {"type": "plain_text", "text": "deploys"}
    app.offers = {"": {"option_groups": [{"label": label, "options": jobs}]}}
    app.offers["back"] = {"options": jobs[1:]}
    await page.get_by_role("button", name="Shortcuts").click()
    await page.get_by_role("menuitem", name="Ask about a job").click()
    trigger = (await slack.until(lambda: app.last("shortcut")))["trigger_id"]
    await app.client.views_open(trigger_id=trigger, view=asking_modal())
    dialog = page.get_by_test_id("modal")
    job = dialog.get_by_role("combobox", name="Job", exact=True)
    await expect(job).to_be_focused()
    await job.press("ArrowDown")
    offered = dialog.get_by_role("group", name="deploys").get_by_role("option")
    await expect(offered).to_have_text([one["text"]["text"] for one in jobs])
    await job.press("Escape")
    await expect(offered).to_have_count(0)
    await job.press_sequentially("back")
    found = dialog.get_by_role("listbox").get_by_role("option", selected=True)
    await expect(found).to_have_text("backup · ❌ failed · 2")
    await job.press("Enter")
    await expect(job).to_have_value("backup · ❌ failed · 2")
    await dialog.get_by_label("Only show it to me").check()
    await dialog.get_by_role("button", name="Ask", exact=True).click()
    await expect(dialog).to_have_count(0)
    values = (await slack.until(lambda: app.last("view_submission")))["view"]["state"]["values"]
    assert values["job"]["job"]["selected_option"] == jobs[1]
    assert values["channel"]["channel"]["selected_conversation"] == "C0DEPLOYS"
    assert [one["value"] for one in values["for_whom"]["for_whom"]["selected_options"]] == ["peek"]


async def test_message_menu_has_the_message_shortcut(
    slack: LocalSlack, app: App, page: Page
) -> None:
    """The shortcut reaches the app with its message."""
    ts = await posted(app, "See deploys:JOB1.")
    await message(page, ts).hover()
    await message(page, ts).get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Follow jobs in this message").click()
    payload = await slack.until(lambda: app.last("message_action"))
    assert payload["callback_id"] == "follow_jobs"
    assert payload["message"]["ts"] == ts


async def test_permalink_highlights_its_message(slack: LocalSlack, app: App, page: Page) -> None:
    """A reply is highlighted in its opened thread."""
    root = await posted(app, "The root.")
    for number in range(30):
        await posted(
            app, f"Line {number}", blocks=card(f"Line {number}", button("Refresh", "refresh"))
        )
    reply = await posted(app, "The reply.", thread_ts=root)
    await page.goto(f"{slack.url}archives/C0DEPLOYS/p{root.replace('.', '')}")
    await expect(message(page, root)).to_have_class(re.compile("highlighted"))
    await expect(message(page, root)).to_be_in_viewport()
    address = f"{slack.url}archives/C0DEPLOYS/p{reply.replace('.', '')}?thread_ts={root}"
    await page.goto(address)
    shown = page.get_by_test_id("thread").locator(f'[data-ts="{reply}"]')
    await expect(shown).to_have_class(re.compile("highlighted"))


HOSTILE = (
    ("&lt;img src=x onerror=alert(1)&gt;", "<img src=x onerror=alert(1)>"),
    ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
    ("<javascript:alert(1)|click>", "click"),
    ("<data:text/html,x|click>", "click"),
    ("[a](https://example.com)", "[a](https://example.com)"),
    ("![a](https://example.com/x.png)", "![a](https://example.com/x.png)"),
    (
        "`[a](javascript:alert(1)) https://example.com`",
        "[a](javascript:alert(1)) https://example.com",
    ),
    ("`*a* and *b*`", "*a* and *b*"),
    ("# no heading", "# no heading"),
    ("1. no list", "1. no list"),
    ("a*b*c and &amp;lt;i&amp;gt; and snake_case_name", "a*b*c and &lt;i&gt; and snake_case_name"),
)
MADE = "a, img, h1, h2, h3, h4, li, iframe, script"


async def test_untrusted_text_is_not_interpreted(app: App, page: Page) -> None:
    """Text that looks like markup is shown as text, in every kind of block."""
    texts: list[Json] = [{"type": "mrkdwn", "text": text, "verbatim": True} for text, _ in HOSTILE]
    blocks = [
        *({"type": "section", "text": text} for text in texts),
        *({"type": "section", "fields": [text]} for text in texts),
        *({"type": "context", "elements": [text]} for text in texts),
    ]
    shown = [words for _, words in HOSTILE]
    bare = await posted(app, "\n".join(text for text, _ in HOSTILE))
    drawn = await posted(app, "In blocks.", blocks=blocks)
    await expect(message(page, bare)).to_contain_text("\n".join(shown))
    await expect(message(page, drawn).locator(".blocks > *")).to_have_text(shown * 3)
    for ts in (bare, drawn):
        await expect(message(page, ts).locator(MADE)).to_have_count(0)


async def test_plain_text_is_not_interpreted_as_markup(app: App, page: Page) -> None:
    """This holds for plain text, rich text, task titles and table cells."""
    text = "# *x* [a](javascript:alert(1)) `y` <i>"
    part = {"type": "text", "text": text}
    bad = {"type": "link", "url": "javascript:alert(1)", "text": "bad"}
    rich = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [part, bad]}],
    }
    source = {"type": "url", "url": "javascript:alert(1)", "text": "worse"}
    task = {"type": "task_card", "task_id": "1", "title": text, "status": "error"}
    rows = [[{"type": "raw_text", "text": text}], [rich]]
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": text}},
        rich,
        {**task, "output": rich, "sources": [source]},
        {"type": "table", "rows": rows},
    ]
    ts = await posted(app, "Literal.", blocks=blocks)
    for block in (".blocks > :nth-child(1)", ".blocks > :nth-child(2)", "[data-task-id]", "table"):
        await expect(message(page, ts).locator(block)).to_contain_text(text)
    await expect(message(page, ts).locator("a, i, em, h1, h2")).to_have_count(0)


async def test_mrkdwn_is_rendered(app: App, page: Page) -> None:
    """Bold, code, fences, links, mentions and dates are rendered."""
    text = (
        "*bold* `code` 🚀 :tada: <https://example.com/?a=1&amp;b=2|a page> <@U0ADA> <#C0GENERAL>\n"
        "• a line <!date^1700000000^{date_num}|then>\n```\na *fence*\n  of two\n```"
    )
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    ts = await posted(app, "Marked.", blocks=[section])
    shown = message(page, ts).locator(".section")
    await expect(shown).to_contain_text("bold code 🚀 🎉 a page @ada #general")
    await expect(shown).to_contain_text(re.compile("• a line 11/1[45]/2023"))
    await expect(shown.get_by_text("bold", exact=True)).to_have_css("font-weight", "700")
    await expect(shown.get_by_text("code", exact=True)).to_have_css(
        "font-family", re.compile("mono")
    )
    await expect(shown.locator("pre")).to_have_text("a *fence*\n  of two")
    link = shown.get_by_role("link", name="a page")
    await expect(link).to_have_attribute("href", "https://example.com/?a=1&b=2")
    await expect(shown.locator(".mention")).to_have_text(["@ada", "#general"])


async def test_markdown_block_renders_only_web_links(app: App, page: Page) -> None:
    """Scripts, mail links and foreign images are not rendered."""
    text = (
        "**b** [a](javascript:alert(1)) [m](mailto:x@y.z) <b>x</b> ![p](https://example.com/p.png)"
    )
    ts = await posted(app, "Markdown.", blocks=[{"type": "markdown", "text": text}])
    shown = message(page, ts).locator(".markdown")
    await expect(shown).to_have_text("b a m <b>x</b> 🖼 p")
    await expect(shown.get_by_role("link")).to_have_text(["🖼 p"])
    await expect(shown.locator("img")).to_have_count(0)


async def test_tasks_and_tables_show_their_state_in_words(app: App, page: Page) -> None:
    """Colours and icons are not required to read them."""
    states = {"complete": "Done", "in_progress": "Running", "pending": "Waiting", "error": "Failed"}
    tasks = [
        {"type": "task_card", "task_id": status, "title": f"Step {status}", "status": status}
        for status in states
    ]
    rows = [
        [{"type": "raw_text", "text": text} for text in row]
        for row in (("Job", "Took"), ("api", "12 s"))
    ]
    blocks = [{"type": "plan", "title": "Steps", "tasks": tasks}, {"type": "table", "rows": rows}]
    ts = await posted(app, "Steps.", blocks=blocks)
    for status, word in states.items():
        task = message(page, ts).locator(f'[data-task-id="{status}"]')
        await expect(task).to_contain_text(f"Step {status}")
        await expect(task.get_by_text(word, exact=True)).to_be_visible()
    await expect(message(page, ts).get_by_role("columnheader")).to_have_text(["Job", "Took"])
    await expect(message(page, ts).get_by_role("cell")).to_have_text(["api", "12 s"])


async def test_page_shows_whether_the_bot_is_connected(slack: LocalSlack, page: Page) -> None:
    """The text changes with the connection."""
    status = page.get_by_test_id("bot-status")
    await expect(status).to_have_text("jobthread is not connected")
    async with connected(slack):
        await expect(status).to_have_text("jobthread is connected")
    await expect(status).to_have_text("jobthread is not connected")


async def test_message_in_another_channel_is_marked_unread(app: App, page: Page) -> None:
    """The marker has an accessible name and disappears when the channel is opened."""
    general = page.get_by_role("navigation").get_by_role("button", name="general")
    await app.client.chat_postMessage(channel="C0GENERAL", text="News.")
    await expect(general.get_by_label("unread messages")).to_be_visible()
    await general.click()
    await expect(page.get_by_test_id("message")).to_contain_text("News.")
    await expect(general.get_by_label("unread messages")).to_have_count(0)


async def test_page_contacts_no_other_host(app: App, page: Page) -> None:
    """Foreign images become links; the page fixture checks requests and console errors."""
    picture = {"type": "image", "image_url": "https://example.com/x.png", "alt_text": "a chart"}
    await posted(app, "A picture.", blocks=[picture])
    last = page.get_by_test_id("message").last
    await expect(last.get_by_role("link", name="a chart")).to_be_visible()
    await expect(last.get_by_role("img")).to_have_count(0)


@pytest.mark.parametrize(
    "block", [{"type": "hologram"}, {"type": "toString"}, {"type": "plan", "tasks": [None]}]
)
async def test_unsupported_block_is_named(page: Page, slack: LocalSlack, block: Json) -> None:
    """An unknown or broken block is a grey box with its type; other blocks are rendered."""
    await slack.says("hello")
    blocks = [block, {"type": "header", "text": {"type": "plain_text", "text": "Next"}}]
    message_json = {**slack.messages("deploys")[0].as_page(), "blocks": blocks}
    await page.route("**/page/state", lambda route: _answer(route, message_json))
    await page.reload()
    shown = page.get_by_test_id("message")
    await expect(shown.locator(".unknown")).to_contain_text(block["type"])
    await expect(shown.get_by_role("heading")).to_have_text("Next")


async def _answer(route: Route, message_json: Json) -> None:
    state = await (await route.fetch()).json()
    await route.fulfill(json={**state, "messages": [message_json]})


async def test_page_catches_up_after_a_lost_connection(app: App, page: Page) -> None:
    """Messages posted meanwhile are shown as soon as the connection is back."""
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    await page.route_web_socket("**/page/events", through)
    await page.reload()
    await expect(page.get_by_test_id("bot-status")).to_have_text("jobthread is connected")
    await sockets[0].close()
    ts = await posted(app, "Said meanwhile.")
    await expect(message(page, ts)).to_be_visible()
    assert len(sockets) == 2
