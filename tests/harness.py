"""The real bot, a local Slack, and a simulated ServiceStage whose jobs the tests control."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.app import Bot
from bot.notifications.policy import NotifySettings
from bot.sdk.testing import ManualClock, serve
from bot.settings import Settings
from localslack import LocalSlack
from plugins.huaweicloud.simulator import Tenant
from plugins.servicestage.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.providers.plugin_loader import Plugins
    from bot.sdk.models import JobRef
    from localslack.state.messages import Message

POLL_SECONDS = 10.0


@dataclass
class BotHarness:
    """The bot in a channel of a local Slack, with simulated jobs."""

    slack: LocalSlack
    servicestage: Simulator
    clock: ManualClock
    settings: Settings
    bot: Bot

    async def says(self, text: str, **where: Any) -> None:
        """Send a message or command as Ada."""
        answer = await self.slack.says(text, **where)
        assert answer.ok, answer.error

    async def request_card(self, text: str, **where: Any) -> Message:
        """Send a message or command as Ada; return the bot's new message in that channel."""
        before = {m.ts for m in self.slack.messages(where.get("channel", "deploys"))}
        await self.says(text, **where)
        message = await self.wait_for_post(before, where.get("channel", "deploys"))
        await self.settle()
        return message

    async def settle(self) -> None:
        """Advance the clock in small steps until every outbox message is confirmed."""
        async with asyncio.timeout(5):
            while await self.pending_messages():
                await self.clock.advance(0.1)

    async def pending_messages(self) -> int:
        """Return the number of outbox messages that are not confirmed."""
        async with self.bot.store.begin() as tx:
            return (await tx.outbox.backlog(self.clock.now() + timedelta(days=1)))[0]

    async def wait_for_post(self, before: set[str], channel: str = "deploys") -> Message:
        """Wait for the bot's next message in the channel."""
        return await self.slack.until(
            lambda: next(
                (
                    m
                    for m in self.slack.messages(channel)
                    if m.ts not in before and m.user == self.slack.workspace.bot.id
                ),
                None,
            )
        )

    async def wait_for_ephemeral(self, words: str, user: str = "ada") -> Message:
        """Wait for an ephemeral message with this text."""
        return await self.slack.until(
            lambda: next((m for m in self.slack.ephemerals(user) if words in _whole_text(m)), None)
        )

    async def wait_for_reply(self, card: Message, words: str) -> Message:
        """Wait for a thread reply with this text, and until the bot has confirmed it."""
        message = await self.wait_for_unconfirmed_reply(card, words)
        await self.settle()
        return message

    async def wait_for_unconfirmed_reply(self, card: Message, words: str) -> Message:
        """Wait for a thread reply with this text, confirmed or not."""
        return await self.slack.until(
            lambda: next((m for m in self.thread(card) if words in m.text), None)
        )

    async def wait_for_card(self, card: Message, words: str) -> Message:
        """Wait until the card contains this text."""
        return await self.slack.until(
            lambda: next((m for m in [self.current(card)] if words in _whole_text(m)), None)
        )

    def thread(self, card: Message) -> list[Message]:
        """Return the replies in the card's thread."""
        return self.slack.thread(card.channel, card.ts)[1:]

    def current(self, card: Message) -> Message:
        """Return the card's present version."""
        return self.slack.thread(card.channel, card.ts)[0]

    async def advance_poll(self) -> None:
        """Advance the clock by one poll interval."""
        await self.clock.advance(POLL_SECONDS)

    async def poll_times(self, times: int) -> None:
        """Advance the clock until ServiceStage got this many more calls."""
        wanted = len(self.servicestage.calls) + times
        async with asyncio.timeout(10):
            while len(self.servicestage.calls) < wanted:
                await self.clock.advance(POLL_SECONDS)
                await self.settle()

    async def watches(self) -> list[JobRef]:
        """Return the references of the channel's watches."""
        async with self.bot.store.begin() as tx:
            found = await tx.watches.in_channel(
                self.slack.workspace.team.id, self.slack.workspace.channel("deploys").id
            )
        return [watch.ref for watch, _ in found]


def _whole_text(message: Message) -> str:
    return f"{message.text} {message.blocks}"


@asynccontextmanager
async def bot_harness(
    folder: Path,
    *,
    plugins: Plugins | None = None,
    notify: dict[str, Any] | None = None,
    **slack: Any,
) -> AsyncIterator[BotHarness]:
    """Run a local Slack, a simulated ServiceStage and the bot. `notify`: its settings section."""
    clock = ManualClock()
    simulator = Simulator(clock)
    async with LocalSlack(clock=clock, **slack) as local, serve(simulator.app) as url:
        settings = settings_for(local, url, folder)
        wanted = NotifySettings.model_validate(notify or {})
        settings = settings.model_copy(update={"notify": wanted})
        async with Bot(settings, clock=clock, plugins=plugins) as bot:
            yield BotHarness(local, simulator, clock, settings, bot)


def settings_for(slack: LocalSlack, url: str, folder: Path) -> Settings:
    """Return settings for this Slack and the ServiceStage at this URL."""
    keys = Tenant().key_settings()
    return Settings(
        slack={
            "api_url": slack.api_url,
            "bot_token": slack.bot_token,
            "app_token": slack.app_token,
        },
        store={"url": f"sqlite+aiosqlite:///{folder / 'jobthread.db'}"},
        follow={"poll_seconds": POLL_SECONDS},
        connections={"deploys": {"provider": "servicestage", "endpoint": url, **keys}},
    )
