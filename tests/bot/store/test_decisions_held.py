"""The decisions that are held: one takes them, whoever else wants them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.models import Status
from bot.noise.decision import Action, Happening
from bot.store import Decided
from tests.bot.channels.night import Night

if TYPE_CHECKING:
    from bot.store import Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


def held(given: Given, key: str = "w:1", *, seconds: float = 0, **but: Any) -> Decided:
    """Return what is held until so many seconds after noon."""
    plain = {
        "workspace": given.workspace,
        "key": key,
        "channel": given.channel,
        "watch_id": "w",
        "ref": given.ref(),
        "name": "api",
        "happening": Happening.CHANGE,
        "bad": False,
        "was_bad": False,
        "action": Action.HOLD,
        "rule": "quiet_hours",
        "reason": "These are quiet hours.",
        "text": "api is now running.",
        "body": {"message": {"text": "api is now running."}},
        "until": given.at(seconds),
        "at": given.at(-60),
    }
    return Decided(**(plain | but))


async def written(store: Store, *decided: Decided) -> None:
    """Write decisions down."""
    async with store.begin() as tx:
        for one in decided:
            assert await tx.decisions.add(one)


async def test_what_is_ripe_is_what_its_channel_holds_no_longer(store: Store, given: Given) -> None:
    """Neither what has time, nor another channel's."""
    other = held(given, "o:1", channel="C2")
    await written(store, held(given, "w:2"), held(given, "w:1"), held(given, "w:3", seconds=1))
    await written(store, other)
    async with store.begin() as tx:
        ripe = await tx.decisions.ripe(given.workspace, given.channel, given.now)
        assert [decided.key for decided in ripe] == ["w:2", "w:1"]
        assert ripe[0] == held(given, "w:2")
        places = await tx.decisions.ripe_places(given.now)
        assert sorted(places) == [("T1", "C1"), ("T1", "C2")]
        assert await tx.decisions.ripe_places(given.at(-1)) == []
        assert sorted(await tx.decisions.places()) == sorted(places)


async def test_of_two_who_take_what_is_ripe_one_gets_it(store: Store, given: Given) -> None:
    """The later one finds nothing, and the earlier one's board."""
    await written(store, *(held(given, f"w:{n}") for n in range(5)))

    async def take(board: str) -> list[str]:
        async with store.begin() as tx:
            ripe = await tx.decisions.ripe(given.workspace, given.channel, given.now)
            mine = [replace(decided, until=None, board_id=board) for decided in ripe]
            return [one.key for one in mine if await tx.decisions.again(one)]

    taken = await asyncio.gather(take("a"), take("b"), take("c"))
    assert sorted(key for keys in taken for key in keys) == [f"w:{n}" for n in range(5)]
    assert sum(bool(keys) for keys in taken) == 1


async def test_three_processes_and_a_new_contract_at_the_same_moment_tell_everything_once(
    store: Store,
) -> None:
    """Each job is in one follow-up or on one line of the one digest that grows."""
    dark, names = Night(store), [f"job-{n}" for n in range(8)]
    await dark.agree(posts_per_hour=1)
    for name in names:
        await dark.follow(name)
        await dark.looks(Status.SUCCEEDED, name)
    await asyncio.gather(dark.tick(), dark.agree(posts_per_hour=3), dark.tick(), dark.tick())
    await dark.tick()
    newest = {row.board_id or row.key: row for row in await dark.posts("post", "update")}
    told = [row for row in newest.values() if not row.key.endswith(":card")]
    lines = [line for row in told for line in row.body["message"]["text"].split("\n")]
    assert [sum(name in line for line in lines) for name in names] == [1] * len(names)
    assert sum(row.board_id is not None for row in told) <= 1


async def test_what_is_held_no_longer_is_not_decided_again(store: Store, given: Given) -> None:
    """Whoever comes second learns so, and changes nothing."""
    one = held(given)
    await written(store, one)
    told = replace(one, until=None, action=Action.POST, at=given.now)
    async with store.begin() as tx:
        assert await tx.decisions.again(told)
        assert not await tx.decisions.again(replace(one, until=None, action=Action.DROP))
        assert await tx.decisions.get(one.workspace, one.key) == told


async def test_what_is_said_after_all_counts_from_then(store: Store, given: Given) -> None:
    """The budget is of what the channel hears within an hour."""
    await written(store, held(given))
    async with store.begin() as tx:
        spoken = (given.workspace, given.channel, given.at(-30))
        assert await tx.decisions.spoken(*spoken) == 0
        await tx.decisions.again(replace(held(given), until=None, action=Action.POST, at=given.now))
        assert await tx.decisions.spoken(*spoken) == 1


async def test_what_a_digest_could_not_tell_is_held_again(store: Store, given: Given) -> None:
    """All of it but what stands already; it is ripe at once."""
    tell = {"until": None, "board_id": "b"}
    await written(store, held(given, "w:1", **tell), held(given, "w:2", **tell))
    async with store.begin() as tx:
        assert await tx.decisions.take_back("b", ["w:1"], given.now) == 1
        [back] = await tx.decisions.held(given.workspace, given.channel)
        assert (back.key, back.until, back.board_id) == ("w:2", given.now, None)
        assert await tx.decisions.take_back("b", [], given.now) == 1
        assert await tx.decisions.of_board("b") == []


async def test_how_much_is_held_and_since_when_can_be_asked(store: Store, given: Given) -> None:
    """For whoever watches over the bot."""
    await written(store, held(given, "w:1"), held(given, "w:2", until=None))
    async with store.begin() as tx:
        waiting = await tx.gauges.held()
        assert (waiting.count, waiting.since) == (1, given.at(-60))
        assert await tx.decisions.next_ripe() == given.now


async def test_watches_are_found_by_their_ids_in_any_state(store: Store, given: Given) -> None:
    """A digest links the cards of what has ended, too."""
    first, second = given.watch(), given.watch(ref=given.ref("JOB2"))
    async with store.begin() as tx:
        for watch in (first, second):
            await tx.watches.add(watch)
        await tx.watches.end([second.id], now=given.now, reason="the job ended")
        found = await tx.watches.those([first.id, second.id, "none"])
        assert found.keys() == {first.id, second.id}
        assert await tx.watches.those([]) == {}


async def test_a_thread_that_is_given_up_keeps_what_was_sent(store: Store, given: Given) -> None:
    """Only what is unsent is dropped; its body can still be read."""
    await given.posts(store, given.post("a"), given.post("b"), given.post("c", thread="other"))
    [first, _] = await given.claim(store)
    async with store.begin() as tx:
        await tx.outbox.sent(first, ts="1.0", now=given.now)
        assert await tx.outbox.drop_thread("T1", "thread", error="why", now=given.now) == 1
        assert await tx.outbox.body("T1", "b") == {"text": "hello"}
        assert await tx.outbox.body("T1", "none") is None
    assert [post.key for post in await given.due(store)] == []
