"""How fast Slack is written to."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.delivery import pace
from bot.delivery.pace import RATES, Pace, in_turns
from bot.store import NewPost, Post, PostKind, PostState

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def post(kind: PostKind = PostKind.POST, channel: str = "C1", workspace: str = "T1") -> NewPost:
    return NewPost(
        key="k",
        workspace=workspace,
        channel=channel,
        thread="t",
        kind=kind,
        body={},
        due_at=NOON,
    )


def taken(bucket: Pace, times: int, message: NewPost) -> None:
    for _ in range(times):
        bucket.take(message, NOON)


def test_a_short_burst_goes_out_at_once_and_then_one_a_second() -> None:
    """A channel takes four together, and after them one each second."""
    bucket = Pace()
    taken(bucket, 3, post())
    assert bucket.delay(post(), NOON) == 0.0
    taken(bucket, 1, post())
    assert bucket.delay(post(), NOON) == pytest.approx(1.0)
    assert bucket.delay(post(), NOON + timedelta(seconds=1)) == pytest.approx(0.0)


def test_the_next_second_begins_when_slack_has_the_message() -> None:
    """Slack counts from when it takes a message, which in a crowd is later than we sent it."""
    bucket = Pace()
    taken(bucket, 4, post())
    for _ in range(4):
        bucket.landed(post(), NOON + timedelta(seconds=0.5))
    assert bucket.delay(post(), NOON + timedelta(seconds=1)) == pytest.approx(0.5)
    assert bucket.delay(post(), NOON + timedelta(seconds=1.5)) == pytest.approx(0.0)


def test_a_message_that_lands_late_costs_no_more_than_one() -> None:
    """What is sent at Slack's own rhythm keeps it, however long each answer takes."""
    bucket, now = Pace(), NOON
    for _ in range(20):
        now += timedelta(seconds=bucket.delay(post(), now))
        bucket.take(post(), now)
        bucket.landed(post(), now + timedelta(seconds=0.3))
    assert (now - NOON).total_seconds() <= 16.3


def test_each_channel_has_its_turn_before_any_has_its_second() -> None:
    """So that the second of rest after a burst begins everywhere at once; the urgent go first."""
    waiting = [post(channel=channel) for channel in ("C1", "C1", "C2", "C3", "C2")]
    hasty = replace(post(channel="C1"), urgent=True)
    card = post(PostKind.UPDATE, channel="C4")
    found = in_turns([card, *waiting, hasty])
    assert found[0] is hasty
    assert [one.channel for one in found[1:-1]] == ["C1", "C2", "C3", "C1", "C2"]
    assert found[-1] is card


def test_a_rest_fills_the_bucket_again() -> None:
    """After some quiet seconds a burst is possible again, and no larger one than before."""
    bucket = Pace()
    taken(bucket, 4, post())
    later = NOON + timedelta(hours=1)
    for _ in range(4):
        assert bucket.delay(post(), later) == 0.0
        bucket.take(post(), later)
    assert bucket.delay(post(), later) > 0


def test_channels_and_workspaces_do_not_wait_for_one_another() -> None:
    """A busy channel slows only itself."""
    bucket = Pace()
    taken(bucket, 9, post())
    assert bucket.delay(post(), NOON) > 0
    assert bucket.delay(post(channel="C2"), NOON) == 0.0
    assert bucket.delay(post(workspace="T2"), NOON) == 0.0


def test_updates_share_one_bucket_in_a_workspace() -> None:
    """Slack counts them by method, not by channel."""
    bucket = Pace()
    taken(bucket, RATES[PostKind.UPDATE].burst, post(PostKind.UPDATE))
    assert bucket.delay(post(PostKind.UPDATE, "C2"), NOON) > 0
    assert bucket.delay(post(PostKind.POST), NOON) == 0.0


def test_after_a_429_nothing_goes_for_as_long_as_slack_says() -> None:
    """Its word counts more than our arithmetic."""
    bucket = Pace()
    bucket.pause(post(), 30, NOON)
    assert bucket.delay(post(), NOON) == pytest.approx(30)
    assert bucket.delay(post(), NOON + timedelta(seconds=30)) == pytest.approx(0)


def test_a_shorter_pause_does_not_shorten_a_longer_one() -> None:
    """Two answers may overtake each other."""
    bucket = Pace()
    bucket.pause(post(), 30, NOON)
    bucket.pause(post(), 1, NOON)
    assert bucket.delay(post(), NOON) == pytest.approx(30)


def taken_up(kind: PostKind = PostKind.POST, **but: Any) -> Post:
    """Return a message as the outbox gives it."""
    new = {field.name: getattr(post(kind), field.name) for field in fields(NewPost)}
    plain = {"id": 1, "lane": 0, "state": PostState.READY, "version": 1, "created_at": NOON}
    return Post(**(new | plain | but))


def test_messages_that_are_looked_up_share_a_bucket_for_that() -> None:
    """After a crash a hundred doubtful messages are not a hundred look-ups at once."""
    bucket = Pace()
    for number in range(pace.TIER_3.burst):
        bucket.take(taken_up(doubtful=True, channel=f"C{number}"), NOON)
    assert bucket.delay(taken_up(doubtful=True, channel="D1"), NOON) > 0
    assert bucket.delay(taken_up(state=PostState.SENDING, channel="D2"), NOON) > 0
    assert bucket.delay(taken_up(channel="D3"), NOON) == 0.0


ROOT = {"doubtful": True, "channel": "C2"}
REPLY = ROOT | {"watch_id": "w"}


@pytest.mark.parametrize(
    ("method", "held", "free"), [(pace.IN_CHANNEL, ROOT, REPLY), (pace.IN_THREAD, REPLY, ROOT)]
)
def test_a_429_for_a_look_up_holds_all_look_ups_by_that_method_and_no_posts(
    method: str, held: dict[str, Any], free: dict[str, Any]
) -> None:
    """It concerns the method in the whole workspace, and nothing else."""
    bucket = Pace()
    bucket.pause(taken_up(**held), 30, NOON, method)
    assert bucket.delay(taken_up(**held), NOON) == pytest.approx(30)
    assert bucket.delay(taken_up(**free), NOON) == 0.0
    assert bucket.delay(taken_up(), NOON) == 0.0


def test_cards_and_replies_are_looked_up_without_waiting_for_each_other() -> None:
    """Slack counts each method's calls by themselves; a card that roots a watch is no reply."""
    bucket = Pace()
    for number in range(pace.TIER_3.burst):
        bucket.take(taken_up(**REPLY | {"channel": f"R{number}"}), NOON)
    assert bucket.delay(taken_up(**REPLY), NOON) > 0
    assert bucket.delay(taken_up(**ROOT, body={"thread_ts": "1.0"}), NOON) > 0
    assert bucket.delay(taken_up(**ROOT), NOON) == 0.0
    assert bucket.delay(taken_up(**REPLY, roots_watch=True), NOON) == 0.0


def test_a_429_for_opening_a_conversation_holds_direct_messages() -> None:
    """Each of them opens one first."""
    bucket = Pace()
    bucket.pause(post(PostKind.DIRECT), 30, NOON, pace.OPENING)
    assert bucket.delay(post(PostKind.DIRECT, "C2"), NOON) == pytest.approx(30)


def test_a_429_of_one_response_url_holds_nothing_else() -> None:
    """Each has its own limit; its message waits by itself."""
    bucket = Pace()
    bucket.pause(post(PostKind.EPHEMERAL), 30, NOON, pace.RESPONSE_URL)
    assert bucket.delay(post(PostKind.EPHEMERAL), NOON) == 0.0


def test_a_clock_that_is_set_back_an_hour_holds_nobody_up_for_an_hour() -> None:
    """What was full stays full, and what was paused is paused no longer than before."""
    bucket = Pace()
    taken(bucket, 5, post())
    bucket.pause(post(channel="C2"), 30, NOON)
    back = NOON - timedelta(hours=1)
    assert bucket.delay(post(), back) == pytest.approx(2.0)
    assert bucket.delay(post(channel="C2"), back) == pytest.approx(30)


def test_every_kind_of_message_has_a_rate() -> None:
    """No kind is sent without a limit."""
    assert set(RATES) == set(PostKind)


def test_channels_that_are_quiet_again_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot in ten thousand channels does not grow for ever, and forgets no running pause."""
    monkeypatch.setattr(pace, "MOST_BUCKETS", 10)
    bucket = Pace()
    bucket.pause(post(channel="busy"), 3_600, NOON)
    for number in range(50):
        bucket.take(post(channel=f"C{number}"), NOON + timedelta(minutes=number))
    assert len(bucket._full_at) <= 12
    later = NOON + timedelta(minutes=49)
    assert bucket.delay(post(channel="busy"), later) == pytest.approx(660)
