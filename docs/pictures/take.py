"""Takes the pictures from the local Slack's page, in a headless Chromium: `make picture`."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import Page, async_playwright

from bot.cli.demo.demo import CHECK_SPEED, Demo, demo

if TYPE_CHECKING:
    from bot.cli.demo.simulators import Simulated
    from bot.sdk.provider import Sample
    from localslack.state.messages import Message

FOLDER = Path(__file__).parent
VIEW = {"width": 1360, "height": 1000}
NARROW = {"width": 1000, "height": 1000}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
LONGEST_SECONDS = 30.0  # that a job of the demo takes at its quickened pace


async def main() -> None:
    """Take a card and its thread for the README, and a card of each job system."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("The pictures are taken with Chromium: install it first.")
    async with demo(speed=CHECK_SPEED) as running, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = await browser.new_page(viewport=VIEW, device_scale_factor=1.25)
        await page.goto(running.slack.url)
        await _thread(running, page)
        await _board(running, page)
        page = await browser.new_page(viewport=NARROW, device_scale_factor=1.25)
        for simulated in running.simulated:
            await _card(running, page, simulated)
        await browser.close()


async def _thread(running: Demo, page: Page) -> None:
    deploys = next(each for each in running.simulated if each.name == "deploys")
    await _ended(running, deploys, _failing(deploys))
    await page.get_by_test_id("replies").first.click()
    await page.get_by_test_id("thread").get_by_text("failed after").first.wait_for()
    await page.mouse.move(700, 30)
    await page.wait_for_load_state("networkidle")
    await page.screenshot(path=FOLDER / "card-and-thread.png")


async def _board(running: Demo, page: Page) -> None:
    """Take a board whose jobs have ended, and the modal that tells and changes what is told."""
    deploys = next(each for each in running.simulated if each.name == "deploys")
    refs = [f"deploys:{sample.id}" for sample in deploys.samples[:5]]
    await page.get_by_text("general", exact=True).first.click()
    await running.slack.says("/job quiet", channel="general")
    await running.slack.says(f"/job {' '.join(refs)}", channel="general")
    board = await running.slack.until(lambda: _closed_board(running), seconds=LONGEST_SECONDS)
    shown = page.locator(f'[data-testid="message"][data-ts="{board.ts}"]').first
    await shown.screenshot(path=FOLDER / "board.png")
    await running.slack.says("/job settings", channel="general")
    await page.get_by_role("dialog").screenshot(path=FOLDER / "settings.png")


def _closed_board(running: Demo) -> Message | None:
    said = running.slack.messages("general")
    return next((m for m in said if "All jobs have ended" in str(m.blocks)), None)


async def _card(running: Demo, page: Page, simulated: Simulated) -> None:
    """Take the card alone, once its job has ended."""
    card = await _ended(running, simulated, _failing(simulated))
    await page.goto(running.slack.url)
    shown = page.locator(f'[data-testid="message"][data-ts="{card.ts}"]').first
    await shown.wait_for()
    await shown.screenshot(path=FOLDER / f"{simulated.settings['provider']}.png")


def _failing(simulated: Simulated) -> Sample:
    """Return a sample that fails, for its card shows most."""
    return next((s for s in simulated.samples if "fail" in s.title), simulated.samples[0])


async def _ended(running: Demo, simulated: Simulated, sample: Sample) -> Message:
    """Ask for a job, and wait until its card says that it has ended."""
    ref = f"{simulated.name}:{sample.id}"
    if not any(ref in str(m.blocks) for m in running.slack.messages()):
        await running.slack.says(f"/job {ref}")
    return await running.slack.until(
        lambda: next(
            (
                m
                for m in running.slack.messages()
                if m.thread_ts is None and ref in str(m.blocks) and "Stop" not in str(m.blocks)
            ),
            None,
        ),
        seconds=LONGEST_SECONDS,
    )


if __name__ == "__main__":
    asyncio.run(main())
