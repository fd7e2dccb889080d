"""Takes the README's picture from the local Slack's page, in a headless Chromium: `make picture`."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

from playwright.async_api import Page, async_playwright

from bot.demo import CHECK_SPEED, Demo, demo

PICTURE = Path(__file__).with_name("card-and-thread.png")
VIEW = {"width": 1360, "height": 1000}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


async def main() -> None:
    """Let a job fail in the demo, open its thread, and take the picture."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("The picture is taken with Chromium: install it first.")
    async with demo(speed=CHECK_SPEED) as running, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = await browser.new_page(viewport=VIEW, device_scale_factor=1.25)
        await page.goto(running.slack.url)
        await _ask(running, page)
        await page.screenshot(path=PICTURE)
        await browser.close()


async def _ask(running: Demo, page: Page) -> None:
    fails = next(s for s in running.simulated[0].samples if "fails" in s.title)
    await running.slack.says(f"/job deploys:{fails.id}")
    card = await running.slack.until(
        lambda: next((m for m in running.slack.messages() if fails.id in str(m.blocks)), None)
    )
    assert card is not None  # noqa: S101  `until` waits for something true
    await running.slack.until(
        lambda: any("failed after" in m.text for m in running.slack.thread("deploys", card.ts)),
        seconds=30,
    )
    await page.get_by_test_id("replies").first.click()
    await page.get_by_test_id("thread").get_by_text("failed after").first.wait_for()
    await page.mouse.move(700, 30)
    await page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    asyncio.run(main())
