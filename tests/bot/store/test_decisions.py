"""Decision log: why a message was sent, what became of a job's events, past outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.store import (
    DecisionRecord,
    DeliveryAction,
    EventKind,
    MessageKind,
    SentMessage,
    Store,
    WatchState,
)

if TYPE_CHECKING:
    from bot.store import NewMessage
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


def decided(given: Given, key: str, **changes: Any) -> DecisionRecord:
    """Return the decision about an outcome that was posted at noon."""
    defaults = {
        "workspace": given.workspace,
        "idempotency_key": key,
        "channel": given.channel,
        "watch_id": "w1",
        "ref": given.ref(),
        "name": "api",
        "event_kind": EventKind.OUTCOME,
        "failed": False,
        "previously_failed": False,
        "action": DeliveryAction.POST,
        "rule": "follow_ups",
        "reason": "This channel hears every change.",
        "text": "api succeeded.",
        "decided_at": given.now,
    }
    return DecisionRecord(**(defaults | changes))


async def write(store: Store, *rows: DecisionRecord) -> None:
    """Store decisions."""
    async with store.begin() as tx:
        for row in rows:
            assert await tx.decisions.add(row)


async def send(store: Store, given: Given, message: NewMessage, ts: str) -> None:
    """Store a message and mark it as sent with this timestamp."""
    await given.enqueue(store, message)
    (claimed,) = await given.claim(store)
    async with store.begin() as tx:
        assert await tx.outbox.mark_sent(claimed, ts=ts, now=given.now)


async def sent_message(
    store: Store, ts: str, channel: str = "C1", workspace: str = "T1"
) -> SentMessage | None:
    """Return the bot's message with this timestamp."""
    async with store.begin() as tx:
        return await tx.decisions.sent_message(workspace, channel, ts)


async def test_message_is_found_by_channel_and_timestamp(store: Store, given: Given) -> None:
    """An action has both, and that is enough."""
    message = given.message("w1:2", watch_id="w1", reason="because", body={"broadcast": True})
    await send(store, given, message, "1.1")
    found = SentMessage(
        idempotency_key="w1:2",
        reason="because",
        watch_id="w1",
        board_id=None,
        creates_card=False,
        broadcast=True,
    )
    assert await sent_message(store, "1.1") == found


@pytest.mark.parametrize(
    "location", [("1.2", "C1", "T1"), ("1.1", "C2", "T1"), ("1.1", "C1", "T2")]
)
async def test_message_elsewhere_is_another(
    store: Store, given: Given, location: tuple[str, str, str]
) -> None:
    """Timestamps are unique in a channel, channels in a workspace."""
    await send(store, given, given.message("w1:2"), "1.1")
    assert await sent_message(store, *location) is None


async def test_update_of_a_message_is_not_taken_for_it(store: Store, given: Given) -> None:
    """A card is explained by what it was posted for."""
    await send(store, given, given.message("w1:root", watch_id="w1", creates_card=True), "1.1")
    update = given.message(
        "w1:card", kind=MessageKind.UPDATE, body={"ts": "1.1"}, ordering_key="card"
    )
    await send(store, given, update, "1.1")
    found = await sent_message(store, "1.1")
    assert found is not None
    assert (found.idempotency_key, found.creates_card, found.broadcast) == ("w1:root", True, False)


async def test_decisions_about_a_job_start_with_deferred_ones(store: Store, given: Given) -> None:
    """Then the newest, of all its watches in the channel and of no others."""
    watches = [
        given.watch(id="w1", state=WatchState.ENDED, ended_at=given.now),
        given.watch(id="w2"),
        given.watch(id="w3", ref=given.ref("JOB2")),
        given.watch(id="w4", channel="C2"),
    ]
    async with store.begin() as tx:
        for watch in watches:
            assert await tx.watches.add(watch)
    deferred = {
        "action": DeliveryAction.DEFER,
        "deferred_until": given.at(60),
        "body": {"text": "x"},
    }
    await write(
        store,
        decided(given, "w1:1", **deferred),
        decided(given, "w1:2"),
        decided(given, "w2:1", watch_id="w2"),
        decided(given, "w3:1", watch_id="w3", ref=given.ref("JOB2")),
        decided(given, "w4:1", watch_id="w4", channel="C2"),
    )
    async with store.begin() as tx:
        found = await tx.decisions.of_job("T1", "C1", given.ref(), 10)
        newest = await tx.decisions.of_job("T1", "C1", given.ref(), 2)
    assert [one.idempotency_key for one in found] == ["w1:1", "w2:1", "w1:2"]
    assert [one.idempotency_key for one in newest] == ["w1:1", "w2:1"]


async def test_last_outcomes_are_those_before_the_given_time(store: Store, given: Given) -> None:
    """Changes and steps are no outcomes, and later ones do not count."""
    await write(
        store,
        decided(given, "1", failed=True, decided_at=given.at(-30)),
        decided(given, "2", failed=False, decided_at=given.at(-20), name="web"),
        decided(
            given, "3", failed=True, decided_at=given.at(-10), name="web", event_kind=EventKind.RUN
        ),
        decided(given, "4", failed=False, decided_at=given.at(-5), event_kind=EventKind.CHANGE),
        decided(given, "5", failed=False, decided_at=given.at(0)),
        decided(given, "6", failed=False, decided_at=given.at(-5), channel="C2"),
        decided(
            given, "7", failed=False, decided_at=given.at(-5), ref=given.ref(connection="other")
        ),
    )
    async with store.begin() as tx:
        outcomes = await tx.decisions.last_outcomes("T1", "C1", given.now)
    assert outcomes == {("deploys", "api"): True, ("deploys", "web"): True, ("other", "api"): False}


async def test_watches_with_reactions_have_a_request_message(store: Store, given: Given) -> None:
    """Only those with decisions since then."""
    async with store.begin() as tx:
        await tx.watches.add(given.watch(id="w1", request_ts="9.1"))
        await tx.watches.add(given.watch(id="w2", ref=given.ref("JOB2")))
        await tx.watches.add(given.watch(id="w3", ref=given.ref("JOB3"), request_ts="9.2"))
    await write(
        store,
        decided(given, "1"),
        decided(given, "2", watch_id="w2"),
        decided(given, "3", watch_id="w3", decided_at=given.at(-60)),
    )
    async with store.begin() as tx:
        assert await tx.decisions.watches_with_reactions("T1", "C1", given.now) == {"w1"}


async def test_newest_watch_on_a_job_is_found_in_any_state(store: Store, given: Given) -> None:
    """Most explanations are requested after the end."""
    ended = {"state": WatchState.ENDED, "ended_at": given.now}
    async with store.begin() as tx:
        await tx.watches.add(given.watch(id="w1", **ended))
        await tx.watches.add(given.watch(id="w2", requested_at=given.at(5), **ended))
        await tx.watches.add(given.watch(id="w3", requested_at=given.at(9), channel="C2"))
        newest = await tx.watches.latest("T1", "C1", given.ref())
        assert newest is not None
        assert newest.id == "w2"
        assert await tx.watches.latest("T1", "C1", given.ref("JOB9")) is None


async def test_requested_watches_are_listed_in_order(store: Store, given: Given) -> None:
    """In any state, of this channel only."""
    ended = {"state": WatchState.ENDED, "ended_at": given.now}
    async with store.begin() as tx:
        await tx.watches.add(given.watch(id="w2", requested_at=given.at(2)))
        await tx.watches.add(given.watch(id="w1", requested_at=given.at(1), **ended))
        await tx.watches.add(given.watch(id="w0", requested_at=given.at(-1), **ended))
        await tx.watches.add(given.watch(id="w3", channel="C2"))
        watches = await tx.watches.requested_since("T1", "C1", given.now)
    assert [watch.id for watch in watches] == ["w1", "w2"]
