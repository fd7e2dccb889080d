"""Ask → card → thread, through the real Socket Mode connection and a real provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot import hookimpl
from bot.app import Bot
from bot.playground import LocalSlack
from bot.providers.registry import load_plugins
from bot.testing import Fault, ManualClock, serve
from plugins.huaweicloud.simulator import Tenant
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import Simulator
from tests.bot.conftest import Stage, settings_for, staged

if TYPE_CHECKING:
    from pathlib import Path

    from bot import Change

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35"
STEPS = (JobStep("PREPARE", 30), JobStep("UPGRADE", 90), JobStep("CHECK", 60))


def running(id_: str = ID) -> JobScript:
    """Return a job of three minutes."""
    return JobScript(id_, STEPS, queued_seconds=0)


async def test_a_command_gets_a_card_with_the_job_and_one_slack_call(stage: Stage) -> None:
    """Asking costs exactly one call of Slack's Web API: the post of the card."""
    stage.servicestage.add(running())
    before = len(stage.slack.calls)
    card = await stage.asks(f"/job deploys:{ID}")
    assert "running" in card.text
    assert [c.method for c in stage.slack.calls[before:]] == ["chat.postMessage"]


async def test_a_finished_job_gets_its_last_follow_up_and_is_no_longer_watched(
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


async def test_the_card_is_updated_in_place(stage: Stage) -> None:
    """The card tells the newest state, under its own timestamp."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.finish(ID)
    await stage.polls()
    assert (await stage.shown(card, "succeeded after")).ts == card.ts


async def test_a_card_shows_at_once_what_a_look_found(stage: Stage) -> None:
    """Progress that the thread need not be told does not wait for a tick of delivery."""
    steps = (JobStep("PREPARE", 5), JobStep("UPGRADE", 90))
    stage.servicestage.add(JobScript(ID, steps, queued_seconds=0))
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.polls()
    await stage.shown(card, "1 of 2")


async def test_a_failure_names_what_failed_mentions_the_asker_and_is_broadcast(
    stage: Stage,
) -> None:
    """Whoever asked is called, and the channel sees a failure."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.fail(ID, 0, "disk full")
    await stage.polls()
    outcome = await stage.replied(card, "failed")
    assert "PREPARE" in outcome.text
    assert f"<@{stage.slack.workspace.user('ada').id}>" in outcome.text
    assert outcome.broadcast
    assert "disk full" in str(outcome.blocks)


async def test_a_success_is_not_broadcast(stage: Stage) -> None:
    """The channel stays quiet when all is well."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.finish(ID)
    await stage.polls()
    assert not (await stage.replied(card, "succeeded")).broadcast


async def test_a_finished_job_is_shown_and_not_watched(stage: Stage) -> None:
    """A job that has ended gets its card, and nobody looks at it again."""
    stage.servicestage.add(running())
    stage.servicestage.finish(ID)
    card = await stage.asks(f"/job deploys:{ID}")
    assert "succeeded" in card.text
    assert await stage.watches() == []


async def test_a_job_asked_for_again_gets_a_link_to_its_living_card(stage: Stage) -> None:
    """No second thread: the asker is pointed to the first."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.says(f"/job {ID}")
    said = await stage.whispered("followed here already")
    assert card.ts.replace(".", "") in str(said.blocks)
    assert [m.ts for m in stage.slack.messages() if m.user == card.user] == [card.ts]


async def test_peek_shows_the_card_to_the_asker_only_and_watches_nothing(stage: Stage) -> None:
    """A look leaves no trace in the channel."""
    stage.servicestage.add(running())
    await stage.says(f"/job peek deploys:{ID}")
    await stage.whispered("running")
    assert [m for m in stage.slack.messages() if m.user == stage.slack.workspace.bot.id] == []
    assert await stage.watches() == []


async def test_a_mention_finds_the_reference_among_other_words(stage: Stage) -> None:
    """A sentence will do."""
    stage.servicestage.add(running())
    card = await stage.asks(f"@jobthread how is {ID} doing?")
    assert "running" in card.text


async def test_a_mention_without_words_is_answered_with_help(stage: Stage) -> None:
    """Whoever only calls the bot learns what to type, as after a bare command."""
    await stage.says("@jobthread")
    assert "/job help" not in (await stage.whispered("Ask for a job")).text


async def test_the_shortcut_on_a_message_without_words_finds_no_job(stage: Stage) -> None:
    """Nobody is told to type a command that there is not."""
    message = (await stage.slack.says("<@U0GRACE>")).message
    assert message is not None
    await stage.slack.shortcut("follow_jobs", message)
    await stage.whispered("I found no job in that")


async def test_what_the_button_says_can_be_typed(stage: Stage) -> None:
    """To stop following is not to begin it."""
    stage.servicestage.add(running())
    await stage.asks(f"/job deploys:{ID}")
    await stage.says(f"@jobthread stop following {ID}")
    await stage.whispered("no longer followed")
    assert await stage.watches() == []


async def test_a_mention_in_a_thread_is_answered_there(stage: Stage) -> None:
    """Card and follow-ups stay in the thread in which they were asked for."""
    stage.servicestage.add(running())
    root = (await stage.slack.says("the release")).message
    assert root is not None
    await stage.says(f"@jobthread {ID}", thread_ts=root.ts)
    await stage.replied(root, "running")
    stage.servicestage.finish(ID)
    await stage.polls()
    await stage.replied(root, "succeeded after")


async def test_a_direct_message_is_answered_in_the_conversation(stage: Stage) -> None:
    """Between two nobody needs to whisper."""
    stage.servicestage.add(running())
    card = await stage.asks(f"how is {ID}?", channel="im")
    assert "running" in card.text


async def test_several_references_get_a_card_each(stage: Stage) -> None:
    """One command, several jobs."""
    stage.servicestage.add(running())
    stage.servicestage.add(running(OTHER))
    await stage.says(f"/job deploys:{ID} deploys:{OTHER}")
    bot = stage.slack.workspace.bot.id
    await stage.slack.until(lambda: len([m for m in stage.slack.messages() if m.user == bot]) == 2)
    assert len(await stage.watches()) == 2


async def test_a_url_that_names_two_jobs_gets_a_card_each(stage: Stage) -> None:
    """A system that shows several jobs on one page means all of them."""
    stage.servicestage.add(running())
    stage.servicestage.add(running(OTHER))
    settings = stage.bot.connections["deploys"].settings
    api = f"{settings.base_url}/v3/{settings.project_id}/cas/jobs"
    await stage.says(f"/job {api}/{ID}?and={api}/{OTHER}")
    await stage.slack.until(lambda: len(stage.slack.messages()) == 2)
    assert {ref.id for ref in await stage.watches()} == {ID, OTHER}


async def test_a_mistyped_id_beside_a_good_one_is_answered_too(stage: Stage) -> None:
    """Whoever asked for two jobs hears of both."""
    stage.servicestage.add(running())
    await stage.asks(f"/job {ID} {OTHER.removeprefix('J')} please")
    said = await stage.whispered("is not a job I can look up")
    assert OTHER.removeprefix("J") in said.text
    assert len(stage.slack.ephemerals("ada")) == 1


async def test_an_unknown_job_is_told_to_the_asker_only(stage: Stage) -> None:
    """One sentence with the next step, and an id of the line in the log."""
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
async def test_each_refusal_of_the_provider_is_a_sentence(
    stage: Stage, status: int, words: str
) -> None:
    """What cannot be answered is answered all the same."""
    stage.servicestage.refuse(status=status)
    await stage.says(f"/job deploys:{ID}")
    await stage.whispered(words)


async def test_a_misspelt_connection_is_mended_with_one_click(stage: Stage) -> None:
    """Did you mean: the button asks for the better reference."""
    stage.servicestage.add(running())
    await stage.says(f"/job deplys:{ID}")
    said = await stage.whispered("Did you mean")
    before = {m.ts for m in stage.slack.messages()}
    await stage.slack.click(said, "run")
    assert "running" in (await stage.posted(before)).text


async def test_a_peek_stays_a_peek_when_its_reference_is_mended(stage: Stage) -> None:
    """The button asks what was asked, and shows the job to nobody else."""
    stage.servicestage.add(running())
    await stage.says(f"/job peek deplys:{ID}")
    await stage.slack.click(await stage.whispered("Did you mean"), "run")
    await stage.whispered("Only you see this")
    assert [m for m in stage.slack.messages() if m.user == stage.slack.workspace.bot.id] == []


@pytest.mark.parametrize(("typed", "meant"), [("peak", "peek"), ("unwacth", "unwatch")])
async def test_a_misspelt_verb_before_a_job_shows_it_to_nobody(
    stage: Stage, typed: str, meant: str
) -> None:
    """The asker is asked what was meant, and one click does it."""
    stage.servicestage.add(running())
    await stage.says(f"/job {typed} deploys:{ID}")
    said = await stage.whispered("Did you mean")
    assert f"{meant} deploys:{ID}" in said.text
    assert [m for m in stage.slack.messages() if m.user == stage.slack.workspace.bot.id] == []


async def test_a_polite_word_before_a_job_is_passed_over(stage: Stage) -> None:
    """Only what is very like a verb is taken for one."""
    stage.servicestage.add(running())
    assert "running" in (await stage.asks(f"/job please deploys:{ID}")).text


async def test_outside_the_channel_the_asker_is_told_how_to_let_the_bot_in(stage: Stage) -> None:
    """The card cannot be posted, and the asker hears why."""
    stage.servicestage.add(running())
    await stage.says(f"/job deploys:{ID}", channel="private-ops")
    await stage.whispered("/invite @jobthread")


async def test_stop_following_ends_the_watch_and_the_button_goes(stage: Stage) -> None:
    """One click on the card, and the thread is quiet."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.slack.click(card, "unfollow")
    await stage.whispered("no longer followed")
    await stage.slack.until(lambda: "unfollow" not in str(stage.now(card).blocks))
    assert await stage.watches() == []


async def test_a_job_is_followed_again_from_its_own_card(stage: Stage) -> None:
    """The thread goes on where it was; no second card is posted."""
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


async def test_a_job_that_ended_meanwhile_is_not_followed_from_its_card(stage: Stage) -> None:
    """A click on Follow comes too late: the card tells the outcome, and nobody looks again."""
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


async def test_refresh_shows_the_job_as_it_is_now_and_the_thread_hears_it(stage: Stage) -> None:
    """A click does not wait for the next poll."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.finish(ID)
    await stage.slack.click(card, "refresh")
    await stage.shown(card, "succeeded")
    await stage.replied(card, "succeeded after")


async def test_a_look_at_a_card_that_nobody_follows_begins_no_polling(stage: Stage) -> None:
    """Refresh is one look, whatever it finds."""
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


class Ear:
    """A plugin that only listens."""

    def __init__(self) -> None:
        self.heard: list[Change] = []

    @hookimpl
    async def job_changed(self, change: Change) -> None:
        """Keep what is heard."""
        self.heard.append(change)


async def test_plugins_hear_of_a_change_that_a_click_found(tmp_path: Path) -> None:
    """It does not matter to them whose look it was."""
    ear, plugins = Ear(), load_plugins()
    plugins.hooks.register(ear)
    async with staged(tmp_path, plugins=plugins) as stage:
        stage.servicestage.add(running())
        card = await stage.asks(f"/job deploys:{ID}")
        stage.servicestage.finish(ID)
        await stage.slack.click(card, "refresh")
        await stage.replied(card, "succeeded after")
        assert [str(change.ref) for change in ear.heard] == [f"deploys:{ID}"]


async def test_a_switched_off_name_that_no_plugin_has_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The bot runs all the same."""
    async with staged(tmp_path, plugins=load_plugins(["servicestag"])):
        assert "there is no plugin 'servicestag'; did you mean servicestage?" in caplog.text


async def test_list_names_what_is_followed_here(stage: Stage) -> None:
    """The channel's watches, with links to their cards."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.says("/job list")
    said = await stage.whispered("1 job is followed")
    assert card.ts.replace(".", "") in str(said.blocks)


async def test_help_shows_the_form_until_a_job_is_known_and_then_that_job(stage: Stage) -> None:
    """A bare command teaches, and what it teaches works here."""
    await stage.says("/job")
    first = str((await stage.whispered("Ask for a job")).blocks)
    assert "`/job deploys:&lt;job id&gt;`" in first
    stage.servicestage.add(running())
    await stage.asks(f"/job deploys:{ID}")
    await stage.says("/job help")
    await stage.whispered(f"/job peek deploys:{ID}")


async def test_an_id_of_the_wrong_form_is_answered_with_a_job_that_is_known(stage: Stage) -> None:
    """Nobody is offered the vendor's own example to click."""
    await stage.says("/job deploys:77")
    assert "actions" not in str((await stage.whispered("Its ids have the form")).blocks)
    stage.servicestage.add(running())
    await stage.asks(f"/job deploys:{ID}")
    await stage.says("/job deploys:78")
    assert f"deploys:{ID}" in (await stage.whispered("One that I know")).text


async def test_the_shortcut_follows_the_jobs_of_a_message_in_its_thread(stage: Stage) -> None:
    """What a command in a thread cannot do, the message's menu does."""
    stage.servicestage.add(running())
    message = (await stage.slack.says(f"releasing {ID} now")).message
    assert message is not None
    await stage.slack.shortcut("follow_jobs", message)
    await stage.replied(message, "running")


async def test_the_shortcut_obeys_no_message(stage: Stage) -> None:
    """What somebody wrote to others is no command: a "stop" in it stops nothing."""
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


async def test_a_provider_that_fails_for_long_is_shown_on_the_card(stage: Stage) -> None:
    """The card does not pretend to be fresh."""
    stage.servicestage.add(running())
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.refuse(times=None, status=503)
    await stage.looks(4)
    await stage.shown(card, "Could not be checked")


async def test_a_look_up_that_takes_long_says_so(stage: Stage) -> None:
    """After two seconds the asker knows that something is going on; a quick look says nothing."""
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


async def test_an_answer_that_is_not_understood_is_in_the_log_under_the_quoted_id(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator sees what came; what was sent to sign in, or is called a secret, is left out."""
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


async def test_trouble_is_told_in_the_thread_once_and_once_when_it_is_over(stage: Stage) -> None:
    """However long a provider is down, its threads hear of it twice."""
    stage.servicestage.add(JobScript(ID, queued_seconds=0, ends="RUNNING"))
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.refuse(times=None, status=503)
    await stage.looks(6)
    stage.servicestage.faults.clear()
    await stage.looks(1)
    await stage.replied(card, "again.")
    assert [m.text.startswith("⚠️") for m in stage.thread(card)] == [True, False]


async def test_a_job_that_is_gone_ends_its_thread(stage: Stage) -> None:
    """After five looks in a row that found no such job, nobody looks again."""
    stage.servicestage.add(JobScript(ID, queued_seconds=0, ends="RUNNING"))
    card = await stage.asks(f"/job deploys:{ID}")
    stage.servicestage.refuse(times=None, status=404)
    await stage.looks(4)
    assert await stage.watches() != []
    await stage.looks(1)
    await stage.replied(card, "not found any more")
    assert await stage.watches() == []


async def test_other_trouble_is_no_sign_that_a_job_is_gone(stage: Stage) -> None:
    """Four refusals and one "no such job" are no five times "no such job"."""
    stage.servicestage.add(JobScript(ID, queued_seconds=0, ends="RUNNING"))
    await stage.asks(f"/job deploys:{ID}")
    for status, times in ((404, 2), (503, 3), (404, 4)):
        stage.servicestage.refuse(times=times, status=status)
        await stage.looks(times)
    assert await stage.watches() != []
    await stage.looks(1)
    assert await stage.watches() != []


async def test_the_threads_of_a_connection_that_is_gone_are_told_once(tmp_path: Path) -> None:
    """Whoever takes a connection out of the settings leaves no thread waiting for ever."""
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
