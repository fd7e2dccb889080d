"""Durable state: inbox, outbox, watches, watched jobs, boards, channel settings, decisions."""

from bot.store.records import (
    STOPPED_BY,
    Board,
    BoardKind,
    ChannelContract,
    Claim,
    Decided,
    NewPost,
    Post,
    PostKind,
    PostState,
    Question,
    Said,
    Watch,
    WatchedJob,
    WatchState,
)
from bot.store.store import Store, Transaction

__all__ = [
    "STOPPED_BY",
    "Board",
    "BoardKind",
    "ChannelContract",
    "Claim",
    "Decided",
    "NewPost",
    "Post",
    "PostKind",
    "PostState",
    "Question",
    "Said",
    "Store",
    "Transaction",
    "Watch",
    "WatchState",
    "WatchedJob",
]
