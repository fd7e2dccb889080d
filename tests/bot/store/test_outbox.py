"""The outbox, in both stores: each message once, in the order of its thread, by one sender."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.store import PostKind, PostState

if TYPE_CHECKING:
    from bot.store import Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def test_a_message_comes_back_as_it_was_written(store: Store, given: Given) -> None:
    """Every field of a new message survives."""
    new = given.post(kind=PostKind.DIRECT, reason="asked", urgent=True, due_at=given.at(-0.000001))
    await given.posts(store, new)
    [due], [post] = await given.due(store), await given.claim(store)
    assert {name: getattr(post, name) for name in new.__dataclass_fields__} == {
        name: getattr(new, name) for name in new.__dataclass_fields__
    }
    assert (due.state, due.version, due.attempts) == (PostState.READY, 1, 0)
    assert (due.created_at, due.doubtful, due.sent_ts) == (given.now, False, None)


async def test_what_is_due_comes_without_bodies_unless_it_is_to_be_looked_up(
    store: Store, given: Given
) -> None:
    """To choose among a thousand, a thousand bodies need not be read."""
    await given.posts(store, given.post("1", body={"thread_ts": "1.0"}))
    [fresh] = await given.due(store)
    [post] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.postpone(post, due_at=given.now, doubtful=True, error="", now=given.now)
    [doubtful] = await given.due(store)
    assert (fresh.body, doubtful.body) == ({}, {"thread_ts": "1.0"})


async def test_cards_can_be_left_out_of_what_is_due(store: Store, given: Given) -> None:
    """While Slack takes none, a crowd of them is not read."""
    card = given.post("card", thread="card", kind=PostKind.UPDATE, body={"ts": "1.0"})
    await given.posts(store, card, given.post("reply"))
    async with store.begin() as tx:
        found = await tx.outbox.due(lanes=(0, 1), now=given.now, limit=9, cards=False)
    assert [post.key for post in found] == ["reply"]


async def test_what_is_due_already_is_not_what_is_due_next(store: Store, given: Given) -> None:
    """Whoever knows what is due, and may not send it yet, does not look for it all the time."""
    await given.posts(store, given.post("now", thread="a"))
    await given.posts(store, given.post("later", thread="b", due_at=given.at(7)))
    async with store.begin() as tx:
        assert await tx.outbox.next_later((0, 1), given.now) == given.at(7)
        assert await tx.outbox.next_later((0, 1), given.at(7)) is None


async def test_a_message_whose_key_is_known_is_not_written_again(
    store: Store, given: Given
) -> None:
    """One key is said once, however often it is added, in one batch or in two."""
    one, two = given.post("same"), given.post("other")
    assert await given.posts(store, one, one, two) == 2
    assert await given.posts(store, one) == 0


async def test_adding_no_messages_adds_none(store: Store, given: Given) -> None:
    """A change that nobody needs to hear of is no error."""
    assert await given.posts(store) == 0


async def test_only_the_oldest_unsent_message_of_a_thread_is_due(
    store: Store, given: Given
) -> None:
    """A thread is told in its order."""
    await given.posts(store, given.post("1"), given.post("2"), given.post("x", thread="other"))
    assert [post.key for post in await given.due(store)] == ["1", "x"]


async def test_the_next_message_is_due_once_the_one_before_is_sent(
    store: Store, given: Given
) -> None:
    """A thread moves on."""
    await given.posts(store, given.post("1"), given.post("2"))
    [first] = await given.claim(store)
    assert await given.due(store) == []
    async with store.begin() as tx:
        assert await tx.outbox.sent(first, ts="1.0", now=given.now)
    assert [post.key for post in await given.due(store)] == ["2"]


async def test_a_message_that_waits_holds_its_thread_back(store: Store, given: Given) -> None:
    """A later message does not overtake one that Slack was too busy for."""
    await given.posts(store, given.post("1", due_at=given.at(60)), given.post("2"))
    assert await given.due(store) == []


async def test_the_same_thread_in_another_workspace_is_another_thread(
    store: Store, given: Given
) -> None:
    """Workspaces do not wait for each other."""
    await given.posts(store, given.post("1"), given.post("2", workspace="T2"))
    assert [post.key for post in await given.due(store)] == ["1", "2"]


async def test_urgent_messages_go_first(store: Store, given: Given) -> None:
    """The outcome of a job does not wait behind its steps."""
    calm, urgent = given.post("calm", thread="a"), given.post("urgent", thread="b", urgent=True)
    await given.posts(store, calm, urgent)
    assert [post.key for post in await given.due(store)] == ["urgent", "calm"]


async def test_each_channel_belongs_to_exactly_one_lane(store: Store, given: Given) -> None:
    """However the lanes are shared out, every message is somebody's and nobody's twice."""
    channels = [f"C{number}" for number in range(40)]
    await given.posts(store, *(given.post(c, channel=c, thread=c) for c in channels))
    shares = [await given.due(store, lanes=(lane, 3)) for lane in range(3)]
    assert sorted(post.key for share in shares for post in share) == sorted(channels)
    assert all(shares)


async def test_an_update_waits_until_its_card_stands(store: Store, given: Given) -> None:
    """There is nothing to update before the card has a timestamp."""
    watch = given.watch()
    update = given.post(kind=PostKind.UPDATE, watch_id=watch.id)
    await given.posts(store, update)
    async with store.begin() as tx:
        await tx.watches.add(watch)
    assert await given.due(store) == []
    async with store.begin() as tx:
        assert await tx.outbox.next_due((0, 1), given.now) is None
        await tx.watches.placed(watch.id, "7.0")
    [post] = await given.due(store)
    assert post.card_ts == "7.0"


async def test_an_update_that_names_its_target_waits_for_no_card(
    store: Store, given: Given
) -> None:
    """A body with a `ts` says what to update."""
    await given.posts(store, given.post(kind=PostKind.UPDATE, body={"ts": "1.0"}))
    assert len(await given.due(store)) == 1


async def test_a_message_knows_the_thread_and_the_card_of_its_watch(
    store: Store, given: Given
) -> None:
    """Whoever sends it need not look them up, be it due or claimed."""
    watch = given.watch(thread_ts="3.0", card_ts="4.0")
    async with store.begin() as tx:
        await tx.watches.add(watch)
    await given.posts(store, given.post(watch_id=watch.id))
    for [post] in (await given.due(store), await given.claim(store)):
        assert (post.watch_thread_ts, post.card_ts) == ("3.0", "4.0")


async def test_a_claimed_message_is_not_claimed_again(store: Store, given: Given) -> None:
    """Of two who saw it due, one gets it."""
    await given.posts(store, given.post())
    [due] = await given.due(store)
    async with store.begin() as tx:
        when = {"now": given.now, "deadline": given.at(10), "adopt_at": given.at(30)}
        [post] = await tx.outbox.claim([due.id], **when)
        assert await tx.outbox.claim([due.id], **when) == []
    assert (post.state, post.attempts, post.doubtful) == (PostState.SENDING, 1, False)
    assert (post.deadline, post.adopt_at) == (given.at(10), given.at(30))


async def test_only_the_head_of_a_thread_can_be_claimed(store: Store, given: Given) -> None:
    """Even who asks for two messages of a thread gets the first."""
    await given.posts(store, given.post("1"), given.post("2"))
    [first] = await given.due(store)
    async with store.begin() as tx:
        when = {"now": given.now, "deadline": given.at(10), "adopt_at": given.at(30)}
        claimed = await tx.outbox.claim([first.id, first.id + 1], **when)
    assert [post.key for post in claimed] == ["1"]


async def test_a_message_whose_sender_went_silent_is_adopted_in_doubt(
    store: Store, given: Given
) -> None:
    """Slack may have it: the new sender must look before it sends."""
    await given.posts(store, given.post())
    await given.claim(store)
    assert await given.claim(store, seconds=29) == []
    [post] = await given.claim(store, seconds=30)
    assert (post.doubtful, post.attempts) == (True, 2)


async def test_a_sender_that_was_given_up_cannot_report(store: Store, given: Given) -> None:
    """Once another has adopted a message, only the other may say how it went."""
    await given.posts(store, given.post())
    [lost] = await given.claim(store)
    [ours] = await given.claim(store, seconds=30)
    async with store.begin() as tx:
        later = {"due_at": given.at(60), "doubtful": False, "error": "", "now": given.at(31)}
        assert not await tx.outbox.sent(lost, ts="1.0", now=given.at(31))
        assert not await tx.outbox.postpone(lost, **later)
        assert not await tx.outbox.park(lost, error="no", now=given.at(31))
        assert await tx.outbox.sent(ours, ts="1.0", now=given.at(31))


async def test_an_old_claim_is_not_taken_for_a_later_one_with_the_same_count(
    store: Store, given: Given
) -> None:
    """After a replacement the attempts start again, and yet the lost sender stays lost."""
    card = given.post("card", kind=PostKind.UPDATE, body={"ts": "1.0"})
    await given.posts(store, card)
    [lost] = await given.claim(store)
    [adopted] = await given.claim(store, seconds=30)
    async with store.begin() as tx:
        await tx.outbox.sent(adopted, ts="1.0", now=given.at(31))
        await tx.outbox.replace(card, given.at(32))
    [newer] = await given.claim(store, seconds=32)
    assert newer.attempts == lost.attempts
    async with store.begin() as tx:
        assert not await tx.outbox.sent(lost, ts="1.0", now=given.at(33))


async def test_the_root_message_places_its_watch(store: Store, given: Given) -> None:
    """The card's timestamp is known to the watch in the moment in which it is sent."""
    watch = given.watch()
    async with store.begin() as tx:
        await tx.watches.add(watch)
    await given.posts(store, given.post(watch_id=watch.id, roots_watch=True))
    [post] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.sent(post, ts="9.5", now=given.now)
        placed = await tx.watches.get(watch.id)
    assert placed is not None
    assert placed.card_ts == "9.5"


async def test_a_lost_claim_on_the_root_message_places_nothing(store: Store, given: Given) -> None:
    """A late report does not move the card of a watch."""
    watch = given.watch()
    async with store.begin() as tx:
        await tx.watches.add(watch)
    await given.posts(store, given.post(watch_id=watch.id, roots_watch=True))
    [lost] = await given.claim(store)
    await given.claim(store, seconds=30)
    async with store.begin() as tx:
        await tx.outbox.sent(lost, ts="9.5", now=given.at(31))
        assert await tx.watches.get(watch.id) == watch


async def test_a_postponed_message_is_due_later_and_keeps_its_doubt(
    store: Store, given: Given
) -> None:
    """A busy Slack is asked again when it said, and what was doubtful stays so."""
    await given.posts(store, given.post())
    [post] = await given.claim(store)
    async with store.begin() as tx:
        assert await tx.outbox.postpone(
            post, due_at=given.at(7), doubtful=True, error="busy", now=given.now
        )
        assert await tx.outbox.next_due((0, 1), given.now) == given.at(7)
    assert await given.due(store, seconds=6) == []
    [again] = await given.claim(store, seconds=7)
    assert (again.doubtful, again.error, again.attempts) == (True, "busy", 2)


async def test_a_replacement_takes_the_place_of_what_was_not_sent(
    store: Store, given: Given
) -> None:
    """Of ten states of a card only the newest is sent."""
    for number in range(3):
        async with store.begin() as tx:
            await tx.outbox.replace(given.post("card", body={"text": str(number)}), given.now)
    [post] = await given.claim(store)
    assert (post.body, post.version) == ({"text": "2"}, 3)


async def test_a_replacement_never_puts_a_waiting_message_off(store: Store, given: Given) -> None:
    """A job that changes all the time still gets its card refreshed."""
    for seconds in (2, 4, 6):
        async with store.begin() as tx:
            await tx.outbox.replace(given.post("card", due_at=given.at(seconds)), given.now)
    assert len(await given.due(store, seconds=2)) == 1


async def test_what_was_replaced_while_it_was_sent_is_sent_once_more(
    store: Store, given: Given
) -> None:
    """The newest state is never swallowed by an older one under way."""
    await given.posts(store, given.post("card", body={"text": "old"}))
    [post] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.replace(given.post("card", body={"text": "new"}), given.now)
    assert await given.due(store) == []
    async with store.begin() as tx:
        assert await tx.outbox.sent(post, ts="1.0", now=given.now)
    [again] = await given.claim(store)
    assert (again.body, again.attempts, again.sent_ts) == ({"text": "new"}, 1, "1.0")


@pytest.mark.parametrize("end", ["sent", "parked"])
async def test_a_replacement_wakes_what_was_sent_or_parked(
    store: Store, given: Given, end: str
) -> None:
    """A card that was refused once is tried again with its next state."""
    await given.posts(store, given.post("card"))
    [post] = await given.claim(store)
    async with store.begin() as tx:
        if end == "sent":
            await tx.outbox.sent(post, ts="1.0", now=given.now)
        else:
            await tx.outbox.park(post, error="invalid_blocks", now=given.now)
        await tx.outbox.replace(given.post("card", body={"text": "new"}), given.now)
    [due], [again] = await given.due(store), await given.claim(store)
    assert (again.body, due.attempts, due.error) == ({"text": "new"}, 0, "")


async def test_a_parked_message_lets_its_thread_go_on(store: Store, given: Given) -> None:
    """One message that Slack refuses does not silence those behind it."""
    await given.posts(store, given.post("1"), given.post("2"))
    [post] = await given.claim(store)
    async with store.begin() as tx:
        assert await tx.outbox.park(post, error="msg_too_long", now=given.now)
    assert [post.key for post in await given.due(store)] == ["2"]


async def test_a_dropped_message_is_never_due_again(store: Store, given: Given) -> None:
    """What was given up is not even among the parked."""
    await given.posts(store, given.post())
    [post] = await given.claim(store)
    async with store.begin() as tx:
        assert await tx.outbox.park(post, error="too late", now=given.now)
        assert await tx.parked.drop([post], given.now) == 1
        assert await tx.parked.again([post], given.now) == 0


async def test_a_parked_thread_takes_all_its_messages_with_it(store: Store, given: Given) -> None:
    """A channel that is gone is not tried once for each message."""
    await given.posts(store, given.post("1"), given.post("2"), given.post("x", thread="other"))
    async with store.begin() as tx:
        assert await tx.outbox.park_thread("T1", "thread", "is_archived", given.now) == 2
    assert [post.key for post in await given.due(store)] == ["x"]


async def test_the_next_moment_is_that_of_the_first_head(store: Store, given: Given) -> None:
    """A message behind another does not wake the sender for nothing."""
    await given.posts(
        store,
        given.post("1", due_at=given.at(50)),
        given.post("2", due_at=given.at(5)),
        given.post("x", thread="other", due_at=given.at(40)),
    )
    async with store.begin() as tx:
        assert await tx.outbox.next_due((0, 1), given.now) == given.at(40)


async def test_a_store_that_starts_alone_lets_claims_be_adopted_soon(
    store: Store, given: Given
) -> None:
    """A dead process's claims end as soon as Slack has done what it was sent, in doubt."""
    await given.posts(store, given.post("1"), given.post("2", thread="other"))
    await given.claim(store)
    async with store.begin() as tx:
        assert await tx.outbox.reopen(given.at(5)) == 2
    assert await given.due(store, now=given.at(4)) == []
    assert [post.doubtful for post in await given.claim(store, seconds=5)] == [True, True]


async def test_letting_claims_be_adopted_never_puts_that_off(store: Store, given: Given) -> None:
    """A process that dies again and again does not keep its messages for ever."""
    await given.posts(store, given.post())
    await given.claim(store)
    async with store.begin() as tx:
        assert await tx.outbox.reopen(given.at(5)) == 1
        assert await tx.outbox.reopen(given.at(9)) == 0
    assert len(await given.due(store, now=given.at(5))) == 1


async def test_a_message_being_sent_is_next_due_when_it_may_be_adopted(
    store: Store, given: Given
) -> None:
    """Somebody wakes in time for the messages of a dead sender."""
    await given.posts(store, given.post())
    await given.claim(store)
    async with store.begin() as tx:
        assert await tx.outbox.next_due((0, 1), given.now) == given.at(30)
        assert await tx.outbox.next_due((0, 1), given.at(99)) == given.at(99)


async def test_pruning_takes_what_is_settled_and_never_what_is_unsent(
    store: Store, given: Given
) -> None:
    """A message that waits may wait longer than any record is kept."""
    await given.posts(store, given.post("sent", thread="a"), given.post("waits", thread="b"))
    [sent, _] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.sent(sent, ts="1.0", now=given.now)
        assert await tx.outbox.prune(given.now) == 0
        assert await tx.outbox.prune(given.at(1)) == 1
    assert [post.key for post in await given.claim(store, seconds=30)] == ["waits"]


async def test_the_backlog_counts_what_should_be_out_by_now(store: Store, given: Given) -> None:
    """Messages whose time has not come are no backlog; those behind a head are."""
    await given.posts(store, given.post(), given.post(), given.post(due_at=given.at(60)))
    async with store.begin() as tx:
        assert await tx.outbox.backlog(given.now) == (2, given.now)
        assert await tx.outbox.backlog(given.at(-1)) == (0, None)


async def test_a_new_body_for_a_message_that_was_sent_begins_to_wait_now(
    store: Store, given: Given
) -> None:
    """A card that is redrawn after a week has not waited for a week."""
    async with store.begin() as tx:
        await tx.outbox.replace(given.post("card"), given.now)
    [post] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.sent(post, ts="1.0", now=given.now)
        await tx.outbox.replace(given.post("card"), given.at(3_600))
        await tx.outbox.replace(given.post("card"), given.at(3_610))
        assert (await tx.gauges.messages()).since == given.at(3_600)


async def test_cards_that_wait_keep_no_post_out_of_sight(store: Store, given: Given) -> None:
    """Only so many heads are looked at, and cards may only be drawn 50 times a minute."""
    cards = [
        given.post(thread=f"card {n}", kind=PostKind.UPDATE, body={"ts": "1.0"}, urgent=True)
        for n in range(5)
    ]
    await given.posts(store, *cards, given.post("said"))
    assert [post.key for post in await given.due(store, limit=1)] == ["said"]


async def test_an_outcome_goes_before_other_news(store: Store, given: Given) -> None:
    """Whoever waits for the end of a job waits for nobody's progress."""
    await given.posts(
        store, given.post("moved", thread="one"), given.post("ended", thread="two", urgent=True)
    )
    assert [post.key for post in await given.due(store)] == ["ended", "moved"]


async def test_what_an_outcome_waits_for_is_as_urgent(store: Store, given: Given) -> None:
    """Else it would wait behind the steps of all other jobs."""
    await given.posts(store, given.post("step", thread="other"))
    await given.posts(store, given.post("begun"), given.post("ended", urgent=True))
    assert [post.key for post in await given.due(store)] == ["begun", "step"]


async def test_what_waits_behind_a_message_is_that_of_its_watch_and_thread(
    store: Store, given: Given
) -> None:
    """In its order; what is another's is left alone."""
    watch, other = given.watch(), given.watch()
    async with store.begin() as tx:
        await tx.watches.add(watch)
        await tx.watches.add(other)
    of = {"watch_id": watch.id}
    await given.posts(
        store,
        *(given.post(key, **of) for key in ("1", "2")),
        given.post("another's", watch_id=other.id),
        given.post("elsewhere", thread="other", **of),
        given.post("3", **of),
    )
    [first, _] = await given.claim(store)
    async with store.begin() as tx:
        assert [post.key for post in await tx.outbox.behind(first)] == ["2", "3"]


async def test_a_claim_can_say_what_others_would_and_they_are_said_with_it(
    store: Store, given: Given
) -> None:
    """Their keys stay known, so that nobody writes them down anew."""
    watch = given.watch()
    async with store.begin() as tx:
        await tx.watches.add(watch)
    posts = [given.post(key, watch_id=watch.id) for key in ("1", "2")]
    await given.posts(store, *posts)
    [first] = await given.claim(store)
    async with store.begin() as tx:
        behind = await tx.outbox.behind(first)
        assert await tx.outbox.gather(first, {"text": "both"}, behind, given.now)
        assert await tx.outbox.body("T1", "1") == {"text": "both"}
        assert await tx.outbox.sent(first, ts="1.0", now=given.now)
    assert await given.due(store, seconds=3_600) == []
    assert await given.posts(store, *posts) == 0


async def test_what_is_said_with_an_outcome_is_as_urgent(store: Store, given: Given) -> None:
    """Refused for the moment, it goes before the news of others when Slack takes posts again."""
    watch = given.watch()
    async with store.begin() as tx:
        await tx.watches.add(watch)
    await given.posts(
        store,
        given.post("other", thread="other", due_at=given.at(1)),
        given.post("1", watch_id=watch.id),
    )
    [first] = await given.claim(store)
    await given.posts(store, given.post("2", watch_id=watch.id, urgent=True))
    async with store.begin() as tx:
        behind = await tx.outbox.behind(first)
        assert await tx.outbox.gather(first, {"text": "both"}, behind, given.now)
        await tx.outbox.postpone(first, due_at=given.now, doubtful=False, error="", now=given.now)
    assert [(post.key, post.urgent) for post in await given.due(store, seconds=1)] == [
        ("1", True),
        ("other", False),
    ]


async def test_a_claim_that_is_no_longer_ours_gathers_nothing(store: Store, given: Given) -> None:
    """Whoever adopted it decides what it says."""
    watch = given.watch()
    async with store.begin() as tx:
        await tx.watches.add(watch)
    await given.posts(store, *(given.post(key, watch_id=watch.id) for key in ("1", "2")))
    [first] = await given.claim(store)
    async with store.begin() as tx:
        behind = await tx.outbox.behind(first)
        await tx.outbox.postpone(first, due_at=given.now, doubtful=True, error="", now=given.now)
        assert not await tx.outbox.gather(first, {"text": "both"}, behind, given.now)
    assert [post.key for post in await given.due(store)] == ["1"]
    async with store.begin() as tx:
        assert [post.key for post in await tx.outbox.behind(first)] == ["2"]
