"""Job ids are found in pasted URLs."""

from typing import Any

import pytest

from bot.sdk.testing import ManualClock
from plugins.http import HttpJobs

URL = "https://ci.example.com/api/jobs/{id}"
PAGE = "https://ci.example.com/#/builds/{id}?tab=log"


def find_ids(text: str, **settings: Any) -> list[str]:
    """Return the ids that a connection finds in a text."""
    fields = {"url": URL, "console_url": PAGE, "status": "status", **settings}
    jobs = HttpJobs("ci", HttpJobs.Settings(**fields), ManualClock())  # type: ignore[arg-type]
    return list(jobs.find_ids(text))


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
def test_url_is_recognised_in_free_text(text: str, pattern: str) -> None:
    """Neither the surrounding text nor a wide id pattern matters."""
    assert find_ids(text, id_pattern=pattern) == ["17"]


def test_id_in_a_url_is_decoded() -> None:
    """Percent-encoding is undone."""
    assert find_ids("https://ci.example.com/api/jobs/a%20b", id_pattern="[a-z ]+") == ["a b"]
    assert find_ids("https://ci.example.com/api/jobs/a%3Ab") == ["a:b"]


def test_id_with_slashes_is_recognised_in_a_url() -> None:
    """The rest of the path is not part of it."""
    url = "https://ci.example.com/api/jobs/shop/17/log"
    assert find_ids(url, id_pattern="[a-z]+/[0-9]+") == ["shop/17"]
    assert find_ids("https://ci.example.com/api/jobs/17-x", id_pattern="[0-9]+") == []


@pytest.mark.parametrize(
    "text", ["https://ci.example.com/api/job/17", "https://ci.example.com.evil/api/jobs/17", "17"]
)
def test_other_texts_are_not_recognised(text: str) -> None:
    """Another path, another host and a single word hold no id."""
    assert find_ids(text) == []
