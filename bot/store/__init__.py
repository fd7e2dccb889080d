"""Durable state: inbox, outbox, watches, watched jobs, boards, channel settings, decisions."""

from bot.store.records import (
    STOPPED_BY_PREFIX,
    Board,
    BoardKind,
    ChannelOverrides,
    Claim,
    DecisionRecord,
    DeliveryAction,
    EventKind,
    InboxItem,
    MessageKind,
    MessageState,
    NewMessage,
    OutboxMessage,
    SentMessage,
    Watch,
    WatchedJob,
    WatchState,
)
from bot.store.store import Store, Transaction

__all__ = [
    "STOPPED_BY_PREFIX",
    "Board",
    "BoardKind",
    "ChannelOverrides",
    "Claim",
    "DecisionRecord",
    "DeliveryAction",
    "EventKind",
    "InboxItem",
    "MessageKind",
    "MessageState",
    "NewMessage",
    "OutboxMessage",
    "SentMessage",
    "Store",
    "Transaction",
    "Watch",
    "WatchState",
    "WatchedJob",
]
