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
from tests.harness import BotHarness, bot_harness, settings_for

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


async def test_command_posts_a_card_with_one_slack_call(harness: BotHarness) -> None:
    """The request costs exactly one Web API call: the post of the card."""
    harness.servicestage.add(running())
    before = len(harness.slack.calls)
    card = await harness.request_card(f"/job deploys:{ID}")
    assert "running" in card.text
    assert [c.method for c in harness.slack.calls[before:]] == ["chat.postMessage"]


async def test_finished_job_gets_a_last_reply_and_its_watch_ends(
    harness: BotHarness,
) -> None:
    """The thread ends with the outcome, once, and polling stops."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.servicestage.finish(ID)
    await harness.advance_poll()
    last = await harness.wait_for_reply(card, "succeeded after")
    assert harness.thread(card) == [last]
    assert await harness.watches() == []


async def test_card_is_updated_in_place(harness: BotHarness) -> None:
    """The card shows the latest status, under the same timestamp."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.servicestage.finish(ID)
    await harness.advance_poll()
    assert (await harness.wait_for_card(card, "succeeded after")).ts == card.ts


async def test_card_shows_polled_progress_at_once(harness: BotHarness) -> None:
    """Progress without a thread reply does not wait for a tick of the dispatcher."""
    steps = (JobStep("PREPARE", 5), JobStep("UPGRADE", 90))
    harness.servicestage.add(JobScript(ID, steps, queued_seconds=0))
    card = await harness.request_card(f"/job deploys:{ID}")
    await harness.advance_poll()
    await harness.wait_for_card(card, "1 of 2")


async def test_failure_reply_mentions_the_requester_and_is_broadcast(
    harness: BotHarness,
) -> None:
    """It names the failed task."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.servicestage.fail(ID, 0, "disk full")
    await harness.advance_poll()
    outcome = await harness.wait_for_reply(card, "failed")
    assert "PREPARE" in outcome.text
    assert f"<@{harness.slack.workspace.user('ada').id}>" in outcome.text
    assert outcome.broadcast
    assert "disk full" in str(outcome.blocks)


async def test_success_reply_is_not_broadcast(harness: BotHarness) -> None:
    """Only the thread gets it."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.servicestage.finish(ID)
    await harness.advance_poll()
    assert not (await harness.wait_for_reply(card, "succeeded")).broadcast


async def test_finished_job_gets_a_card_but_no_watch(harness: BotHarness) -> None:
    """It is not polled."""
    harness.servicestage.add(running())
    harness.servicestage.finish(ID)
    card = await harness.request_card(f"/job deploys:{ID}")
    assert "succeeded" in card.text
    assert await harness.watches() == []


async def test_repeated_request_gets_a_link_to_the_card(harness: BotHarness) -> None:
    """There is no second card."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"/job deploys:{ID}")
    await harness.says(f"/job {ID}")
    said = await harness.wait_for_ephemeral("followed here already")
    assert card.ts.replace(".", "") in str(said.blocks)
    assert [m.ts for m in harness.slack.messages() if m.user == card.user] == [card.ts]


async def test_peek_is_ephemeral_and_starts_no_watch(harness: BotHarness) -> None:
    """It posts nothing in the channel."""
    harness.servicestage.add(running())
    await harness.says(f"/job peek deploys:{ID}")
    await harness.wait_for_ephemeral("running")
    assert [m for m in harness.slack.messages() if m.user == harness.slack.workspace.bot.id] == []
    assert await harness.watches() == []


async def test_mention_finds_the_reference_in_a_sentence(harness: BotHarness) -> None:
    """Other words are ignored."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"@jobthread how is {ID} doing?")
    assert "running" in card.text


async def test_mention_without_words_gets_help(harness: BotHarness) -> None:
    """It works like the bare command."""
    await harness.says("@jobthread")
    assert "/job help" not in (await harness.wait_for_ephemeral("Ask for a job")).text


async def test_shortcut_on_a_message_without_words_finds_no_job(harness: BotHarness) -> None:
    """The reply does not ask the user to type a command."""
    message = (await harness.slack.says("<@U0GRACE>")).message
    assert message is not None
    await harness.slack.shortcut("follow_jobs", message)
    await harness.wait_for_ephemeral("I found no job in that")


async def test_stop_following_can_be_typed(harness: BotHarness) -> None:
    """The button's label works as a command."""
    harness.servicestage.add(running())
    await harness.request_card(f"/job deploys:{ID}")
    await harness.says(f"@jobthread stop following {ID}")
    await harness.wait_for_ephemeral("no longer followed")
    assert await harness.watches() == []


async def test_mention_in_a_thread_is_answered_in_that_thread(harness: BotHarness) -> None:
    """Card and replies stay in the thread of the request."""
    harness.servicestage.add(running())
    root = (await harness.slack.says("the release")).message
    assert root is not None
    await harness.says(f"@jobthread {ID}", thread_ts=root.ts)
    await harness.wait_for_reply(root, "running")
    harness.servicestage.finish(ID)
    await harness.advance_poll()
    await harness.wait_for_reply(root, "succeeded after")


async def test_direct_message_gets_an_ordinary_reply(harness: BotHarness) -> None:
    """No ephemeral message is needed there."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"how is {ID}?", channel="im")
    assert "running" in card.text


async def test_several_references_get_a_card_each(harness: BotHarness) -> None:
    """One command can name several jobs."""
    harness.servicestage.add(running())
    harness.servicestage.add(running(OTHER))
    await harness.says(f"/job deploys:{ID} deploys:{OTHER}")
    bot = harness.slack.workspace.bot.id
    await harness.slack.until(
        lambda: len([m for m in harness.slack.messages() if m.user == bot]) == 2
    )
    assert len(await harness.watches()) == 2


async def test_url_with_two_jobs_gets_a_card_each(harness: BotHarness) -> None:
    """A page can show several jobs; all of them count."""
    harness.servicestage.add(running())
    harness.servicestage.add(running(OTHER))
    settings = harness.bot.connections["deploys"].provider.settings
    api = f"{settings.base_url}/v3/{settings.project_id}/cas/jobs"
    await harness.says(f"/job {api}/{ID}?and={api}/{OTHER}")
    await harness.slack.until(lambda: len(harness.slack.messages()) == 2)
    assert {ref.id for ref in await harness.watches()} == {ID, OTHER}


async def test_malformed_id_beside_a_valid_one_gets_a_reply(harness: BotHarness) -> None:
    """Each of the two references gets an answer."""
    harness.servicestage.add(running())
    await harness.request_card(f"/job {ID} {OTHER.removeprefix('J')} please")
    said = await harness.wait_for_ephemeral("is not a job I can look up")
    assert OTHER.removeprefix("J") in said.text
    assert len(harness.slack.ephemerals("ada")) == 1


async def test_unknown_job_gets_an_ephemeral_reply(harness: BotHarness) -> None:
    """It has the next step and the correlation id."""
    await harness.says(f"/job deploys:{ID}")
    said = await harness.wait_for_ephemeral("knows no such job")
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
async def test_each_provider_error_is_a_sentence(
    harness: BotHarness, status: int, words: str
) -> None:
    """Every error status gets a reply."""
    harness.servicestage.fail_calls(status=status)
    await harness.says(f"/job deploys:{ID}")
    await harness.wait_for_ephemeral(words)


async def test_misspelt_connection_is_corrected_with_one_click(harness: BotHarness) -> None:
    """The button sends the suggested reference."""
    harness.servicestage.add(running())
    await harness.says(f"/job deplys:{ID}")
    said = await harness.wait_for_ephemeral("Did you mean")
    before = {m.ts for m in harness.slack.messages()}
    await harness.slack.click(said, "run")
    assert "running" in (await harness.wait_for_post(before)).text


async def test_corrected_peek_is_still_ephemeral(harness: BotHarness) -> None:
    """The button repeats the verb."""
    harness.servicestage.add(running())
    await harness.says(f"/job peek deplys:{ID}")
    await harness.slack.click(await harness.wait_for_ephemeral("Did you mean"), "run")
    await harness.wait_for_ephemeral("Only you see this")
    assert [m for m in harness.slack.messages() if m.user == harness.slack.workspace.bot.id] == []


@pytest.mark.parametrize(("typed", "meant"), [("peak", "peek"), ("unwacth", "unwatch")])
async def test_misspelt_verb_before_a_job_posts_no_card(
    harness: BotHarness, typed: str, meant: str
) -> None:
    """The requester gets a suggestion, which one click runs."""
    harness.servicestage.add(running())
    await harness.says(f"/job {typed} deploys:{ID}")
    said = await harness.wait_for_ephemeral("Did you mean")
    assert f"{meant} deploys:{ID}" in said.text
    assert [m for m in harness.slack.messages() if m.user == harness.slack.workspace.bot.id] == []


async def test_polite_word_before_a_job_is_ignored(harness: BotHarness) -> None:
    """Only a word very close to a verb counts as a misspelt verb."""
    harness.servicestage.add(running())
    assert "running" in (await harness.request_card(f"/job please deploys:{ID}")).text


async def test_requester_reads_how_to_invite_the_bot(harness: BotHarness) -> None:
    """The bot cannot post a card in a channel that it is no member of."""
    harness.servicestage.add(running())
    await harness.says(f"/job deploys:{ID}", channel="private-ops")
    await harness.wait_for_ephemeral("/invite @jobthread")


async def test_stop_following_ends_the_watch_and_removes_the_button(harness: BotHarness) -> None:
    """One click on the card is enough."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"/job deploys:{ID}")
    await harness.slack.click(card, "unfollow")
    await harness.wait_for_ephemeral("no longer followed")
    await harness.slack.until(lambda: "unfollow" not in str(harness.current(card).blocks))
    assert await harness.watches() == []


async def test_job_can_be_followed_again_from_its_card(harness: BotHarness) -> None:
    """The same thread continues; there is no second card."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"/job deploys:{ID}")
    await harness.slack.click(card, "unfollow")
    assert "Follow button" in (await harness.wait_for_ephemeral("no longer followed")).text
    await harness.slack.until(lambda: "unfollow" not in str(harness.current(card).blocks))
    await harness.slack.click(harness.current(card), "follow")
    await harness.wait_for_card(card, "unfollow")
    harness.servicestage.finish(ID)
    await harness.advance_poll()
    await harness.wait_for_reply(card, "succeeded after")
    assert [m.ts for m in harness.slack.messages() if m.user == card.user] == [card.ts]


async def test_follow_on_an_ended_job_only_updates_the_card(harness: BotHarness) -> None:
    """The card shows the outcome, and the job is not polled."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"/job deploys:{ID}")
    await harness.slack.click(card, "unfollow")
    await harness.wait_for_ephemeral("no longer followed")
    await harness.slack.until(lambda: "unfollow" not in str(harness.current(card).blocks))
    harness.servicestage.finish(ID)
    await harness.slack.click(harness.current(card), "follow")
    await harness.wait_for_card(card, "succeeded after")
    await harness.settle()
    asked = len(harness.servicestage.calls)
    await harness.clock.advance(60)
    assert await harness.watches() == []
    assert len(harness.servicestage.calls) == asked


async def test_refresh_updates_the_card_and_posts_the_change(harness: BotHarness) -> None:
    """A click does not wait for the next poll."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.servicestage.finish(ID)
    await harness.slack.click(card, "refresh")
    await harness.wait_for_card(card, "succeeded")
    await harness.wait_for_reply(card, "succeeded after")


async def test_refresh_of_an_unfollowed_card_starts_no_polling(harness: BotHarness) -> None:
    """It fetches the job once."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"/job deploys:{ID}")
    await harness.slack.click(card, "unfollow")
    await harness.wait_for_ephemeral("no longer followed")
    await harness.slack.until(lambda: "unfollow" not in str(harness.current(card).blocks))
    await harness.clock.advance(35)
    await harness.slack.click(harness.current(card), "refresh")
    await harness.wait_for_card(card, "1 of 3")
    asked = len(harness.servicestage.calls)
    await harness.clock.advance(100)
    assert len(harness.servicestage.calls) == asked


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
    async with bot_harness(tmp_path, plugins=plugins) as harness:
        harness.servicestage.add(running())
        card = await harness.request_card(f"/job deploys:{ID}")
        harness.servicestage.finish(ID)
        await harness.slack.click(card, "refresh")
        await harness.wait_for_reply(card, "succeeded after")
        assert [str(change.ref) for change in listener.changes] == [f"deploys:{ID}"]


async def test_unknown_disabled_plugin_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The bot runs nevertheless."""
    async with bot_harness(tmp_path, plugins=load_plugins(["servicestag"])):
        assert "there is no plugin 'servicestag'; did you mean servicestage?" in caplog.text


async def test_list_shows_the_channels_watches(harness: BotHarness) -> None:
    """Each has a link to its card."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"/job deploys:{ID}")
    await harness.says("/job list")
    said = await harness.wait_for_ephemeral("1 job is followed")
    assert card.ts.replace(".", "") in str(said.blocks)


async def test_help_shows_a_placeholder_until_a_job_is_known(harness: BotHarness) -> None:
    """After that its examples work when copied."""
    await harness.says("/job")
    first = str((await harness.wait_for_ephemeral("Ask for a job")).blocks)
    assert "`/job deploys:&lt;job id&gt;`" in first
    harness.servicestage.add(running())
    await harness.request_card(f"/job deploys:{ID}")
    await harness.says("/job help")
    await harness.wait_for_ephemeral(f"/job peek deploys:{ID}")


async def test_malformed_id_gets_a_known_job_as_an_example(harness: BotHarness) -> None:
    """The class's own example id is never on a button."""
    await harness.says("/job deploys:77")
    assert "actions" not in str((await harness.wait_for_ephemeral("Its ids have the form")).blocks)
    harness.servicestage.add(running())
    await harness.request_card(f"/job deploys:{ID}")
    await harness.says("/job deploys:78")
    assert f"deploys:{ID}" in (await harness.wait_for_ephemeral("One that I know")).text


async def test_shortcut_follows_a_messages_jobs_in_its_thread(harness: BotHarness) -> None:
    """Commands do not work in threads; the message's menu does."""
    harness.servicestage.add(running())
    message = (await harness.slack.says(f"releasing {ID} now")).message
    assert message is not None
    await harness.slack.shortcut("follow_jobs", message)
    await harness.wait_for_reply(message, "running")


async def test_shortcut_ignores_verbs_in_the_message(harness: BotHarness) -> None:
    """The message was not written to the bot: an "unwatch" in it ends no watch."""
    harness.servicestage.add(running())
    harness.servicestage.add(running(OTHER))
    await harness.request_card(f"/job deploys:{ID}")
    message = (await harness.slack.says(f"Unwatch deploys:{ID} deploys:{OTHER}")).message
    assert message is not None
    await harness.slack.shortcut("follow_jobs", message)
    await harness.wait_for_reply(message, "running")
    assert {ref.id for ref in await harness.watches()} == {ID, OTHER}


async def test_unwatch_ends_the_watch(harness: BotHarness) -> None:
    """The command does what the button does."""
    harness.servicestage.add(running())
    await harness.request_card(f"/job deploys:{ID}")
    await harness.says(f"/job unwatch deploys:{ID}")
    await harness.wait_for_ephemeral("no longer followed")
    assert await harness.watches() == []


async def test_card_shows_that_polling_fails(harness: BotHarness) -> None:
    """The card does not look up to date while the provider is down."""
    harness.servicestage.add(running())
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.servicestage.fail_calls(times=None, status=503)
    await harness.poll_times(4)
    await harness.wait_for_card(card, "Could not be checked")


async def test_slow_command_sends_a_waiting_notice(harness: BotHarness) -> None:
    """It is sent after two seconds; a quick command sends none."""
    harness.servicestage.add(running())
    harness.servicestage.slow_down(5)
    await harness.says(f"/job deploys:{ID}")
    await harness.slack.until(lambda: harness.clock.sleepers > 3)
    await harness.clock.advance(1.9)
    assert harness.slack.ephemerals() == []
    await harness.clock.advance(0.2)
    await harness.wait_for_ephemeral("takes longer than usual; the answer follows.")
    await harness.clock.advance(10)
    await harness.slack.until(lambda: len(harness.slack.messages()) == 1)


async def test_unparseable_response_is_logged_under_the_correlation_id(
    harness: BotHarness, caplog: pytest.LogCaptureFixture
) -> None:
    """The log line has an excerpt; secrets are redacted."""
    key = Tenant().key_settings()["secret_key"]
    answer = {"job": ["gateway maintenance"], "note": key, "authToken": "sEcReT"}
    harness.servicestage.faults.plan(Fault(200, answer), times=None)
    await harness.says(f"/job peek deploys:{ID}")
    said = (await harness.wait_for_ephemeral("log id")).text
    log_id = said.rpartition("log id ")[2].rstrip(")")
    (line,) = [r.getMessage() for r in caplog.records if f"[{log_id}]" in r.getMessage()]
    for part in (f"deploys:{ID}", "job: ", "HTTP 200, application/json", "gateway maintenance"):
        assert part in line
    assert " bytes: {" in line
    assert key not in line
    assert "sEcReT" not in line


async def test_thread_gets_one_reply_per_outage_and_recovery(harness: BotHarness) -> None:
    """The number of failed polls does not matter."""
    harness.servicestage.add(JobScript(ID, queued_seconds=0, final_status="RUNNING"))
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.servicestage.fail_calls(times=None, status=503)
    await harness.poll_times(6)
    harness.servicestage.faults.clear()
    await harness.poll_times(1)
    await harness.wait_for_reply(card, "again.")
    assert [m.text.startswith("⚠️") for m in harness.thread(card)] == [True, False]


async def test_job_missing_five_times_in_a_row_ends_its_watch(harness: BotHarness) -> None:
    """It is not polled any more."""
    harness.servicestage.add(JobScript(ID, queued_seconds=0, final_status="RUNNING"))
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.servicestage.fail_calls(times=None, status=404)
    await harness.poll_times(4)
    assert await harness.watches() != []
    await harness.poll_times(1)
    await harness.wait_for_reply(card, "not found any more")
    assert await harness.watches() == []


async def test_other_errors_do_not_count_as_a_missing_job(harness: BotHarness) -> None:
    """The five results must be consecutive."""
    harness.servicestage.add(JobScript(ID, queued_seconds=0, final_status="RUNNING"))
    await harness.request_card(f"/job deploys:{ID}")
    for status, times in ((404, 2), (503, 3), (404, 4)):
        harness.servicestage.fail_calls(times=times, status=status)
        await harness.poll_times(times)
    assert await harness.watches() != []
    await harness.poll_times(1)
    assert await harness.watches() != []


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
            harness = BotHarness(slack, simulator, clock, settings, bot)
            card = await harness.request_card(f"/job deploys:{ID}")
        for _ in range(2):
            async with Bot(renamed, clock=clock) as bot:
                harness = BotHarness(slack, simulator, clock, renamed, bot)
                await clock.advance(10)
                await harness.wait_for_reply(card, "no longer set up")
                assert await harness.watches() == []
        assert len(harness.thread(card)) == 1
