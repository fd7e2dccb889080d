"""What is on a card and in a follow-up."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import lifecycle, words
from bot.cards import cards
from bot.models import Change, Job, JobRef, Message, Status, Task

START = datetime(2026, 11, 3, 12, 3, tzinfo=UTC)
NOW = START + timedelta(seconds=63)
VIEW = cards.View(checked_at=NOW, asker="U0ADA")
FOLLOWED = replace(VIEW, followed=True, interval_seconds=10)
LOG = "pulling image\nERROR: exit code 137"


def task(name: str, status: Status, begun: int = 0, took: int | None = None, **more: Any) -> Task:
    """A task that began so many seconds after its job."""
    at = START + timedelta(seconds=begun)
    end = None if took is None else at + timedelta(seconds=took)
    return Task(id=name, name=name, status=status, started_at=at, finished_at=end, **more)


def job(status: Status = Status.RUNNING, **more: Any) -> Job:
    """The job of most tests."""
    ended = START + timedelta(seconds=192) if status.terminal else None
    given = {"name": "deploy-api", "started_at": START, "finished_at": ended, **more}
    return Job(ref=JobRef(connection="deploys", id="JOB1"), status=status, **given)


FAILING = (
    task("VMAPP_PREPARE_001", Status.SUCCEEDED, 0, 9),
    task("VMAPP_UPGRADE_002", Status.FAILED, 9, 12, message=LOG),
    task("VMAPP_NOTIFY_003", Status.CANCELLED),
)


def moved(before: Job | None, after: Job) -> Change:
    """What the poller would find between two looks."""
    found = lifecycle.compare(before, after)
    assert found is not None
    return found


def strings(value: Any) -> Iterator[str]:
    """Every text in a payload, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for part in value.values() for text in strings(part))
    elif isinstance(value, list | tuple):
        yield from (text for part in value for text in strings(part))


def shown(message: Message) -> str:
    """All that a reader may read in the blocks."""
    return "\n".join(strings(message.blocks))


def find(payload: Any, kind: str) -> list[dict[str, Any]]:
    """Every object of a type in a payload, however deep."""
    if isinstance(payload, list | tuple):
        return [hit for part in payload for hit in find(part, kind)]
    if not isinstance(payload, dict):
        return []
    hits = [payload] if payload.get("type") == kind else []
    return hits + [hit for part in payload.values() for hit in find(part, kind)]


def buttons(message: Message) -> list[str]:
    """The actions that the card offers."""
    return [button["action_id"] for button in find(message.blocks, "button")]


def test_the_outcome_without_a_mention_is_the_sentence_alone() -> None:
    """Whoever does not want to be mentioned is not."""
    for view in (replace(VIEW, mention=False), replace(VIEW, asker=None)):
        told = cards.change(moved(job(), job(Status.SUCCEEDED)), view)
        assert told.text == "deploy-api succeeded after 3 m 12 s."
        assert find(told.blocks, "user") == []


def test_the_outcome_mentions_the_asker_in_its_blocks() -> None:
    """Slack notifies for what stands in the blocks, in either rendering."""
    told = cards.change(moved(job(), job(Status.SUCCEEDED)), VIEW)
    assert [part["user_id"] for part in find(told.blocks, "user")] == ["U0ADA"]
    assert "<@U0ADA>" in told.classic[0]["text"]["text"]


def test_only_the_outcome_mentions_the_asker() -> None:
    """A job with ten changes calls its asker once."""
    told = cards.change(moved(job(Status.QUEUED), job()), VIEW)
    assert "U0ADA" not in json.dumps([told.text, told.blocks, told.classic])


def test_an_asker_that_is_no_user_id_is_not_mentioned() -> None:
    """No text gets into a mention's token."""
    told = cards.change(moved(job(), job(Status.FAILED)), replace(VIEW, asker="x> <!channel"))
    assert "channel" not in json.dumps([told.text, told.blocks, told.classic])


def test_a_failed_step_is_told_with_the_end_of_its_log() -> None:
    """The reason stands in the thread, in fixed width."""
    told = cards.change(moved(job(), job(tasks=FAILING)), VIEW)
    assert "❌ Step VMAPP_UPGRADE_002 failed:" in shown(told)
    (log,) = find(told.blocks, "rich_text_preformatted")
    assert log["elements"][0]["text"] == LOG


def test_at_most_five_failed_steps_are_named() -> None:
    """A broken fleet does not flood the thread."""
    fleet = tuple(task(f"HOST_{n}", Status.FAILED, message="disk full") for n in range(8))
    told = cards.change(moved(job(), job(tasks=fleet)), VIEW)
    assert shown(told).count("❌ Step HOST_") == 5
    assert "… and 3 more steps failed." in shown(told)
    assert told.text.startswith("Steps HOST_0, HOST_1, HOST_2, HOST_3, HOST_4 and 3 more of ")


def test_a_job_that_fails_without_a_failing_step_says_what_its_provider_says() -> None:
    """The thread never ends with a bare "failed" when more is known."""
    told = cards.change(moved(job(), job(Status.FAILED, message="quota exceeded")), VIEW)
    assert "quota exceeded" in shown(told)


def test_the_card_shows_the_failing_steps_message() -> None:
    """Why it failed can be read without opening anything."""
    card = cards.job(job(Status.FAILED, tasks=FAILING), VIEW)
    (log,) = find(card.blocks, "rich_text_preformatted")
    assert log["elements"][0]["text"] == LOG
    assert any(LOG in text for text in strings(card.classic))


def test_the_providers_word_is_on_the_card_only_when_it_says_more() -> None:
    """ROLLBACKING is worth reading beside rolling back; RUNNING beside running is not."""
    assert "`ROLLBACKING`" in shown(cards.job(job(native_status="ROLLBACKING"), VIEW))
    assert "RUNNING" not in shown(cards.job(job(native_status="RUNNING"), VIEW))


def test_a_waiting_job_says_that_a_person_must_act() -> None:
    """Waiting for a person must not look like waiting for a machine."""
    assert "a person must act" in shown(cards.job(job(Status.WAITING), VIEW)).lower()


def test_the_card_says_when_it_was_checked_and_how_often() -> None:
    """A reader knows how old the card is, and for how long it stays so."""
    assert ", every 10 s" in shown(cards.job(job(), FOLLOWED))
    assert "<!date^1793707443^" in shown(cards.job(job(), VIEW))
    assert "every" not in shown(cards.job(job(Status.FAILED), FOLLOWED))


def test_the_progress_of_the_tasks_is_a_bar_with_its_numbers() -> None:
    """How far it is can be seen, and heard."""
    card = cards.job(job(Status.FAILED, tasks=FAILING), VIEW)
    assert "▰▰▰▰▰▰▰▰▰▰▰▰ 3 of 3 done, 1 failed" in shown(card)
    assert "▰" not in shown(cards.job(job(), VIEW))


def test_trouble_is_a_warning_with_its_reason() -> None:
    """An old card never looks like a fresh one."""
    view = replace(FOLLOWED, trouble="ServiceStage is down.", trouble_since=START)
    card = cards.job(job(), view)
    assert "⚠️ Could not be checked since <!date^1793707380^{time}|" in shown(card)
    assert "ServiceStage is down." in shown(card)
    assert card.text.endswith("It could not be checked the last time.")


def test_trouble_of_another_day_is_told_with_its_day() -> None:
    """ "Since 12:03" would mean today."""
    view = replace(VIEW, trouble="It is down.", trouble_since=START - timedelta(days=2))
    assert "{date_short_pretty} at {time}|1 Nov 2026" in shown(cards.job(job(), view))


def test_a_living_job_can_be_refreshed_followed_and_opened() -> None:
    """The buttons fit what is going on."""
    living = job(url="https://console.example.com/1")
    assert buttons(cards.job(living, VIEW)) == ["refresh", "follow", "open"]
    assert buttons(cards.job(living, FOLLOWED)) == ["refresh", "unfollow", "open"]


def test_an_ended_job_can_only_be_refreshed_and_opened() -> None:
    """There is nothing left to follow."""
    ended = job(Status.SUCCEEDED, url="https://console.example.com/1")
    assert buttons(cards.job(ended, FOLLOWED)) == ["refresh", "open"]


def test_every_button_carries_the_reference_and_nothing_else() -> None:
    """State is looked up again at the click, never taken from the button."""
    made = find(cards.job(job(url="https://x.example"), FOLLOWED).blocks, "button")
    assert {button["value"] for button in made} == {"deploys:JOB1"}


def test_a_card_that_is_not_interactive_has_no_buttons() -> None:
    """Where nobody listens, nothing can be clicked."""
    assert buttons(cards.job(job(), replace(VIEW, interactive=False))) == []


def test_a_console_address_that_is_not_clean_has_no_button() -> None:
    """A provider cannot send people to a script."""
    assert "open" not in buttons(cards.job(job(url="javascript:alert(1)"), VIEW))


def test_a_card_for_one_person_says_so() -> None:
    """Nobody thinks that the channel has seen it."""
    assert "Only you see this" in shown(cards.job(job(), replace(VIEW, only_you=True)))


@pytest.mark.parametrize("status", list(Status))
def test_every_status_of_a_job_is_said_in_words(status: Status) -> None:
    """The card and its follow-up are understood without emoji and colour."""
    card = cards.job(job(status), VIEW)
    word = {"waiting": "waiting"}.get(status, words.sign(status).word)
    assert word in shown(card).lower()


def test_a_changed_block_gets_a_new_id_and_the_others_keep_theirs() -> None:
    """Slack draws again what changed, and only that."""
    before = cards.job(job(), VIEW).blocks
    after = cards.job(job(native_status="ROLLBACKING"), VIEW).blocks
    same = [old["block_id"] == new["block_id"] for old, new in zip(before, after, strict=True)]
    assert same == [True, False, True, True]
