"""Outbox, on both databases: each message once, in thread order, by one sender."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.store import MessageKind, MessageState

if TYPE_CHECKING:
    from bot.store import Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def test_stored_message_keeps_every_field(store: Store, given: Given) -> None:
    """Also after its claim."""
    new = given.message(
        kind=MessageKind.DIRECT, reason="requested", urgent=True, due_at=given.at(-0.000001)
    )
    await given.enqueue(store, new)
    [due], [message] = await given.due(store), await given.claim(store)
    assert {name: getattr(message, name) for name in new.__dataclass_fields__} == {
        name: getattr(new, name) for name in new.__dataclass_fields__
    }
    assert (due.state, due.version, due.attempts) == (MessageState.READY, 1, 0)
    assert (due.created_at, due.unconfirmed, due.sent_ts) == (given.now, False, None)


async def test_due_messages_have_no_body_unless_unconfirmed(store: Store, given: Given) -> None:
    """A thousand candidates need no thousand bodies."""
    await given.enqueue(store, given.message("1", body={"thread_ts": "1.0"}))
    [unclaimed] = await given.due(store)
    [message] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.postpone(
            message, due_at=given.now, unconfirmed=True, error="", now=given.now
        )
    [unconfirmed] = await given.due(store)
    assert (unclaimed.body, unconfirmed.body) == ({}, {"thread_ts": "1.0"})


async def test_card_updates_can_be_left_out_of_due_messages(store: Store, given: Given) -> None:
    """While they are rate limited, they are not read."""
    card = given.message("card", ordering_key="card", kind=MessageKind.UPDATE, body={"ts": "1.0"})
    await given.enqueue(store, card, given.message("reply"))
    async with store.begin() as tx:
        found = await tx.outbox.due(lanes=(0, 1), now=given.now, limit=9, cards=False)
    assert [message.idempotency_key for message in found] == ["reply"]


async def test_next_later_ignores_messages_that_are_due(store: Store, given: Given) -> None:
    """A blocked lane does not poll for messages that it cannot send."""
    await given.enqueue(store, given.message("now", ordering_key="a"))
    await given.enqueue(store, given.message("later", ordering_key="b", due_at=given.at(7)))
    async with store.begin() as tx:
        assert await tx.outbox.next_later((0, 1), given.now) == given.at(7)
        assert await tx.outbox.next_later((0, 1), given.at(7)) is None


async def test_message_with_a_known_key_is_not_stored_again(store: Store, given: Given) -> None:
    """In one batch or in two, one key is sent once."""
    one, two = given.message("same"), given.message("other")
    assert await given.enqueue(store, one, one, two) == 2
    assert await given.enqueue(store, one) == 0


async def test_adding_no_messages_is_no_error(store: Store, given: Given) -> None:
    """A change may have no message."""
    assert await given.enqueue(store) == 0


async def test_only_the_oldest_unsent_message_of_a_thread_is_due(
    store: Store, given: Given
) -> None:
    """A thread is delivered in order."""
    await given.enqueue(
        store, given.message("1"), given.message("2"), given.message("x", ordering_key="other")
    )
    assert [message.idempotency_key for message in await given.due(store)] == ["1", "x"]


async def test_next_message_is_due_once_the_previous_is_sent(store: Store, given: Given) -> None:
    """The thread goes on."""
    await given.enqueue(store, given.message("1"), given.message("2"))
    [first] = await given.claim(store)
    assert await given.due(store) == []
    async with store.begin() as tx:
        assert await tx.outbox.mark_sent(first, ts="1.0", now=given.now)
    assert [message.idempotency_key for message in await given.due(store)] == ["2"]


async def test_postponed_message_delays_its_thread(store: Store, given: Given) -> None:
    """A later message does not overtake a rate-limited one."""
    await given.enqueue(store, given.message("1", due_at=given.at(60)), given.message("2"))
    assert await given.due(store) == []


async def test_equal_threads_of_two_workspaces_are_independent(store: Store, given: Given) -> None:
    """Workspaces do not wait for each other."""
    await given.enqueue(store, given.message("1"), given.message("2", workspace="T2"))
    assert [message.idempotency_key for message in await given.due(store)] == ["1", "2"]


async def test_urgent_messages_are_due_first(store: Store, given: Given) -> None:
    """The outcome of a job does not wait behind other jobs' steps."""
    normal, urgent = (
        given.message("normal", ordering_key="a"),
        given.message("urgent", ordering_key="b", urgent=True),
    )
    await given.enqueue(store, normal, urgent)
    assert [message.idempotency_key for message in await given.due(store)] == ["urgent", "normal"]


async def test_each_channel_belongs_to_exactly_one_lane(store: Store, given: Given) -> None:
    """For any number of lanes, each message is in one of them."""
    channels = [f"C{number}" for number in range(40)]
    await given.enqueue(store, *(given.message(c, channel=c, ordering_key=c) for c in channels))
    shares = [await given.due(store, lanes=(lane, 3)) for lane in range(3)]
    assert sorted(message.idempotency_key for share in shares for message in share) == sorted(
        channels
    )
    assert all(shares)


async def test_update_waits_until_its_card_is_posted(store: Store, given: Given) -> None:
    """Before that there is no timestamp to update."""
    watch = given.watch()
    update = given.message(kind=MessageKind.UPDATE, watch_id=watch.id)
    await given.enqueue(store, update)
    async with store.begin() as tx:
        await tx.watches.add(watch)
    assert await given.due(store) == []
    async with store.begin() as tx:
        assert await tx.outbox.next_due((0, 1), given.now) is None
        await tx.watches.set_card_ts(watch.id, "7.0")
    [message] = await given.due(store)
    assert message.card_ts == "7.0"


async def test_update_with_a_target_waits_for_no_card(store: Store, given: Given) -> None:
    """A body with a `ts` has its target."""
    await given.enqueue(store, given.message(kind=MessageKind.UPDATE, body={"ts": "1.0"}))
    assert len(await given.due(store)) == 1


async def test_message_has_the_thread_and_card_of_its_watch(store: Store, given: Given) -> None:
    """The sender needs no query for them, whether the message is due or claimed."""
    watch = given.watch(thread_ts="3.0", card_ts="4.0")
    async with store.begin() as tx:
        await tx.watches.add(watch)
    await given.enqueue(store, given.message(watch_id=watch.id))
    for [message] in (await given.due(store), await given.claim(store)):
        assert (message.watch_thread_ts, message.card_ts) == ("3.0", "4.0")


async def test_claimed_message_is_not_claimed_again(store: Store, given: Given) -> None:
    """Of two senders that see it due, one gets it."""
    await given.enqueue(store, given.message())
    [due] = await given.due(store)
    async with store.begin() as tx:
        when = {"now": given.now, "deadline": given.at(10), "reclaim_at": given.at(30)}
        [message] = await tx.outbox.claim([due.id], **when)
        assert await tx.outbox.claim([due.id], **when) == []
    assert (message.state, message.attempts, message.unconfirmed) == (
        MessageState.SENDING,
        1,
        False,
    )
    assert (message.deadline, message.reclaim_at) == (given.at(10), given.at(30))


async def test_only_the_next_message_of_a_thread_can_be_claimed(store: Store, given: Given) -> None:
    """A claim of two messages of a thread gets the first."""
    await given.enqueue(store, given.message("1"), given.message("2"))
    [first] = await given.due(store)
    async with store.begin() as tx:
        when = {"now": given.now, "deadline": given.at(10), "reclaim_at": given.at(30)}
        claimed = await tx.outbox.claim([first.id, first.id + 1], **when)
    assert [message.idempotency_key for message in claimed] == ["1"]


async def test_message_of_a_dead_sender_is_reclaimed_unconfirmed(
    store: Store, given: Given
) -> None:
    """Slack may have it: the new sender looks it up first."""
    await given.enqueue(store, given.message())
    await given.claim(store)
    assert await given.claim(store, seconds=29) == []
    [message] = await given.claim(store, seconds=30)
    assert (message.unconfirmed, message.attempts) == (True, 2)


async def test_sender_with_a_lost_claim_cannot_report(store: Store, given: Given) -> None:
    """After a reclaim only the new sender can record the result."""
    await given.enqueue(store, given.message())
    [lost] = await given.claim(store)
    [ours] = await given.claim(store, seconds=30)
    async with store.begin() as tx:
        later = {"due_at": given.at(60), "unconfirmed": False, "error": "", "now": given.at(31)}
        assert not await tx.outbox.mark_sent(lost, ts="1.0", now=given.at(31))
        assert not await tx.outbox.postpone(lost, **later)
        assert not await tx.outbox.dead_letter(lost, error="no", now=given.at(31))
        assert await tx.outbox.mark_sent(ours, ts="1.0", now=given.at(31))


async def test_claim_differs_from_a_later_one_with_equal_attempts(
    store: Store, given: Given
) -> None:
    """`replace` resets the attempts, and yet the lost claim stays lost."""
    card = given.message("card", kind=MessageKind.UPDATE, body={"ts": "1.0"})
    await given.enqueue(store, card)
    [lost] = await given.claim(store)
    [reclaimed] = await given.claim(store, seconds=30)
    async with store.begin() as tx:
        await tx.outbox.mark_sent(reclaimed, ts="1.0", now=given.at(31))
        await tx.outbox.replace(card, given.at(32))
    [newer] = await given.claim(store, seconds=32)
    assert newer.attempts == lost.attempts
    async with store.begin() as tx:
        assert not await tx.outbox.mark_sent(lost, ts="1.0", now=given.at(33))


async def test_sent_card_sets_the_timestamp_in_its_watch(store: Store, given: Given) -> None:
    """In the same transaction."""
    watch = given.watch()
    async with store.begin() as tx:
        await tx.watches.add(watch)
    await given.enqueue(store, given.message(watch_id=watch.id, creates_card=True))
    [message] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.mark_sent(message, ts="9.5", now=given.now)
        placed = await tx.watches.get(watch.id)
    assert placed is not None
    assert placed.card_ts == "9.5"


async def test_lost_claim_on_a_card_sets_no_timestamp(store: Store, given: Given) -> None:
    """A late report does not change the card of a watch."""
    watch = given.watch()
    async with store.begin() as tx:
        await tx.watches.add(watch)
    await given.enqueue(store, given.message(watch_id=watch.id, creates_card=True))
    [lost] = await given.claim(store)
    await given.claim(store, seconds=30)
    async with store.begin() as tx:
        await tx.outbox.mark_sent(lost, ts="9.5", now=given.at(31))
        assert await tx.watches.get(watch.id) == watch


async def test_postponed_message_is_due_later_and_unconfirmed(store: Store, given: Given) -> None:
    """The retry comes when Slack allows it, with the lookup still needed."""
    await given.enqueue(store, given.message())
    [message] = await given.claim(store)
    async with store.begin() as tx:
        assert await tx.outbox.postpone(
            message, due_at=given.at(7), unconfirmed=True, error="busy", now=given.now
        )
        assert await tx.outbox.next_due((0, 1), given.now) == given.at(7)
    assert await given.due(store, seconds=6) == []
    [retried] = await given.claim(store, seconds=7)
    assert (retried.unconfirmed, retried.error, retried.attempts) == (True, "busy", 2)


async def test_replacement_overwrites_an_unsent_body(store: Store, given: Given) -> None:
    """Of several states of a card only the latest is sent."""
    for number in range(3):
        async with store.begin() as tx:
            await tx.outbox.replace(given.message("card", body={"text": str(number)}), given.now)
    [message] = await given.claim(store)
    assert (message.body, message.version) == ({"text": "2"}, 3)


async def test_replacement_never_postpones_a_waiting_message(store: Store, given: Given) -> None:
    """A job that changes all the time still gets its card updated."""
    for seconds in (2, 4, 6):
        async with store.begin() as tx:
            await tx.outbox.replace(given.message("card", due_at=given.at(seconds)), given.now)
    assert len(await given.due(store, seconds=2)) == 1


async def test_body_replaced_in_flight_is_sent_afterwards(store: Store, given: Given) -> None:
    """An older body in flight never swallows the latest one."""
    await given.enqueue(store, given.message("card", body={"text": "old"}))
    [message] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.replace(given.message("card", body={"text": "new"}), given.now)
    assert await given.due(store) == []
    async with store.begin() as tx:
        assert await tx.outbox.mark_sent(message, ts="1.0", now=given.now)
    [resent] = await given.claim(store)
    assert (resent.body, resent.attempts, resent.sent_ts) == ({"text": "new"}, 1, "1.0")


@pytest.mark.parametrize("end", ["sent", "rejected"])
async def test_replacement_makes_a_sent_or_rejected_card_ready(
    store: Store, given: Given, end: str
) -> None:
    """A rejected card is retried with its next state."""
    await given.enqueue(store, given.message("card"))
    [message] = await given.claim(store)
    async with store.begin() as tx:
        if end == "sent":
            await tx.outbox.mark_sent(message, ts="1.0", now=given.now)
        else:
            await tx.outbox.dead_letter(message, error="invalid_blocks", now=given.now)
        await tx.outbox.replace(given.message("card", body={"text": "new"}), given.now)
    [due], [claimed] = await given.due(store), await given.claim(store)
    assert (claimed.body, due.attempts, due.error) == ({"text": "new"}, 0, "")


async def test_dead_letter_does_not_block_its_thread(store: Store, given: Given) -> None:
    """The messages behind a rejected one are sent."""
    await given.enqueue(store, given.message("1"), given.message("2"))
    [message] = await given.claim(store)
    async with store.begin() as tx:
        assert await tx.outbox.dead_letter(message, error="msg_too_long", now=given.now)
    assert [message.idempotency_key for message in await given.due(store)] == ["2"]


async def test_dropped_message_is_never_due_again(store: Store, given: Given) -> None:
    """It is no dead letter either."""
    await given.enqueue(store, given.message())
    [message] = await given.claim(store)
    async with store.begin() as tx:
        assert await tx.outbox.dead_letter(message, error="too late", now=given.now)
        assert await tx.dead_letters.drop([message], given.now) == 1
        assert await tx.dead_letters.requeue([message], given.now) == 0


async def test_dead_letter_thread_rejects_all_its_messages(store: Store, given: Given) -> None:
    """An archived channel gets no call for each message."""
    await given.enqueue(
        store, given.message("1"), given.message("2"), given.message("x", ordering_key="other")
    )
    async with store.begin() as tx:
        assert await tx.outbox.dead_letter_thread("T1", "thread", "is_archived", given.now) == 2
    assert [message.idempotency_key for message in await given.due(store)] == ["x"]


async def test_next_due_time_is_that_of_the_first_next_message(store: Store, given: Given) -> None:
    """A message behind another does not wake the dispatcher early."""
    await given.enqueue(
        store,
        given.message("1", due_at=given.at(50)),
        given.message("2", due_at=given.at(5)),
        given.message("x", ordering_key="other", due_at=given.at(40)),
    )
    async with store.begin() as tx:
        assert await tx.outbox.next_due((0, 1), given.now) == given.at(40)


async def test_exclusive_start_makes_claims_reclaimable_soon(store: Store, given: Given) -> None:
    """Claims of a dead process end, unconfirmed, after the grace period."""
    await given.enqueue(store, given.message("1"), given.message("2", ordering_key="other"))
    await given.claim(store)
    async with store.begin() as tx:
        assert await tx.outbox.expire_claims(given.at(5)) == 2
    assert await given.due(store, now=given.at(4)) == []
    assert [message.unconfirmed for message in await given.claim(store, seconds=5)] == [True, True]


async def test_repeated_start_never_postpones_the_reclaim(store: Store, given: Given) -> None:
    """A process that keeps dying does not hold its messages for ever."""
    await given.enqueue(store, given.message())
    await given.claim(store)
    async with store.begin() as tx:
        assert await tx.outbox.expire_claims(given.at(5)) == 1
        assert await tx.outbox.expire_claims(given.at(9)) == 0
    assert len(await given.due(store, now=given.at(5))) == 1


async def test_message_in_flight_is_next_due_at_its_reclaim_time(
    store: Store, given: Given
) -> None:
    """A tick comes in time for the messages of a dead sender."""
    await given.enqueue(store, given.message())
    await given.claim(store)
    async with store.begin() as tx:
        assert await tx.outbox.next_due((0, 1), given.now) == given.at(30)
        assert await tx.outbox.next_due((0, 1), given.at(99)) == given.at(99)


async def test_pruning_deletes_finished_messages_only(store: Store, given: Given) -> None:
    """An unsent message can wait longer than rows are kept."""
    await given.enqueue(
        store, given.message("sent", ordering_key="a"), given.message("waits", ordering_key="b")
    )
    [sent, _] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.mark_sent(sent, ts="1.0", now=given.now)
        assert await tx.outbox.prune(given.now) == 0
        assert await tx.outbox.prune(given.at(1)) == 1
    assert [message.idempotency_key for message in await given.claim(store, seconds=30)] == [
        "waits"
    ]


async def test_backlog_counts_due_messages(store: Store, given: Given) -> None:
    """Messages due later do not count; those behind a due one do."""
    await given.enqueue(store, given.message(), given.message(), given.message(due_at=given.at(60)))
    async with store.begin() as tx:
        assert await tx.outbox.backlog(given.now) == (2, given.now)
        assert await tx.outbox.backlog(given.at(-1)) == (0, None)


async def test_age_of_a_new_body_starts_at_its_replacement(store: Store, given: Given) -> None:
    """A card that is updated after a week has not waited for a week."""
    async with store.begin() as tx:
        await tx.outbox.replace(given.message("card"), given.now)
    [message] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.mark_sent(message, ts="1.0", now=given.now)
        await tx.outbox.replace(given.message("card"), given.at(3_600))
        await tx.outbox.replace(given.message("card"), given.at(3_610))
        assert (await tx.metrics.messages()).oldest_at == given.at(3_600)


async def test_waiting_card_updates_do_not_hide_posts(store: Store, given: Given) -> None:
    """The query has a limit, and card updates have a rate limit of their own."""
    cards = [
        given.message(
            ordering_key=f"card {n}", kind=MessageKind.UPDATE, body={"ts": "1.0"}, urgent=True
        )
        for n in range(5)
    ]
    await given.enqueue(store, *cards, given.message("post"))
    assert [message.idempotency_key for message in await given.due(store, limit=1)] == ["post"]


async def test_outcome_is_due_before_other_messages(store: Store, given: Given) -> None:
    """It does not wait for progress messages of other threads."""
    await given.enqueue(
        store,
        given.message("moved", ordering_key="one"),
        given.message("ended", ordering_key="two", urgent=True),
    )
    assert [message.idempotency_key for message in await given.due(store)] == ["ended", "moved"]


async def test_messages_before_an_urgent_one_become_urgent(store: Store, given: Given) -> None:
    """Otherwise it waits behind the steps of all other jobs."""
    await given.enqueue(store, given.message("step", ordering_key="other"))
    await given.enqueue(store, given.message("begun"), given.message("ended", urgent=True))
    assert [message.idempotency_key for message in await given.due(store)] == ["begun", "step"]


async def test_later_messages_are_those_of_the_watch_and_thread(store: Store, given: Given) -> None:
    """In order, and no others."""
    watch, other = given.watch(), given.watch()
    async with store.begin() as tx:
        await tx.watches.add(watch)
        await tx.watches.add(other)
    of = {"watch_id": watch.id}
    await given.enqueue(
        store,
        *(given.message(key, **of) for key in ("1", "2")),
        given.message("another's", watch_id=other.id),
        given.message("elsewhere", ordering_key="other", **of),
        given.message("3", **of),
    )
    [first, _] = await given.claim(store)
    async with store.begin() as tx:
        assert [message.idempotency_key for message in await tx.outbox.later_in_thread(first)] == [
            "2",
            "3",
        ]


async def test_claim_absorbs_later_messages(store: Store, given: Given) -> None:
    """Their keys stay known, so that they are not stored again."""
    watch = given.watch()
    async with store.begin() as tx:
        await tx.watches.add(watch)
    messages = [given.message(key, watch_id=watch.id) for key in ("1", "2")]
    await given.enqueue(store, *messages)
    [first] = await given.claim(store)
    async with store.begin() as tx:
        behind = await tx.outbox.later_in_thread(first)
        assert await tx.outbox.absorb(first, {"text": "both"}, behind, given.now)
        assert await tx.outbox.latest_body("T1", "1") == {"text": "both"}
        assert await tx.outbox.mark_sent(first, ts="1.0", now=given.now)
    assert await given.due(store, seconds=3_600) == []
    assert await given.enqueue(store, *messages) == 0


async def test_claim_that_absorbs_an_urgent_message_is_urgent(store: Store, given: Given) -> None:
    """Once postponed, it is due before the messages of other threads."""
    watch = given.watch()
    async with store.begin() as tx:
        await tx.watches.add(watch)
    await given.enqueue(
        store,
        given.message("other", ordering_key="other", due_at=given.at(1)),
        given.message("1", watch_id=watch.id),
    )
    [first] = await given.claim(store)
    await given.enqueue(store, given.message("2", watch_id=watch.id, urgent=True))
    async with store.begin() as tx:
        behind = await tx.outbox.later_in_thread(first)
        assert await tx.outbox.absorb(first, {"text": "both"}, behind, given.now)
        await tx.outbox.postpone(
            first, due_at=given.now, unconfirmed=False, error="", now=given.now
        )
    assert [
        (message.idempotency_key, message.urgent) for message in await given.due(store, seconds=1)
    ] == [
        ("1", True),
        ("other", False),
    ]


async def test_lost_claim_absorbs_nothing(store: Store, given: Given) -> None:
    """The new claim decides what is sent."""
    watch = given.watch()
    async with store.begin() as tx:
        await tx.watches.add(watch)
    await given.enqueue(store, *(given.message(key, watch_id=watch.id) for key in ("1", "2")))
    [first] = await given.claim(store)
    async with store.begin() as tx:
        behind = await tx.outbox.later_in_thread(first)
        await tx.outbox.postpone(first, due_at=given.now, unconfirmed=True, error="", now=given.now)
        assert not await tx.outbox.absorb(first, {"text": "both"}, behind, given.now)
    assert [message.idempotency_key for message in await given.due(store)] == ["1"]
    async with store.begin() as tx:
        assert [message.idempotency_key for message in await tx.outbox.later_in_thread(first)] == [
            "2"
        ]
