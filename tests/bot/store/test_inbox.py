"""The inbox, in both stores: a question arrives once, and one at a time answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bot.store import Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def test_a_question_comes_back_as_it_was_written(store: Store, given: Given) -> None:
    """Kind and body survive, whatever characters they hold."""
    body = {"text": "ünï 任务 \x00 \ud83d", "list": [1, None, {"a": True}]}
    await given.question(store, "key", kind="mention", body=body)
    async with store.begin() as tx:
        [question] = await tx.inbox.claim(now=given.now, lease_until=given.at(60), limit=10)
    assert (question.kind, question.body, question.key) == ("mention", body, "key")
    assert (question.workspace, question.received_at) == ("T1", given.now)


async def test_a_question_whose_key_is_known_is_not_written_again(
    store: Store, given: Given
) -> None:
    """Slack may send the same event four times."""
    assert await given.question(store, "same") is not None
    assert await given.question(store, "same") is None


async def test_two_workspaces_may_use_the_same_key(store: Store, given: Given) -> None:
    """Keys are only unique within a workspace."""
    assert await given.question(store, "same", workspace="T1") is not None
    assert await given.question(store, "same", workspace="T2") is not None


async def test_a_question_that_its_listener_holds_is_not_given_to_others(
    store: Store, given: Given
) -> None:
    """Whoever adds a question answers it, until the lease is over."""
    await given.question(store, lease_until=given.at(60))
    async with store.begin() as tx:
        assert await tx.inbox.claim(now=given.at(59), lease_until=given.at(99), limit=10) == []
        [question] = await tx.inbox.claim(now=given.at(60), lease_until=given.at(99), limit=10)
    assert question.attempts == 1


async def test_each_claim_is_counted(store: Store, given: Given) -> None:
    """A question that kills its process is recognised by its attempts."""
    await given.question(store)
    async with store.begin() as tx:
        for attempts in (1, 2, 3):
            [question] = await tx.inbox.claim(now=given.now, lease_until=given.now, limit=1)
            assert question.attempts == attempts


async def test_the_oldest_questions_are_claimed_first(store: Store, given: Given) -> None:
    """Nobody waits for ever behind newer questions."""
    for key, seconds in (("new", -1), ("old", -3), ("middle", -2)):
        await given.question(store, key, now=given.at(seconds))
    async with store.begin() as tx:
        questions = await tx.inbox.claim(now=given.now, lease_until=given.at(60), limit=2)
    assert [question.key for question in questions] == ["old", "middle"]


async def test_one_question_can_be_claimed_by_its_id(store: Store, given: Given) -> None:
    """The one who was told of a question takes that one and no other."""
    await given.question(store, "first")
    second = await given.question(store, "second")
    async with store.begin() as tx:
        questions = await tx.inbox.claim(
            now=given.now, lease_until=given.at(60), limit=9, id=second
        )
    assert [question.key for question in questions] == ["second"]


async def test_a_question_is_closed_by_one_of_two(store: Store, given: Given) -> None:
    """Whoever comes second is told so, and says nothing."""
    id_ = await given.question(store)
    assert id_ is not None
    async with store.begin() as tx:
        assert await tx.inbox.close(id_, given.now)
        assert not await tx.inbox.close(id_, given.at(1))


async def test_a_closed_question_is_never_claimed_again(store: Store, given: Given) -> None:
    """What was answered is over."""
    id_ = await given.question(store)
    assert id_ is not None
    async with store.begin() as tx:
        await tx.inbox.close(id_, given.now)
        assert await tx.inbox.claim(now=given.at(99), lease_until=given.at(999), limit=10) == []
        assert await tx.inbox.next_due() is None


async def test_a_question_is_closed_by_one_answer_only(store: Store, given: Given) -> None:
    """Whoever comes second hears that it is answered."""
    id_ = await given.question(store)
    assert id_ is not None
    async with store.begin() as tx:
        assert await tx.inbox.close(id_, given.now)
        assert not await tx.inbox.close(id_, given.at(1))


async def test_a_released_question_waits_as_long_as_it_was_told(store: Store, given: Given) -> None:
    """A question is tried again later, not at once."""
    id_ = await given.question(store)
    assert id_ is not None
    async with store.begin() as tx:
        await tx.inbox.release(id_, given.at(30))
        assert await tx.inbox.claim(now=given.at(29), lease_until=given.at(99), limit=10) == []
        assert await tx.inbox.next_due() == given.at(30)


async def test_a_store_that_starts_alone_reopens_what_its_predecessor_held(
    store: Store, given: Given
) -> None:
    """After a crash nobody waits for the dead process's leases."""
    await given.question(store, lease_until=given.at(600))
    async with store.begin() as tx:
        await tx.inbox.reopen(given.now)
        assert len(await tx.inbox.claim(now=given.now, lease_until=given.at(9), limit=10)) == 1


async def test_old_closed_questions_are_forgotten_and_open_ones_never(
    store: Store, given: Given
) -> None:
    """Pruning takes only what was answered before then."""
    ids = [await given.question(store, key) for key in ("old", "new", "open")]
    async with store.begin() as tx:
        await tx.inbox.close(ids[0] or 0, given.at(-20))
        await tx.inbox.close(ids[1] or 0, given.at(-10))
        assert await tx.inbox.prune(given.at(-10)) == 1
    assert await given.question(store, "open") is None


async def test_the_backlog_counts_what_nobody_holds(store: Store, given: Given) -> None:
    """A question under a lease is being answered, and no backlog."""
    await given.question(store, "held", now=given.at(-9), lease_until=given.at(60))
    await given.question(store, "older", now=given.at(-5))
    await given.question(store, "newer", now=given.at(-1))
    async with store.begin() as tx:
        assert await tx.inbox.backlog(given.now) == (2, given.at(-5))


async def test_an_empty_inbox_has_no_backlog_and_nothing_due(store: Store, given: Given) -> None:
    """Nothing is None, not an error."""
    async with store.begin() as tx:
        assert await tx.inbox.backlog(given.now) == (0, None)
        assert await tx.inbox.next_due() is None
