"""Rate limiter."""

import asyncio
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery import rate_limiter
from bot.delivery.rate_limiter import RATES, RateLimiter, round_robin
from bot.sdk.testing import ManualClock
from bot.store import MessageKind, MessageState, NewMessage, OutboxMessage

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOW = 1_000.0  # monotonic seconds


def post(
    kind: MessageKind = MessageKind.POST, channel: str = "C1", workspace: str = "T1"
) -> NewMessage:
    return NewMessage(
        idempotency_key="k",
        workspace=workspace,
        channel=channel,
        ordering_key="t",
        kind=kind,
        body={},
        due_at=NOON,
    )


def acquire_many(limiter: RateLimiter, times: int, message: NewMessage) -> None:
    for _ in range(times):
        limiter.acquire(message, NOW)


def test_channel_allows_a_burst_then_one_post_a_second() -> None:
    """Four posts go at once, and after them one a second."""
    limiter = RateLimiter()
    acquire_many(limiter, 3, post())
    assert limiter.delay(post(), NOW) == 0.0
    acquire_many(limiter, 1, post())
    assert limiter.delay(post(), NOW) == pytest.approx(1.0)
    assert limiter.delay(post(), NOW + 1) == pytest.approx(0.0)


def test_confirmation_restarts_the_interval() -> None:
    """Slack counts from a message's arrival, which under load is later than the sending."""
    limiter = RateLimiter()
    acquire_many(limiter, 4, post())
    for _ in range(4):
        limiter.confirm(post(), NOW + 0.5)
    assert limiter.delay(post(), NOW + 1) == pytest.approx(0.5)
    assert limiter.delay(post(), NOW + 1.5) == pytest.approx(0.0)


def test_late_confirmation_costs_one_interval_only() -> None:
    """Posts at the sustained rate keep it, however long each response takes."""
    limiter, now = RateLimiter(), NOW
    for _ in range(20):
        now += limiter.delay(post(), now)
        limiter.acquire(post(), now)
        limiter.confirm(post(), now + 0.3)
    assert now - NOW <= 16.3


def test_round_robin_over_channels_with_urgent_first() -> None:
    """Each channel gets one message before any gets a second; card updates come last."""
    waiting = [post(channel=channel) for channel in ("C1", "C1", "C2", "C3", "C2")]
    urgent = replace(post(channel="C1"), urgent=True)
    card = post(MessageKind.UPDATE, channel="C4")
    found = round_robin([card, *waiting, urgent])
    assert found[0] is urgent
    assert [one.channel for one in found[1:-1]] == ["C1", "C2", "C3", "C1", "C2"]
    assert found[-1] is card


def test_idle_bucket_refills() -> None:
    """After an idle period a burst is possible again, and no larger one than before."""
    limiter = RateLimiter()
    acquire_many(limiter, 4, post())
    later = NOW + 3_600
    for _ in range(4):
        assert limiter.delay(post(), later) == 0.0
        limiter.acquire(post(), later)
    assert limiter.delay(post(), later) > 0


def test_channels_and_workspaces_have_separate_buckets() -> None:
    """A busy channel slows only itself."""
    limiter = RateLimiter()
    acquire_many(limiter, 9, post())
    assert limiter.delay(post(), NOW) > 0
    assert limiter.delay(post(channel="C2"), NOW) == 0.0
    assert limiter.delay(post(workspace="T2"), NOW) == 0.0


def test_updates_share_one_bucket_in_a_workspace() -> None:
    """Slack counts updates by method, not by channel."""
    limiter = RateLimiter()
    acquire_many(limiter, RATES[MessageKind.UPDATE].burst, post(MessageKind.UPDATE))
    assert limiter.delay(post(MessageKind.UPDATE, "C2"), NOW) > 0
    assert limiter.delay(post(MessageKind.POST), NOW) == 0.0


def test_rate_limit_blocks_for_retry_after() -> None:
    """Retry-After overrides our own rate."""
    limiter = RateLimiter()
    limiter.block_for(post(), 30, NOW)
    assert limiter.delay(post(), NOW) == pytest.approx(30)
    assert limiter.delay(post(), NOW + 30) == pytest.approx(0)


def test_shorter_block_does_not_shorten_a_longer_one() -> None:
    """Two 429 responses may arrive out of order."""
    limiter = RateLimiter()
    limiter.block_for(post(), 30, NOW)
    limiter.block_for(post(), 1, NOW)
    assert limiter.delay(post(), NOW) == pytest.approx(30)


def stored(kind: MessageKind = MessageKind.POST, **but: Any) -> OutboxMessage:
    """Return a message as read from the outbox."""
    new = {field.name: getattr(post(kind), field.name) for field in fields(NewMessage)}
    plain = {"id": 1, "lane": 0, "state": MessageState.READY, "version": 1, "created_at": NOON}
    return OutboxMessage(**(new | plain | but))


def test_lookups_share_one_bucket() -> None:
    """After a crash, a hundred unconfirmed messages do not cause a hundred lookups at once."""
    limiter = RateLimiter()
    for number in range(rate_limiter.TIER_3.burst):
        limiter.acquire(stored(unconfirmed=True, channel=f"C{number}"), NOW)
    assert limiter.delay(stored(unconfirmed=True, channel="D1"), NOW) > 0
    assert limiter.delay(stored(state=MessageState.SENDING, channel="D2"), NOW) > 0
    assert limiter.delay(stored(channel="D3"), NOW) == 0.0


ROOT = {"unconfirmed": True, "channel": "C2"}
REPLY = ROOT | {"watch_id": "w"}


@pytest.mark.parametrize(
    ("method", "blocked", "free"),
    [(rate_limiter.HISTORY_METHOD, ROOT, REPLY), (rate_limiter.REPLIES_METHOD, REPLY, ROOT)],
)
def test_rate_limited_lookup_blocks_its_method_only(
    method: str, blocked: dict[str, Any], free: dict[str, Any]
) -> None:
    """The 429 concerns one method in the whole workspace."""
    limiter = RateLimiter()
    limiter.block_for(stored(**blocked), 30, NOW, method)
    assert limiter.delay(stored(**blocked), NOW) == pytest.approx(30)
    assert limiter.delay(stored(**free), NOW) == 0.0
    assert limiter.delay(stored(), NOW) == 0.0


def test_card_and_reply_lookups_have_separate_buckets() -> None:
    """Slack counts each method separately; a card that creates a watch is no reply."""
    limiter = RateLimiter()
    for number in range(rate_limiter.TIER_3.burst):
        limiter.acquire(stored(**REPLY | {"channel": f"R{number}"}), NOW)
    assert limiter.delay(stored(**REPLY), NOW) > 0
    assert limiter.delay(stored(**ROOT, body={"thread_ts": "1.0"}), NOW) > 0
    assert limiter.delay(stored(**ROOT), NOW) == 0.0
    assert limiter.delay(stored(**REPLY, creates_card=True), NOW) == 0.0


def test_rate_limited_open_blocks_direct_messages() -> None:
    """Each direct message opens a conversation first."""
    limiter = RateLimiter()
    limiter.block_for(post(MessageKind.DIRECT), 30, NOW, rate_limiter.OPEN_METHOD)
    assert limiter.delay(post(MessageKind.DIRECT, "C2"), NOW) == pytest.approx(30)


def test_rate_limited_response_url_blocks_nothing_else() -> None:
    """Each response_url has its own limit; its message waits alone."""
    limiter = RateLimiter()
    limiter.block_for(post(MessageKind.EPHEMERAL), 30, NOW, rate_limiter.RESPONSE_URL)
    assert limiter.delay(post(MessageKind.EPHEMERAL), NOW) == 0.0


def test_every_kind_of_message_has_a_rate() -> None:
    """No message kind is sent without a limit."""
    assert set(RATES) == set(MessageKind)


def test_idle_buckets_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded in ten thousand channels; an active block is kept."""
    monkeypatch.setattr(rate_limiter, "MAX_BUCKETS", 10)
    limiter = RateLimiter()
    limiter.block_for(post(channel="busy"), 3_600, NOW)
    for number in range(50):
        limiter.acquire(post(channel=f"C{number}"), NOW + 60 * number)
    assert len(limiter._full_at) <= 12
    later = NOW + 49 * 60
    assert limiter.delay(post(channel="busy"), later) == pytest.approx(660)


STEPS = st.lists(
    st.tuples(st.floats(0, 5), st.sampled_from([0, 1, -1, 3_600, -3_600, 31_557_600, -31_557_600])),
    max_size=30,
)


@given(STEPS)
def test_steps_of_the_wall_clock_change_no_delay(steps: list[tuple[float, float]]) -> None:
    """A clock set back or forward by a second, an hour or a year neither blocks nor floods."""
    stepped, steady = (RateLimiter(), ManualClock()), (RateLimiter(), ManualClock())
    for seconds, step in steps:
        stepped[1].step(step)
        delays = []
        for limiter, clock in (stepped, steady):
            asyncio.run(clock.advance(seconds))
            delays.append(limiter.delay(post(), clock.monotonic()))
            limiter.acquire(post(), clock.monotonic())
        assert delays[0] == delays[1] <= len(steps)
