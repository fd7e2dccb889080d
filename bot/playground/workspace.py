"""One Slack workspace in memory: who is there, what was said, and who must be told. No I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.playground.changes import Change, Changes, Kind
from bot.playground.messages import Json, Message, Reaction
from bot.playground.people import (
    CHANNELS,
    EVERYBODY,
    USER_GROUPS,
    App,
    Channel,
    Team,
    User,
    UserGroup,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.clock import Clock


class Workspace:
    """The state of the workspace; every change to it is told to `changes`."""

    def __init__(
        self,
        clock: Clock,
        *,
        users: Iterable[User] = EVERYBODY,
        channels: Iterable[Channel] = CHANNELS,
        groups: Iterable[UserGroup] = USER_GROUPS,
    ) -> None:
        self.clock = clock
        self.team = Team()
        self.app = App()
        self.changes = Changes()
        self.users = {user.id: user for user in users}
        self.channels = {channel.id: channel for channel in channels}
        self.groups = {group.id: group for group in groups}
        self.bot = next(user for user in self.users.values() if user.is_bot)
        self.me = next(user for user in self.users.values() if not user.is_bot)
        self._said: dict[str, dict[str, Message]] = {id_: {} for id_ in self.channels}
        self._whispered: dict[tuple[str, str], Message] = {}
        self._last_ts = 0  # microseconds
        self._ids = 0
        self.refused_blocks: set[str] = set()  # block types that this workspace does not know yet
        self.post_without_joining = False  # whether the app has `chat:write.public`
        self.address = ""  # where the workspace is served, with a slash at the end

    # Time and names.

    def next_ts(self) -> str:
        """Return a ts that no message has, later than every other."""
        now = int(self.clock.now().timestamp() * 1_000_000)
        self._last_ts = max(now, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def next_id(self, prefix: str) -> str:
        """Return an id that nothing else in the workspace has."""
        self._ids += 1
        return f"{prefix}{self._ids:08d}"

    def user(self, name: str) -> User:
        """Return the user of this id or name, with or without the `@`."""
        bare = name.removeprefix("@")
        for user in self.users.values():
            if bare in {user.id, user.name}:
                return user
        known = ", ".join(user.name for user in self.users.values())
        raise LookupError(f"Nobody here is called {name}; there are {known}.")

    def find_channel(self, name: str) -> Channel | None:
        """Return the channel of this id or name, with or without the `#`, if there is one."""
        bare = name.removeprefix("#")
        named = (c for c in self.channels.values() if c.name == bare and not c.is_im)
        return self.channels.get(bare) or next(named, None)

    def channel(self, name: str) -> Channel:
        """Return the channel of this id or name; "im" is the first person's own with the bot."""
        found = self.direct(self.me.id) if name == "im" else self.find_channel(name)
        if found is None:
            known = ", ".join(f"#{c.name}" for c in self.channels.values() if not c.is_im)
            raise LookupError(f"There is no channel {name}; there are {known}.")
        return found

    def direct(self, user: str) -> Channel:
        """Return the direct messages between the bot and this person, opened if need be."""
        for channel in self.channels.values():
            if channel.is_im and user in channel.members:
                return channel
        members = frozenset({user, self.bot.id})
        opened = Channel(self.next_id("D"), self.bot.name, members, is_im=True)
        self.channels[opened.id] = opened
        self._said[opened.id] = {}
        return opened

    def archive(self, channel: str) -> None:
        """Archive the channel."""
        found = self.channel(channel)
        self.channels[found.id] = replace(found, is_archived=True)

    def unarchive(self, channel: str) -> None:
        """Open the channel again."""
        found = self.channel(channel)
        self.channels[found.id] = replace(found, is_archived=False)

    def leave(self, channel: str, user: str) -> None:
        """Take the user out of the channel."""
        found = self.channel(channel)
        self.channels[found.id] = replace(found, members=found.members - {user})

    def join(self, channel: str, user: str) -> None:
        """Let the user into the channel."""
        found = self.channel(channel)
        self.channels[found.id] = replace(found, members=found.members | {user})

    # What was said.

    def find(self, channel: str, ts: str) -> Message | None:
        """Return the message that everybody sees there, if it still exists."""
        return self._said.get(channel, {}).get(ts)

    def find_whisper(self, channel: str, ts: str) -> Message | None:
        """Return the ephemeral message of this ts, if it still exists."""
        return self._whispered.get((channel, ts))

    def said(self, channel: str) -> list[Message]:
        """Return everything said in the channel and its threads, oldest first."""
        return list(self._said[channel].values())

    def thread(self, channel: str, ts: str) -> list[Message]:
        """Return the root and its replies, oldest first; any message of the thread names it."""
        found = self.find(channel, ts)
        root = self.find(channel, found.root) if found else None
        if root is None:
            return []
        return [root, *(self._said[channel][reply] for reply in root.replies)]

    def whispers(self) -> list[Message]:
        """Return every ephemeral message, oldest first."""
        return list(self._whispered.values())

    def post(self, draft: Message) -> Message:
        """Say what the draft holds; its ts is given here."""
        posted = replace(draft, ts=self.next_ts())
        self._keep(posted)
        self.changes.tell(Change(Kind.POSTED, message=posted))
        if posted.thread_ts and not posted.ephemeral_for:
            self._count(posted)
        return posted

    def edit(self, message: Message, **fields: Any) -> Message:
        """Change the message in place."""
        edited = replace(message, **fields, edited_ts=self.next_ts())
        self._keep(edited)
        self.changes.tell(Change(Kind.EDITED, message=edited, before=message))
        return edited

    def delete(self, message: Message) -> None:
        """Take the message away; a root with replies leaves a tombstone."""
        left = message
        if message.ephemeral_for:
            del self._whispered[message.channel, message.ts]
        elif message.replies:
            left = _tombstone(message)
            self._keep(left)
        else:
            del self._said[message.channel][message.ts]
            self._uncount(message)
        self.changes.tell(Change(Kind.DELETED, message=left, before=message))

    def react(self, message: Message, name: str, user: str) -> Message:
        """Put the emoji under the message in this user's name."""
        return self._reacted(message, name, (*message.reactors(name), user))

    def unreact(self, message: Message, name: str, user: str) -> Message:
        """Take this user's emoji away."""
        left = tuple(other for other in message.reactors(name) if other != user)
        return self._reacted(message, name, left)

    def _reacted(self, message: Message, name: str, users: tuple[str, ...]) -> Message:
        # An emoji keeps its place among the others for as long as somebody stands behind it.
        by_name = {reaction.name: reaction for reaction in message.reactions}
        by_name[name] = Reaction(name, users)
        reactions = tuple(reaction for reaction in by_name.values() if reaction.users)
        return self._note(Kind.REACTED, replace(message, reactions=reactions))

    def _keep(self, message: Message) -> None:
        if message.ephemeral_for:
            self._whispered[message.channel, message.ts] = message
        else:
            self._said[message.channel][message.ts] = message

    def _note(self, kind: Kind, message: Message) -> Message:
        self._keep(message)
        self.changes.tell(Change(kind, message=message))
        return message

    def _count(self, reply: Message) -> None:
        root = self._said[reply.channel].get(reply.root)
        if root:
            repliers = tuple(dict.fromkeys((*root.repliers, reply.user)))
            grown = replace(root, replies=(*root.replies, reply.ts), repliers=repliers)
            self._note(Kind.THREADED, grown)

    def _uncount(self, reply: Message) -> None:
        root = self._said[reply.channel].get(reply.thread_ts or "")
        if root:
            left = tuple(ts for ts in root.replies if ts != reply.ts)
            self._note(Kind.THREADED, replace(root, replies=left))

    def bot_draft(self, channel: str, **fields: Any) -> Message:
        """Return a draft in the bot's name."""
        own = {"user": self.bot.id, "app_id": self.app.id, "bot_id": self.app.bot_id}
        return Message(channel=channel, ts="", **{**own, **fields})

    def state_for(self, user: str) -> list[Json]:
        """Return everything that this person may see, as the page shows it, oldest first."""
        said = [message for channel in self._said.values() for message in channel.values()]
        own = [whisper for whisper in self._whispered.values() if whisper.ephemeral_for == user]
        return [message.as_page() for message in sorted([*said, *own], key=lambda m: m.ts)]


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
