"""A stage whose channels want boards, and what tests look at there."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plugins.servicestage.script import JobScript, JobStep
from tests.bot.conftest import Stage, staged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.playground.messages import Message
    from bot.store import Board, Watch

A, B, C = (f"JOB{n}7cb1778-07b1-4c8f-a183-c86cffbe8f9e" for n in (1, 2, 3))
STEPS = (JobStep("PREPARE", 30_000), JobStep("UPGRADE", 90_000))


@dataclass
class BoardStage(Stage):
    """A stage with a few long jobs, in whose channels several jobs share a message."""

    def begin(self, *ids: str) -> None:
        """Begin long jobs."""
        for id_ in ids or (A, B, C):
            self.servicestage.add(JobScript(id_, STEPS, type=f"DEPLOY-{id_[3]}", queued_seconds=0))

    async def wants_boards(self, *channels: str) -> None:
        """Let channels say that they want boards."""
        async with self.bot.store.begin() as tx:
            for name in channels or ("deploys",):
                place = self.slack.workspace.channel(name)
                team = self.slack.workspace.team.id
                await tx.contracts.set(team, place.id, {"board": True}, "U1", self.clock.now())

    async def moves(self, id_: str, word: str) -> None:
        """Let a job change, and the bot see it and tell it."""
        self.servicestage.finish(id_, word)
        await self.looks(1)
        await self.polls()
        await self.at_rest()

    def said(self, channel: str = "deploys") -> list[Message]:
        """Return the bot's own messages in the channel itself."""
        bot = self.slack.workspace.bot.id
        return [m for m in self.slack.messages(channel) if m.user == bot and not m.thread_ts]

    async def rows_of(self, board: Message) -> list[tuple[str, Watch]]:
        """Return the ids of the jobs on a board, with their watches."""
        seats = await self.seats(board)
        return [(watch.ref.id, watch) for watch in seats]

    async def seats(self, board: Message) -> list[Watch]:
        """Return the watches of the board whose message this is."""
        known = await self.board(board)
        async with self.bot.store.begin() as tx:
            return [watch for watch, _ in await tx.watches.of_board(known.id)]

    async def board(self, message: Message) -> Board:
        """Return the board whose message this is."""
        team = self.slack.workspace.team.id
        async with self.bot.store.begin() as tx:
            watch = await tx.watches.by_card(team, message.channel, message.ts)
            assert watch is not None
            board = await tx.boards.get(str(watch.board_id))
        assert board is not None
        return board


def table(message: Message) -> list[list[str]]:
    """Return the rows of a board's table, without their heading, as a reader sees them."""
    [found] = [block for block in message.blocks if block["type"] in ("data_table", "table")]
    return [["".join(_texts(cell)) for cell in row] for row in found["rows"][1:]]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return [*own, *(text for part in value.values() for text in _texts(part))]
    return [text for part in value for text in _texts(part)] if isinstance(value, list) else []


@asynccontextmanager
async def boarded(folder: Path, **slack: Any) -> AsyncIterator[BoardStage]:
    """Set the stage, with long jobs and a channel that wants boards."""
    async with staged(folder, **slack) as set_:
        stage = BoardStage(set_.slack, set_.servicestage, set_.clock, set_.settings, set_.bot)
        stage.begin()
        await stage.wants_boards()
        yield stage
