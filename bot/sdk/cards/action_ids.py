"""Action ids of the bot's buttons and menus. Each one has a handler in a routing table."""

from __future__ import annotations

from enum import StrEnum


class ActionId(StrEnum):
    """What a button or menu does. A suffix after ":" makes it unique within a message."""

    REFRESH = "refresh"  # a card: fetch the job again
    FOLLOW = "follow"
    UNFOLLOW = "unfollow"
    OPEN = "open"  # a link to the job's console
    MENU = "more"  # the overflow menu below a message
    RUN = "run"  # the value is a command
    BOARD_SHOW = "board_show"  # one job of a board
    BOARD_PAGE = "board_page"
    BOARD_REFRESH = "board_refresh"
    BOARD_STOP = "board_stop"
    SETTINGS_CHANGE = "settings_change"  # open the settings modal
    SETTINGS_UNDO = "settings_undo"
    PRESET = "preset"  # in the settings modal; the suffix names the preset

    def with_suffix(self, suffix: object) -> str:
        """Return this id with a suffix, as in run:0."""
        return f"{self}:{suffix}"

    @classmethod
    def of(cls, action_id: str) -> ActionId | None:
        """Return the id without its suffix; None if it is none of these."""
        plain = action_id.partition(":")[0]
        return next((one for one in cls if one == plain), None)
