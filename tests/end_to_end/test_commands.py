"""Request → card → thread, over a real Socket Mode connection and with a real provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.app import Bot
from bot.providers.plugin_loader import load_plugins
from bot.sdk import hookimpl
from bot.sdk.testing import Fault, ManualClock, serve
from localslack import LocalSlack
from plugins.huaweicloud.simulator import Tenant
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import Simulator
from tests.bot.conftest import Stage, settings_for, staged

if TYPE_CHECKING:
    from pathlib import Path

    from bot.sdk import Change

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35"
STEPS = (JobStep("PREPARE", 30), JobStep("UPGRADE", 90), JobStep("CHECK", 60))


def running(id_: str = ID) -> JobScript:
    """Return a job of three minutes."""
    return JobScript(id_, STEPS, queued_seconds=0)


async def test_command_posts_a_card_with_one_slack_call(stage: Stage) -> None:
    """The request costs exactly one Web API call: the post of the card."""
    stage.servicestage.add(running())
    before = len(stage.slack.calls)
    card = await stage.asks(f"/job deploys:{ID}")
    assert "running" in card.text
    assert [c.method for c in stage.slack.calls[before:]] == ["chat.postMessage"]


async def test_finished_job_gets_a_last_reply_and_its_watch_ends(
    stage: Stage,
) -> None:
    """The thread ends with the outcome, once, and polling stops."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.finish(ID)
    await stage.polls()
    last = await stage.replied(card, "succeeded after")
    assert stage.thread(card) == [last]
    assert await stage.watches() == []


async def test_card_is_updated_in_place(stage: Stage) -> None:
    """The card shows the latest status, under the same timestamp."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.finish(ID)
    await stage.polls()
    assert (await stage.shown(card, "succeeded after")).ts == card.ts


async def test_card_shows_polled_progress_at_once(stage: Stage) -> None:
    """Progress without a thread reply does not wait for a tick of the dispatcher."""
    steps = (JobStep("PREPARE", 5), JobStep("UPGRADE", 90))
    stage.servicestage.add(JobScript(ID, steps, queued_seconds=0))
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.polls()
    await stage.shown(card, "1 of 2")


async def test_failure_reply_mentions_the_requester_and_is_broadcast(
    stage: Stage,
) -> None:
    """It names the failed task."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.fail(ID, 0, "disk full")
    await stage.polls()
    outcome = await stage.replied(card, "failed")
    assert "PREPARE" in outcome.text
    assert f"<@{stage.slack.workspace.user('ada').id}>" in outcome.text
    assert outcome.broadcast
    assert "disk full" in str(outcome.blocks)


async def test_success_reply_is_not_broadcast(stage: Stage) -> None:
    """Only the thread gets it."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.finish(ID)
    await stage.polls()
    assert not (await stage.replied(card, "succeeded")).broadcast


async def test_finished_job_gets_a_card_but_no_watch(stage: Stage) -> None:
    """It is not polled."""
    stage.servicestage.add(running())
    stage.servicestage.finish(ID)
    card = await stage.asks(f"/job deploys:{ID}")
    assert "succeeded" in card.text
    assert await stage.watches() == []


async def test_repeated_request_gets_a_link_to_the_card(stage: Stage) -> None:
    """There is no second card."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.says(f"/job {ID}")
    said = await stage.whispered("followed here already")
    assert card.ts.replace(".", "") in str(said.blocks)
    assert [m.ts for m in stage.slack.messages() if m.user == card.user] == [card.ts]


async def test_peek_is_ephemeral_and_starts_no_watch(stage: Stage) -> None:
    """It posts nothing in the channel."""
    stage.servicestage.add(running())
    await stage.says(f"/job peek deploys:{ID}")
    await stage.whispered("running")
    assert [m for m in stage.slack.messages() if m.user == stage.slack.workspace.bot.id] == []
    assert await stage.watches() == []


async def test_mention_finds_the_reference_in_a_sentence(stage: Stage) -> None:
    """Other words are ignored."""
    stage.servicestage.add(running())
    card = await stage.asks(f"@jobthread how is {ID} doing?")
    assert "running" in card.text


async def test_mention_without_words_gets_help(stage: Stage) -> None:
    """It works like the bare command."""
    await stage.says("@jobthread")
    assert "/job help" not in (await stage.whispered("Ask for a job")).text


async def test_shortcut_on_a_message_without_words_finds_no_job(stage: Stage) -> None:
    """The reply does not ask the user to type a command."""
    message = (await stage.slack.says("<@U0GRACE>")).message
    assert message is not None
    await stage.slack.shortcut("follow_jobs", message)
    await stage.whispered("I found no job in that")


async def test_stop_following_can_be_typed(stage: Stage) -> None:
    """The button's label works as a command."""
    stage.servicestage.add(running())
    await stage.asks(f"/job deploys:{ID}")
    await stage.says(f"@jobthread stop following {ID}")
    await stage.whispered("no longer followed")
    assert await stage.watches() == []


async def test_mention_in_a_thread_is_answered_in_that_thread(stage: Stage) -> None:
    """Card and replies stay in the thread of the request."""
    stage.servicestage.add(running())
    root = (await stage.slack.says("the release")).message
    assert root is not None
    await stage.says(f"@jobthread {ID}", thread_ts=root.ts)
    await stage.replied(root, "running")
    stage.servicestage.finish(ID)
    await stage.polls()
    await stage.replied(root, "succeeded after")


async def test_direct_message_gets_an_ordinary_reply(stage: Stage) -> None:
    """No ephemeral message is needed there."""
    stage.servicestage.add(running())
    card = await stage.asks(f"how is {ID}?", channel="im")
    assert "running" in card.text


async def test_several_references_get_a_card_each(stage: Stage) -> None:
    """One command can name several jobs."""
    stage.servicestage.add(running())
    stage.servicestage.add(running(OTHER))
    await stage.says(f"/job deploys:{ID} deploys:{OTHER}")
    bot = stage.slack.workspace.bot.id
    await stage.slack.until(lambda: len([m for m in stage.slack.messages() if m.user == bot]) == 2)
    assert len(await stage.watches()) == 2


async def test_url_with_two_jobs_gets_a_card_each(stage: Stage) -> None:
    """A page can show several jobs; all of them count."""
    stage.servicestage.add(running())
    stage.servicestage.add(running(OTHER))
    settings = stage.bot.connections["deploys"].settings
    api = f"{settings.base_url}/v3/{settings.project_id}/cas/jobs"
    await stage.says(f"/job {api}/{ID}?and={api}/{OTHER}")
    await stage.slack.until(lambda: len(stage.slack.messages()) == 2)
    assert {ref.id for ref in await stage.watches()} == {ID, OTHER}


async def test_malformed_id_beside_a_valid_one_gets_a_reply(stage: Stage) -> None:
    """Each of the two references gets an answer."""
    stage.servicestage.add(running())
    await stage.asks(f"/job {ID} {OTHER.removeprefix('J')} please")
    said = await stage.whispered("is not a job I can look up")
    assert OTHER.removeprefix("J") in said.text
    assert len(stage.slack.ephemerals("ada")) == 1


async def test_unknown_job_gets_an_ephemeral_reply(stage: Stage) -> None:
    """It has the next step and the correlation id."""
    await stage.says(f"/job deploys:{ID}")
    said = await stage.whispered("knows no such job")
    assert "Check the id" in said.text
    assert "log id" in said.text


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, "does not let"),
        (401, "knows no such job"),
        (429, "busy"),
        (503, "trouble"),
    ],
)
async def test_each_provider_error_is_a_sentence(stage: Stage, status: int, words: str) -> None:
    """Every error status gets a reply."""
    stage.servicestage.refuse(status=status)
    await stage.says(f"/job deploys:{ID}")
    await stage.whispered(words)


async def test_misspelt_connection_is_corrected_with_one_click(stage: Stage) -> None:
    """The button sends the suggested reference."""
    stage.servicestage.add(running())
    await stage.says(f"/job deplys:{ID}")
    said = await stage.whispered("Did you mean")
    before = {m.ts for m in stage.slack.messages()}
    await stage.slack.click(said, "run")
    assert "running" in (await stage.posted(before)).text


async def test_corrected_peek_is_still_ephemeral(stage: Stage) -> None:
    """The button repeats the verb."""
    stage.servicestage.add(running())
    await stage.says(f"/job peek deplys:{ID}")
    await stage.slack.click(await stage.whispered("Did you mean"), "run")
    await stage.whispered("Only you see this")
    assert [m for m in stage.slack.messages() if m.user == stage.slack.workspace.bot.id] == []


@pytest.mark.parametrize(("typed", "meant"), [("peak", "peek"), ("unwacth", "unwatch")])
async def test_misspelt_verb_before_a_job_posts_no_card(
    stage: Stage, typed: str, meant: str
) -> None:
    """The requester gets a suggestion, which one click runs."""
    stage.servicestage.add(running())
    await stage.says(f"/job {typed} deploys:{ID}")
    said = await stage.whispered("Did you mean")
    assert f"{meant} deploys:{ID}" in said.text
    assert [m for m in stage.slack.messages() if m.user == stage.slack.workspace.bot.id] == []


async def test_polite_word_before_a_job_is_ignored(stage: Stage) -> None:
    """Only a word very close to a verb counts as a misspelt verb."""
    stage.servicestage.add(running())
    assert "running" in (await stage.asks(f"/job please deploys:{ID}")).text


async def test_requester_reads_how_to_invite_the_bot(stage: Stage) -> None:
    """The bot cannot post a card in a channel that it is no member of."""
    stage.servicestage.add(running())
    await stage.says(f"/job deploys:{ID}", channel="private-ops")
    await stage.whispered("/invite @jobthread")


async def test_stop_following_ends_the_watch_and_removes_the_button(stage: Stage) -> None:
    """One click on the card is enough."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.slack.click(card, "unfollow")
    await stage.whispered("no longer followed")
    await stage.slack.until(lambda: "unfollow" not in str(stage.now(card).blocks))
    assert await stage.watches() == []


async def test_job_can_be_followed_again_from_its_card(stage: Stage) -> None:
    """The same thread continues; there is no second card."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.slack.click(card, "unfollow")
    assert "Follow button" in (await stage.whispered("no longer followed")).text
    await stage.slack.until(lambda: "unfollow" not in str(stage.now(card).blocks))
    await stage.slack.click(stage.now(card), "follow")
    await stage.shown(card, "unfollow")
    stage.servicestage.finish(ID)
    await stage.polls()
    await stage.replied(card, "succeeded after")
    assert [m.ts for m in stage.slack.messages() if m.user == card.user] == [card.ts]


async def test_follow_on_an_ended_job_only_updates_the_card(stage: Stage) -> None:
    """The card shows the outcome, and the job is not polled."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.slack.click(card, "unfollow")
    await stage.whispered("no longer followed")
    await stage.slack.until(lambda: "unfollow" not in str(stage.now(card).blocks))
    stage.servicestage.finish(ID)
    await stage.slack.click(stage.now(card), "follow")
    await stage.shown(card, "succeeded after")
    await stage.at_rest()
    asked = len(stage.servicestage.calls)
    await stage.clock.advance(60)
    assert await stage.watches() == []
    assert len(stage.servicestage.calls) == asked


async def test_refresh_updates_the_card_and_posts_the_change(stage: Stage) -> None:
    """A click does not wait for the next poll."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.finish(ID)
    await stage.slack.click(card, "refresh")
    await stage.shown(card, "succeeded")
    await stage.replied(card, "succeeded after")


async def test_refresh_of_an_unfollowed_card_starts_no_polling(stage: Stage) -> None:
    """It fetches the job once."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.slack.click(card, "unfollow")
    await stage.whispered("no longer followed")
    await stage.slack.until(lambda: "unfollow" not in str(stage.now(card).blocks))
    await stage.clock.advance(35)
    await stage.slack.click(stage.now(card), "refresh")
    await stage.shown(card, "1 of 3")
    asked = len(stage.servicestage.calls)
    await stage.clock.advance(100)
    assert len(stage.servicestage.calls) == asked


class ListeningPlugin:
    """A plugin that only implements `job_changed`."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    @hookimpl
    async def job_changed(self, change: Change) -> None:
        """Record the change."""
        self.changes.append(change)


async def test_plugins_get_a_change_found_by_refresh(tmp_path: Path) -> None:
    """The hook runs for fetches by users as for polls."""
    listener, plugins = ListeningPlugin(), load_plugins()
    plugins.hooks.register(listener)
    async with staged(tmp_path, plugins=plugins) as stage:
        stage.servicestage.add(running())
        card = await stage.asks(f"/job deploys:{ID}")
        stage.servicestage.finish(ID)
        await stage.slack.click(card, "refresh")
        await stage.replied(card, "succeeded after")
        assert [str(change.ref) for change in listener.changes] == [f"deploys:{ID}"]


async def test_unknown_disabled_plugin_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The bot runs nevertheless."""
    async with staged(tmp_path, plugins=load_plugins(["servicestag"])):
        assert "there is no plugin 'servicestag'; did you mean servicestage?" in caplog.text


async def test_list_shows_the_channels_watches(stage: Stage) -> None:
    """Each has a link to its card."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.says("/job list")
    said = await stage.whispered("1 job is followed")
    assert card.ts.replace(".", "") in str(said.blocks)


async def test_help_shows_a_placeholder_until_a_job_is_known(stage: Stage) -> None:
    """After that its examples work when copied."""
    await stage.says("/job")
    first = str((await stage.whispered("Ask for a job")).blocks)
    assert "`/job deploys:&lt;job id&gt;`" in first
    stage.servicestage.add(running())
    await stage.asks(f"/job deploys:{ID}")
    await stage.says("/job help")
    await stage.whispered(f"/job peek deploys:{ID}")


async def test_malformed_id_gets_a_known_job_as_an_example(stage: Stage) -> None:
    """The class's own example id is never on a button."""
    await stage.says("/job deploys:77")
    assert "actions" not in str((await stage.whispered("Its ids have the form")).blocks)
    stage.servicestage.add(running())
    await stage.asks(f"/job deploys:{ID}")
    await stage.says("/job deploys:78")
    assert f"deploys:{ID}" in (await stage.whispered("One that I know")).text


async def test_shortcut_follows_a_messages_jobs_in_its_thread(stage: Stage) -> None:
    """Commands do not work in threads; the message's menu does."""
    stage.servicestage.add(running())
    message = (await stage.slack.says(f"releasing {ID} now")).message
    assert message is not None
    await stage.slack.shortcut("follow_jobs", message)
    await stage.replied(message, "running")


async def test_shortcut_ignores_verbs_in_the_message(stage: Stage) -> None:
    """The message was not written to the bot: an "unwatch" in it ends no watch."""
    stage.servicestage.add(running())
    stage.servicestage.add(running(OTHER))
    await stage.asks(f"/job deploys:{ID}")
    message = (await stage.slack.says(f"Unwatch deploys:{ID} deploys:{OTHER}")).message
    assert message is not None
    await stage.slack.shortcut("follow_jobs", message)
    await stage.replied(message, "running")
    assert {ref.id for ref in await stage.watches()} == {ID, OTHER}


async def test_unwatch_ends_the_watch(stage: Stage) -> None:
    """The command does what the button does."""
    stage.servicestage.add(running())
    await stage.asks(f"/job deploys:{ID}")
    await stage.says(f"/job unwatch deploys:{ID}")
    await stage.whispered("no longer followed")
    assert await stage.watches() == []


async def test_card_shows_that_polling_fails(stage: Stage) -> None:
    """The card does not look up to date while the provider is down."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.refuse(times=None, status=503)
    await stage.looks(4)
    await stage.shown(card, "Could not be checked")


async def test_slow_command_sends_a_waiting_notice(stage: Stage) -> None:
    """It is sent after two seconds; a quick command sends none."""
    stage.servicestage.add(running())
    stage.servicestage.slow_down(5)
    await stage.says(f"/job deploys:{ID}")
    await stage.slack.until(lambda: stage.clock.sleepers > 3)
    await stage.clock.advance(1.9)
    assert stage.slack.ephemerals() == []
    await stage.clock.advance(0.2)
    await stage.whispered("takes longer than usual; the answer follows.")
    await stage.clock.advance(10)
    await stage.slack.until(lambda: len(stage.slack.messages()) == 1)


async def test_unparseable_response_is_logged_under_the_correlation_id(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """The log line has an excerpt; secrets are redacted."""
    key = Tenant().key_settings()["secret_key"]
    answer = {"job": ["gateway maintenance"], "note": key, "authToken": "sEcReT"}
    stage.servicestage.faults.plan(Fault(200, answer), times=None)
    await stage.says(f"/job peek deploys:{ID}")
    said = (await stage.whispered("log id")).text
    log_id = said.rpartition("log id ")[2].rstrip(")")
    (line,) = [r.getMessage() for r in caplog.records if f"[{log_id}]" in r.getMessage()]
    for part in (f"deploys:{ID}", "job: ", "HTTP 200, application/json", "gateway maintenance"):
        assert part in line
    assert " bytes: {" in line
    assert key not in line
    assert "sEcReT" not in line


async def test_thread_gets_one_reply_per_outage_and_recovery(stage: Stage) -> None:
    """The number of failed polls does not matter."""
    stage.servicestage.add(JobScript(ID, queued_seconds=0, ends="RUNNING"))
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.refuse(times=None, status=503)
    await stage.looks(6)
    stage.servicestage.faults.clear()
    await stage.looks(1)
    await stage.replied(card, "again.")
    assert [m.text.startswith("⚠️") for m in stage.thread(card)] == [True, False]


async def test_job_missing_five_times_in_a_row_ends_its_watch(stage: Stage) -> None:
    """It is not polled any more."""
    stage.servicestage.add(JobScript(ID, queued_seconds=0, ends="RUNNING"))
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.refuse(times=None, status=404)
    await stage.looks(4)
    assert await stage.watches() != []
    await stage.looks(1)
    await stage.replied(card, "not found any more")
    assert await stage.watches() == []


async def test_other_errors_do_not_count_as_a_missing_job(stage: Stage) -> None:
    """The five results must be consecutive."""
    stage.servicestage.add(JobScript(ID, queued_seconds=0, ends="RUNNING"))
    await stage.asks(f"/job deploys:{ID}")
    for status, times in ((404, 2), (503, 3), (404, 4)):
        stage.servicestage.refuse(times=times, status=status)
        await stage.looks(times)
    assert await stage.watches() != []
    await stage.looks(1)
    assert await stage.watches() != []


async def test_threads_of_a_removed_connection_get_one_reply(tmp_path: Path) -> None:
    """Their watches end."""
    clock = ManualClock()
    simulator = Simulator(clock)
    async with LocalSlack(clock=clock) as slack, serve(simulator.app) as url:
        settings = settings_for(slack, url, tmp_path)
        renamed = settings.model_copy(
            update={"connections": {"releases": settings.connections["deploys"]}}
        )
        simulator.add(running())
        async with Bot(settings, clock=clock) as bot:
            stage = Stage(slack, simulator, clock, settings, bot)
            card = await stage.asks(f"/job deploys:{ID}")
        for _ in range(2):
            async with Bot(renamed, clock=clock) as bot:
                stage = Stage(slack, simulator, clock, renamed, bot)
                await clock.advance(10)
                await stage.replied(card, "no longer set up")
                assert await stage.watches() == []
        assert len(stage.thread(card)) == 1
