"""Rendering of cards and thread replies."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.sdk import formatting
from bot.sdk.cards import job_card
from bot.sdk.models import Message, Status
from tests.bot.sdk.cards.job_samples import (
    FAILING,
    LOG,
    NOW,
    START,
    change_between,
    job,
    strings,
    task,
)

VIEW = job_card.CardContext(checked_at=NOW, asker="U0ADA")
FOLLOWED = replace(VIEW, followed=True, interval_seconds=10)


def shown(message: Message) -> str:
    """Return all texts of the blocks."""
    return "\n".join(strings(message.blocks))


def find(payload: Any, kind: str) -> list[dict[str, Any]]:
    """Return every object of a type in a payload, at any depth."""
    if isinstance(payload, list | tuple):
        return [hit for part in payload for hit in find(part, kind)]
    if not isinstance(payload, dict):
        return []
    hits = [payload] if payload.get("type") == kind else []
    return hits + [hit for part in payload.values() for hit in find(part, kind)]


def buttons(message: Message) -> list[str]:
    """Return the action ids of the card's buttons."""
    return [button["action_id"] for button in find(message.blocks, "button")]


def test_outcome_without_a_mention_is_only_the_sentence() -> None:
    """No user is mentioned without an asker or with mentions off."""
    for view in (replace(VIEW, mention=False), replace(VIEW, asker=None)):
        reply = job_card.render_change(change_between(job(), job(Status.SUCCEEDED)), view)
        assert reply.text == "deploy-api succeeded after 3 m 12 s."
        assert find(reply.blocks, "user") == []


def test_outcome_mentions_the_asker_in_its_blocks() -> None:
    """Slack notifies for mentions in the blocks, in both renderings."""
    reply = job_card.render_change(change_between(job(), job(Status.SUCCEEDED)), VIEW)
    assert [part["user_id"] for part in find(reply.blocks, "user")] == ["U0ADA"]
    assert "<@U0ADA>" in reply.classic[0]["text"]["text"]


def test_only_the_outcome_mentions_the_asker() -> None:
    """A job with ten changes mentions its asker once."""
    reply = job_card.render_change(change_between(job(Status.QUEUED), job()), VIEW)
    assert "U0ADA" not in json.dumps([reply.text, reply.blocks, reply.classic])


def test_asker_with_an_invalid_id_is_not_mentioned() -> None:
    """Other text does not become a mention."""
    reply = job_card.render_change(
        change_between(job(), job(Status.FAILED)), replace(VIEW, asker="x> <!channel")
    )
    assert "channel" not in json.dumps([reply.text, reply.blocks, reply.classic])


def test_failed_step_is_shown_with_the_end_of_its_log() -> None:
    """The thread shows the reason as preformatted text."""
    reply = job_card.render_change(change_between(job(), job(tasks=FAILING)), VIEW)
    assert "❌ Step VMAPP_UPGRADE_002 failed:" in shown(reply)
    (log,) = find(reply.blocks, "rich_text_preformatted")
    assert log["elements"][0]["text"] == LOG


def test_at_most_five_failed_steps_are_named() -> None:
    """Many failures do not flood the thread."""
    fleet = tuple(task(f"HOST_{n}", Status.FAILED, message="disk full") for n in range(8))
    reply = job_card.render_change(change_between(job(), job(tasks=fleet)), VIEW)
    assert shown(reply).count("❌ Step HOST_") == 5
    assert "… and 3 more steps failed." in shown(reply)
    assert reply.text.startswith("Steps HOST_0, HOST_1, HOST_2, HOST_3, HOST_4 and 3 more of ")


def test_failure_without_a_failed_step_shows_the_job_message() -> None:
    """The outcome is never just "failed" if the provider gives a reason."""
    reply = job_card.render_change(
        change_between(job(), job(Status.FAILED, message="quota exceeded")), VIEW
    )
    assert "quota exceeded" in shown(reply)


def test_card_shows_the_failed_steps_message() -> None:
    """The reason is visible without a click."""
    card = job_card.render_card(job(Status.FAILED, tasks=FAILING), VIEW)
    (log,) = find(card.blocks, "rich_text_preformatted")
    assert log["elements"][0]["text"] == LOG
    assert any(LOG in text for text in strings(card.classic))


def test_card_shows_the_native_status_only_if_it_adds_facts() -> None:
    """ROLLBACKING is shown beside rolling back; RUNNING beside running is not."""
    assert "`ROLLBACKING`" in shown(job_card.render_card(job(native_status="ROLLBACKING"), VIEW))
    assert "RUNNING" not in shown(job_card.render_card(job(native_status="RUNNING"), VIEW))


def test_waiting_job_says_that_a_person_must_act() -> None:
    """It does not look like waiting for a machine."""
    assert "a person must act" in shown(job_card.render_card(job(Status.WAITING), VIEW)).lower()


def test_card_shows_the_last_poll_and_the_interval() -> None:
    """A reader knows how old the card is."""
    assert ", every 10 s" in shown(job_card.render_card(job(), FOLLOWED))
    assert "<!date^1793707443^" in shown(job_card.render_card(job(), VIEW))
    assert "every" not in shown(job_card.render_card(job(Status.FAILED), FOLLOWED))


def test_progress_is_a_bar_with_numbers() -> None:
    """Readable by eye and by screen reader."""
    card = job_card.render_card(job(Status.FAILED, tasks=FAILING), VIEW)
    assert "▰▰▰▰▰▰▰▰▰▰▰▰ 3 of 3 done, 1 failed" in shown(card)
    assert "▰" not in shown(job_card.render_card(job(), VIEW))


def test_poll_error_is_a_warning_with_its_reason() -> None:
    """An outdated card does not look current."""
    view = replace(FOLLOWED, trouble="ServiceStage is down.", trouble_since=START)
    card = job_card.render_card(job(), view)
    assert "⚠️ Could not be checked since <!date^1793707380^{time}|" in shown(card)
    assert "ServiceStage is down." in shown(card)
    assert card.text.endswith("It could not be checked the last time.")


def test_poll_error_since_another_day_shows_the_date() -> None:
    """ "Since 12:03" would mean today."""
    view = replace(VIEW, trouble="It is down.", trouble_since=START - timedelta(days=2))
    assert "{date_short_pretty} at {time}|1 Nov 2026" in shown(job_card.render_card(job(), view))


def test_active_job_has_refresh_follow_and_open_buttons() -> None:
    """The follow button depends on whether the job is followed."""
    active = job(url="https://console.example.com/1")
    assert buttons(job_card.render_card(active, VIEW)) == ["refresh", "follow", "open"]
    assert buttons(job_card.render_card(active, FOLLOWED)) == ["refresh", "unfollow", "open"]


def test_ended_job_has_only_refresh_and_open_buttons() -> None:
    """There is nothing to follow."""
    ended = job(Status.SUCCEEDED, url="https://console.example.com/1")
    assert buttons(job_card.render_card(ended, FOLLOWED)) == ["refresh", "open"]


def test_button_values_are_only_the_reference() -> None:
    """State is loaded at the click, never taken from the button."""
    made = find(job_card.render_card(job(url="https://x.example"), FOLLOWED).blocks, "button")
    assert {button["value"] for button in made} == {"deploys:JOB1"}


def test_card_that_is_not_interactive_has_no_buttons() -> None:
    """No handler would receive a click."""
    assert buttons(job_card.render_card(job(), replace(VIEW, interactive=False))) == []


def test_unsafe_console_url_has_no_button() -> None:
    """A provider cannot link people to a script."""
    assert "open" not in buttons(job_card.render_card(job(url="javascript:alert(1)"), VIEW))


def test_ephemeral_card_says_that_only_you_see_it() -> None:
    """The asker knows that the channel has not seen it."""
    assert "Only you see this" in shown(job_card.render_card(job(), replace(VIEW, only_you=True)))


@pytest.mark.parametrize("status", list(Status))
def test_card_names_every_status_in_words(status: Status) -> None:
    """It is readable without emoji and colour."""
    card = job_card.render_card(job(status), VIEW)
    word = {"waiting": "waiting"}.get(status, formatting.status_label(status).word)
    assert word in shown(card).lower()


def test_only_changed_blocks_get_new_ids() -> None:
    """Slack redraws only what changed."""
    before = job_card.render_card(job(), VIEW).blocks
    after = job_card.render_card(job(native_status="ROLLBACKING"), VIEW).blocks
    same = [old["block_id"] == new["block_id"] for old, new in zip(before, after, strict=True)]
    assert same == [True, False, True, True]
