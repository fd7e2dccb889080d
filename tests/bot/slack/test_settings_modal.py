"""The modal of a channel's contract, as it is drawn."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from bot.channels import charter
from bot.noise.amendments import LOUDNESS
from bot.noise.contracts import Contract, Origin
from bot.noise.policy import Mention, NoisePolicy
from bot.playground.limits import view_problems
from bot.slack.settings_modal import Page, reading, view
from tests.bot.noise.test_amendments import POLICIES, QUIET

PAGE = Page(channel="C1", revision=3)


def drawn(policy: NoisePolicy, page: Page = PAGE, **contract: Any) -> dict[str, Any]:
    held = Contract(policy, **contract)
    return view(page, held, policy, "@oncall")


def inputs(shown: dict[str, Any]) -> dict[str, Any]:
    return {b["element"]["action_id"]: b for b in shown["blocks"] if b["type"] == "input"}


@given(POLICIES)
def test_slack_takes_the_modal_of_every_policy(policy: NoisePolicy) -> None:
    """To change it, and to read it."""
    assert view_problems(drawn(policy)) == []
    assert view_problems(reading(Contract(policy), "Only admins may.")) == []


def test_every_input_holds_what_holds() -> None:
    """Whoever saves at once changes nothing."""
    policy = NoisePolicy(
        mention=Mention.GROUP, group="S0ONCALL", quiet_hours=QUIET, posts_per_hour=20, board=True
    )
    found = {name: block["element"] for name, block in inputs(drawn(policy)).items()}
    assert found["follow_ups"]["initial_option"]["value"] == "every"
    assert found["group"]["initial_option"]["text"]["text"] == "@oncall"
    assert (found["begins"]["initial_time"], found["ends"]["initial_time"]) == ("22:00", "07:00")
    assert found["zone"]["initial_option"]["value"] == "Europe/Berlin"
    assert found["posts_per_hour"]["initial_value"] == "20"
    assert "initial_options" in found["board"]
    assert "initial_options" not in found["reaction"]


def test_every_input_says_what_it_means_and_where_its_value_comes_from() -> None:
    """In its hint."""
    shown = inputs(drawn(NoisePolicy(), origins={"tasks": Origin.SETTINGS}))
    assert all(block["hint"]["text"].count(". Now: ") == 1 for block in shown.values())
    assert shown["tasks"]["hint"]["text"].endswith("Now: from the settings of this bot.")
    assert shown["board"]["hint"]["text"].endswith("Now: built in.")


def test_the_modal_says_who_last_changed_the_contract() -> None:
    """And that nothing changes before it is saved."""
    small_print = drawn(NoisePolicy(), set_by="U0ADA")["blocks"][1]["elements"]
    assert [text["text"] for text in small_print] == [
        "Last changed by <@U0ADA>.",
        "Nothing changes until you press Save.",
    ]


def test_a_preset_gives_new_ids_to_the_blocks_that_it_fills() -> None:
    """Slack would keep the old answers in the others, and is meant to."""
    before, after = (
        inputs(drawn(NoisePolicy())),
        inputs(drawn(NoisePolicy(), PAGE.refilled("quiet"))),
    )
    changed = {n for n in before if before[n]["block_id"] != after[n]["block_id"]}
    assert changed == set(LOUDNESS)


def test_the_defaults_give_every_block_a_new_id() -> None:
    """They are about all of it."""
    before = inputs(drawn(NoisePolicy()))
    after = inputs(drawn(NoisePolicy(), PAGE.refilled("default")))
    assert all(before[name]["block_id"] != after[name]["block_id"] for name in before)


def test_whoever_may_not_change_it_reads_it() -> None:
    """Without inputs, a button to save, or presets."""
    shown = reading(Contract(), "Only admins may.")
    assert "submit" not in shown
    assert {block["type"] for block in shown["blocks"]} == {"section", "context"}
    assert charter.clauses_of(Contract())[0] in str(shown)
