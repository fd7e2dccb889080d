"""Hand-made pasts of a channel: decisions as the store gives them back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from bot.models import JobRef
from bot.noise.decision import Action, Happening
from bot.noise.replay import Past
from bot.store import Decided, Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

MONDAY = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
_KEYS = count()


def decided(happening: Happening = Happening.OUTCOME, minutes: float = 0, **but: Any) -> Decided:
    """Return a follow-up that was told so many minutes after Monday noon."""
    plain = {
        "workspace": "T1",
        "key": f"watch1:{next(_KEYS)}",
        "channel": "C1",
        "watch_id": "watch1",
        "ref": JobRef(connection="deploys", id="JOB1"),
        "name": "deploy-api",
        "happening": happening,
        "bad": False,
        "was_bad": False,
        "action": Action.POST,
        "rule": "follow_ups",
        "reason": "This channel hears every change.",
        "text": "deploy-api succeeded after 3 m 12 s.",
        "at": MONDAY + timedelta(minutes=minutes),
    }
    return Decided(**(plain | but))


def past(*happened: tuple[Happening, bool], minutes: float = 1, **more: Any) -> Past:
    """Return a past in which these things happened, so many minutes apart."""
    told: Sequence[Decided] = [
        decided(happening, n * minutes, bad=bad) for n, (happening, bad) in enumerate(happened)
    ]
    return Past(told, **more)


def asked(seconds: float, **but: Any) -> Watch:
    """Return a watch that Ada asked for so many seconds after Monday noon."""
    at = MONDAY + timedelta(seconds=seconds)
    plain = {
        "id": f"watch{next(_KEYS)}",
        "workspace": "T1",
        "channel": "C1",
        "ref": JobRef(connection="deploys", id="JOB1"),
        "asker": "U0ADA",
        "asked_at": at,
        "card_ts": f"{at.timestamp():.6f}",
    }
    return Watch(**(plain | but))
