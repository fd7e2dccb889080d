"""In-memory workspace: users, channels, messages, and an event for every change. No I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from localslack.state.entities import (
    CHANNELS,
    USER_GROUPS,
    USERS,
    App,
    Channel,
    Team,
    User,
    UserGroup,
)
from localslack.state.events import EventBus, EventKind, WorkspaceEvent
from localslack.state.messages import Json, Message, Reaction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from localslack.state.clock import Clock


class Workspace:
    """The state of a workspace; every change is published on `events`."""

    def __init__(
        self,
        clock: Clock,
        *,
        users: Iterable[User] = USERS,
        channels: Iterable[Channel] = CHANNELS,
        groups: Iterable[UserGroup] = USER_GROUPS,
    ) -> None:
        self.clock = clock
        self.team = Team()
        self.app = App()
        self.events = EventBus()
        self.users = {user.id: user for user in users}
        self.channels = {channel.id: channel for channel in channels}
        self.groups = {group.id: group for group in groups}
        self.bot = next(user for user in self.users.values() if user.is_bot)
        self.me = next(user for user in self.users.values() if not user.is_bot)
        self._messages: dict[str, dict[str, Message]] = {id_: {} for id_ in self.channels}
        self._ephemerals: dict[tuple[str, str], Message] = {}
        self._last_ts = 0  # microseconds
        self._ids = 0
        self.refused_blocks: set[str] = set()  # block types that this workspace does not support
        self.post_without_joining = False  # whether the app has `chat:write.public`
        self.address = ""  # the server's base URL, with a trailing slash

    # Ids, users and channels.

    def next_ts(self) -> str:
        """Return a unique ts, later than every other."""
        now = int(self.clock.now().timestamp() * 1_000_000)
        self._last_ts = max(now, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def next_id(self, prefix: str) -> str:
        """Return an id that is unique in the workspace."""
        self._ids += 1
        return f"{prefix}{self._ids:08d}"

    def user(self, name: str) -> User:
        """Return the user of this id or name, with or without the `@`."""
        bare = name.removeprefix("@")
        for user in self.users.values():
            if bare in {user.id, user.name}:
                return user
        known = ", ".join(user.name for user in self.users.values())
        raise LookupError(f"There is no user {name}; there are {known}.")

    def find_channel(self, name: str) -> Channel | None:
        """Return the channel of this id or name, with or without the `#`, if there is one."""
        bare = name.removeprefix("#")
        named = (c for c in self.channels.values() if c.name == bare and not c.is_im)
        return self.channels.get(bare) or next(named, None)

    def channel(self, name: str) -> Channel:
        """Return the channel of this id or name; "im" is the first user's direct channel."""
        found = self.direct_channel(self.me.id) if name == "im" else self.find_channel(name)
        if found is None:
            known = ", ".join(f"#{c.name}" for c in self.channels.values() if not c.is_im)
            raise LookupError(f"There is no channel {name}; there are {known}.")
        return found

    def direct_channel(self, user: str) -> Channel:
        """Return the direct channel of the bot and this user; create it if there is none."""
        for channel in self.channels.values():
            if channel.is_im and user in channel.members:
                return channel
        members = frozenset({user, self.bot.id})
        opened = Channel(self.next_id("D"), self.bot.name, members, is_im=True)
        self.channels[opened.id] = opened
        self._messages[opened.id] = {}
        return opened

    def archive(self, channel: str) -> None:
        """Archive the channel."""
        found = self.channel(channel)
        self.channels[found.id] = replace(found, is_archived=True)

    def unarchive(self, channel: str) -> None:
        """Unarchive the channel."""
        found = self.channel(channel)
        self.channels[found.id] = replace(found, is_archived=False)

    def leave(self, channel: str, user: str) -> None:
        """Remove the user from the channel."""
        found = self.channel(channel)
        self.channels[found.id] = replace(found, members=found.members - {user})

    def join(self, channel: str, user: str) -> None:
        """Add the user to the channel."""
        found = self.channel(channel)
        self.channels[found.id] = replace(found, members=found.members | {user})

    # Messages.

    def find(self, channel: str, ts: str) -> Message | None:
        """Return the non-ephemeral message of this ts, if it exists."""
        return self._messages.get(channel, {}).get(ts)

    def find_ephemeral(self, channel: str, ts: str) -> Message | None:
        """Return the ephemeral message of this ts, if it exists."""
        return self._ephemerals.get((channel, ts))

    def messages(self, channel: str) -> list[Message]:
        """Return all messages of the channel and its threads, oldest first."""
        return list(self._messages[channel].values())

    def thread(self, channel: str, ts: str) -> list[Message]:
        """Return the thread of any of its messages: the root, then replies, oldest first."""
        found = self.find(channel, ts)
        root = self.find(channel, found.root_ts) if found else None
        if root is None:
            return []
        return [root, *(self._messages[channel][reply] for reply in root.replies)]

    def ephemerals(self) -> list[Message]:
        """Return every ephemeral message, oldest first."""
        return list(self._ephemerals.values())

    def post(self, draft: Message) -> Message:
        """Post the draft; this assigns its ts."""
        posted = replace(draft, ts=self.next_ts())
        self._store(posted)
        self.events.publish(WorkspaceEvent(EventKind.POSTED, message=posted))
        if posted.thread_ts and not posted.ephemeral_for:
            self._add_to_root(posted)
        return posted

    def edit(self, message: Message, **fields: Any) -> Message:
        """Edit the message."""
        edited = replace(message, **fields, edited_ts=self.next_ts())
        self._store(edited)
        self.events.publish(WorkspaceEvent(EventKind.EDITED, message=edited, before=message))
        return edited

    def delete(self, message: Message) -> None:
        """Delete the message; a root with replies becomes a tombstone."""
        remaining = message
        if message.ephemeral_for:
            del self._ephemerals[message.channel, message.ts]
        elif message.replies:
            remaining = _tombstone(message)
            self._store(remaining)
        else:
            del self._messages[message.channel][message.ts]
            self._remove_from_root(message)
        self.events.publish(WorkspaceEvent(EventKind.DELETED, message=remaining, before=message))

    def react(self, message: Message, name: str, user: str) -> Message:
        """Add this user's reaction."""
        return self._set_reactors(message, name, (*message.reactors(name), user))

    def unreact(self, message: Message, name: str, user: str) -> Message:
        """Remove this user's reaction."""
        remaining = tuple(other for other in message.reactors(name) if other != user)
        return self._set_reactors(message, name, remaining)

    def _set_reactors(self, message: Message, name: str, users: tuple[str, ...]) -> Message:
        # An emoji keeps its position for as long as it has a user.
        by_name = {reaction.name: reaction for reaction in message.reactions}
        by_name[name] = Reaction(name, users)
        reactions = tuple(reaction for reaction in by_name.values() if reaction.users)
        return self._replace(EventKind.REACTED, replace(message, reactions=reactions))

    def _store(self, message: Message) -> None:
        if message.ephemeral_for:
            self._ephemerals[message.channel, message.ts] = message
        else:
            self._messages[message.channel][message.ts] = message

    def _replace(self, kind: EventKind, message: Message) -> Message:
        self._store(message)
        self.events.publish(WorkspaceEvent(kind, message=message))
        return message

    def _add_to_root(self, reply: Message) -> None:
        root = self._messages[reply.channel].get(reply.root_ts)
        if root:
            repliers = tuple(dict.fromkeys((*root.repliers, reply.user)))
            updated = replace(root, replies=(*root.replies, reply.ts), repliers=repliers)
            self._replace(EventKind.REPLIES_CHANGED, updated)

    def _remove_from_root(self, reply: Message) -> None:
        root = self._messages[reply.channel].get(reply.thread_ts or "")
        if root:
            remaining = tuple(ts for ts in root.replies if ts != reply.ts)
            self._replace(EventKind.REPLIES_CHANGED, replace(root, replies=remaining))

    def bot_draft(self, channel: str, **fields: Any) -> Message:
        """Return a draft by the bot."""
        own = {"user": self.bot.id, "app_id": self.app.id, "bot_id": self.app.bot_id}
        return Message(channel=channel, ts="", **{**own, **fields})

    def visible_messages(self, user: str) -> list[Json]:
        """Return all messages visible to this user, in the page's JSON, oldest first."""
        messages = [message for channel in self._messages.values() for message in channel.values()]
        own = [m for m in self._ephemerals.values() if m.ephemeral_for == user]
        return [message.as_page() for message in sorted([*messages, *own], key=lambda m: m.ts)]


def _tombstone(message: Message) -> Message:
    # A deleted root with replies stays as a tombstone: https://docs.slack.dev/reference/events/message
    return replace(
        message,
        user="USLACKBOT",
        text="This message was deleted.",
        blocks=(),
        attachments=(),
        metadata=None,
        tombstone=True,
        app_id=None,
        bot_id=None,
    )
