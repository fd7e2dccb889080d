"""The local Slack with Slack's own limits, in a process of its own, its channels full of cards."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localslack import LocalSlack, Timing
from localslack.state.entities import BOT, Channel, User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PER_SECOND, BURST = 1.0, 4  # posts in a channel: "one message per second, short bursts allowed"
ASKER = User("U0ADA", "ada")


@dataclass(frozen=True)
class Limited:
    """A Slack that runs elsewhere: where it listens, and the cards that stand in each channel."""

    api_url: str
    token: str
    cards: dict[str, list[str]]  # by channel, each card's timestamp

    @property
    def count(self) -> int:
        """How many cards there are."""
        return sum(map(len, self.cards.values()))


def slack_with(channels: int) -> LocalSlack:
    """Return a local Slack with Slack's own limits and so many channels; it does not run yet."""
    members = frozenset({ASKER.id, BOT.id})
    channel_list = [Channel(f"C0N{n:06d}", f"n{n:06d}", members) for n in range(channels)]
    timing = Timing(posts_per_second=PER_SECOND, burst=BURST)
    return LocalSlack(users=(ASKER, BOT), channels=channel_list, timing=timing)


def stand_cards(slack: LocalSlack, each: int) -> dict[str, list[str]]:
    """Put so many cards into each channel, at once and past all limits; return where they are."""
    workspace = slack.workspace
    return {
        channel: [
            workspace.post(workspace.bot_draft(channel, text="a card")).ts for _ in range(each)
        ]
        for channel in workspace.channels
    }


@asynccontextmanager
async def limited(channels: int, each: int) -> AsyncIterator[Limited]:
    """Run it in a process of its own, which is ended by its own id."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.rate_limited_slack", str(channels), str(each)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield Limited(**json.loads(await process.stdout.readline()))
    finally:
        process.stdin.close()  # it ends with us, however we end
        await process.wait()


async def _serve(channels: int, each: int) -> None:
    async with slack_with(channels) as slack:
        cards = stand_cards(slack, each)
        address = {"api_url": slack.api_url, "token": slack.bot_token, "cards": cards}
        print(json.dumps(address), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
