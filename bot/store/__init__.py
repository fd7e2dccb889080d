"""What the bot must not forget: questions, messages on their way, watches and watched jobs."""

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
