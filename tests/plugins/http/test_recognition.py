"""Ids of jobs in the URLs that people paste."""

from typing import Any

import pytest

from bot.testing import ManualClock
from plugins.http import HttpJobs

URL = "https://ci.example.com/api/jobs/{id}"
PAGE = "https://ci.example.com/#/builds/{id}?tab=log"


def recognised(text: str, **settings: Any) -> list[str]:
    """Return the ids that a connection finds in a text."""
    fields = {"url": URL, "console_url": PAGE, "status": "status", **settings}
    jobs = HttpJobs("ci", HttpJobs.Settings(**fields), ManualClock())  # type: ignore[arg-type]
    return list(jobs.recognise(text))


@pytest.mark.parametrize(
    "text",
    [
        "https://ci.example.com/api/jobs/17",
        "HTTPS://CI.example.com/api/jobs/17",
        "see https://ci.example.com/api/jobs/17, please",
        "(https://ci.example.com/api/jobs/17)",
        "<https://ci.example.com/api/jobs/17|the job>",
        "https://ci.example.com/api/jobs/17?full=1#log",
        "https://ci.example.com/api/jobs/17/steps",
        "https://ci.example.com/#/builds/17?tab=log",
    ],
)
@pytest.mark.parametrize("pattern", [r"[^\s/]+", "[0-9]+"])
def test_a_url_is_recognised_in_free_text(text: str, pattern: str) -> None:
    """However it stands there, and however wide the pattern of ids is."""
    assert recognised(text, id_pattern=pattern) == ["17"]


def test_an_id_in_a_url_is_read_as_it_is_asked_for() -> None:
    """What URLs write in their own way is written back."""
    assert recognised("https://ci.example.com/api/jobs/a%20b", id_pattern="[a-z ]+") == ["a b"]
    assert recognised("https://ci.example.com/api/jobs/a%3Ab") == ["a:b"]


def test_an_id_with_slashes_is_recognised_in_a_url() -> None:
    """What follows it in the path is not taken for a part of it."""
    url = "https://ci.example.com/api/jobs/shop/17/log"
    assert recognised(url, id_pattern="[a-z]+/[0-9]+") == ["shop/17"]
    assert recognised("https://ci.example.com/api/jobs/17-x", id_pattern="[0-9]+") == []


@pytest.mark.parametrize(
    "text", ["https://ci.example.com/api/job/17", "https://ci.example.com.evil/api/jobs/17", "17"]
)
def test_other_texts_are_not_recognised(text: str) -> None:
    """Neither another path nor another host, nor a word alone."""
    assert recognised(text) == []
