"""What the documentation says of how loud the bot is, the settings take."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from bot.notifications.policy import PRESETS, NotificationPolicy, NotifySettings
from bot.notifications.policy_text import FIELD_TEXTS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    """The part of the operators' page about it."""
    text = (root / "docs/operating.md").read_text("utf-8")
    return text.partition("## Notification settings")[2].partition("\n## ")[0]


@pytest.fixture(scope="module")
def notify(page: str) -> NotifySettings:
    """The example, as the bot reads it."""
    example = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0]
    uncommented = tomllib.loads(example)["notify"]
    return NotifySettings.model_validate(uncommented)


def test_the_example_names_every_field(notify: NotifySettings) -> None:
    """Whoever looks for one finds it."""
    assert notify.model_fields_set == set(NotifySettings.model_fields)


def test_the_table_has_a_line_for_every_field(page: str) -> None:
    """What it means, and what holds without it."""
    lines = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert lines == set(NotifySettings.model_fields) - {"channels"}


def test_every_value_of_a_field_is_named(page: str) -> None:
    """Those that one chooses from."""
    for name, clause in FIELD_TEXTS.items():
        values = [value for value in clause.choices if value not in ("on", "off")]
        missing = [value for value in values if f'"{value}"' not in page]
        assert missing == [], name


def test_the_presets_are_as_the_page_says(page: str) -> None:
    """In the words of the settings."""
    for name in ("quiet", "verbose"):
        said = re.search(rf"\*{name}\* is (.*?)[;.]", page, re.DOTALL | re.IGNORECASE)
        assert said
        fields = tomllib.loads("\n".join(re.findall(r"`([^`]+)`", said[1])))
        assert NotificationPolicy.model_validate(fields) == PRESETS[name]
