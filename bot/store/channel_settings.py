"""Channel settings: the fields that each channel overrides."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert  # compiles on SQLite as well: see inbox.py

from bot.store.records import ChannelOverrides
from bot.store.tables import channel_settings

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

_COLUMNS = tuple(channel_settings.c[field.name] for field in fields(ChannelOverrides))
_THIS = (
    channel_settings.c.workspace == bindparam("in_workspace"),
    channel_settings.c.channel == bindparam("in_channel"),
)
_GET = select(*_COLUMNS).where(*_THIS)
_NEW = insert(channel_settings)
_SET = _NEW.on_conflict_do_update(
    index_elements=[channel_settings.c.workspace, channel_settings.c.channel],
    set_={
        "values": _NEW.excluded["values"],
        "set_by": _NEW.excluded.set_by,
        "set_at": _NEW.excluded.set_at,
        "revision": _NEW.excluded.revision,
    },
    where=channel_settings.c.revision == _NEW.excluded.revision - 1,
)


class ChannelSettingsTable:
    """The channel settings, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, workspace: str, channel: str) -> ChannelOverrides | None:
        """Return a channel's overrides, if it has any."""
        bound = {"in_workspace": workspace, "in_channel": channel}
        row = (await self._connection.execute(_GET, bound)).one_or_none()
        return None if row is None else ChannelOverrides(**row._mapping)  # noqa: SLF001

    async def replace(
        self,
        workspace: str,
        channel: str,
        values: dict[str, Any],
        by: str,
        now: datetime,
        *,
        expected_revision: int = 0,
    ) -> bool:
        """Replace a channel's overrides.

        `expected_revision`: that of the overrides to replace; 0 if there are none. Return False if
        the stored revision is another.
        """
        row = {
            "workspace": workspace,
            "channel": channel,
            "values": values,
            "set_by": by,
            "set_at": now,
            "revision": expected_revision + 1,
        }
        return (await self._connection.execute(_SET, row)).rowcount == 1
