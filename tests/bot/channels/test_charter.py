"""A contract as messages: read aloud, changed, refused."""

from __future__ import annotations

from bot.channels import charter
from bot.noise.amendments import Wish, amended
from bot.noise.clauses import CLAUSES
from bot.noise.contracts import Contract, Origin
from bot.noise.dictation import Unclear
from bot.noise.policy import FollowUps, NoisePolicy
from bot.playground.limits import problems

CALM = Contract(
    NoisePolicy(follow_ups=FollowUps.OUTCOMES),
    {"follow_ups": Origin.CHANNEL, "tasks": Origin.SETTINGS},
    set_by="U0ADA",
    revision=3,
)


def test_a_contract_is_read_as_sentences_with_their_origins() -> None:
    """What a screen reader reads is the whole of it."""
    said = charter.reading(CALM).text
    assert said.startswith("This is what is told here. A job's thread hears how it ends")
    assert "nothing before. (Set in this channel.)" in said
    assert "does not hear of single tasks. (From the settings of this bot.)" in said
    assert said.count("(Built in.)") == len(CLAUSES) - 2
    assert said.endswith("Last changed by <@U0ADA>.")


def test_a_contract_that_is_read_can_be_changed_by_a_click() -> None:
    """Three presets, the way back, and the modal."""
    (row,) = [block for block in charter.reading(CALM).blocks if block["type"] == "actions"]
    labels = [element["text"]["text"] for element in row["elements"]]
    assert labels == ["Quiet", "Normal", "Verbose", "Back to default", "Change …"]


def test_a_change_tells_what_holds_now_and_what_was_before() -> None:
    """Of each clause that reads otherwise."""
    said = charter.changed(Contract(), CALM).text
    assert said == (
        "Changed what is told here. A job's thread hears how it ends, and nothing before."
        " Before: a job's thread hears every change. So it does not hear of single tasks."
        " Before: of single tasks, it hears of those that fail."
    )


def test_a_change_without_effect_says_so() -> None:
    """It is made all the same, and can be undone."""
    after = Contract(amended(CALM.policy, {"tasks": "all"}), set_by="U0ADA", revision=4)
    message = charter.changed(CALM, after)
    assert message.text == (
        "Changed what is told here. Tasks: all of them. As things stand, that makes no difference."
    )
    assert "Undo" in str(message.blocks)


def test_the_way_back_leads_to_what_held_before() -> None:
    """Only where the contract is still the one that was changed."""
    row = next(b for b in charter.changed(Contract(), CALM).blocks if b["type"] == "actions")
    wish = Wish.model_validate_json(row["elements"][0]["value"])
    assert amended(CALM.policy, wish.changes) == NoisePolicy()
    assert wish.revision == CALM.revision


def test_a_change_to_what_holds_already_says_so() -> None:
    """Without a button that would undo nothing."""
    message = charter.changed(CALM, CALM)
    assert "nothing was changed" in message.text
    assert "Undo" not in str(message.blocks)


def test_an_origin_of_whom_the_outcome_calls_is_that_of_the_group_as_well() -> None:
    """The nearest to the channel is named."""
    contract = Contract(NoisePolicy(), {"mention": Origin.SETTINGS, "group": Origin.CHANNEL})
    assert charter.origin("mention", contract) == "Set in this channel"


def test_what_is_nearly_right_is_offered_beside_all_that_may_be_typed() -> None:
    """One click sends the better words."""
    reason = Unclear("No.", "set tasks all", ("set tasks all", "set tasks none"))
    message = charter.unclear(reason, "/job")
    assert "Did you mean `set tasks all`?" in message.text
    assert "/job set tasks none" in str(message.blocks)


def test_a_few_choices_are_buttons_and_many_are_a_list() -> None:
    """No row of ten buttons."""
    few = charter.unclear(Unclear("Which?", choices=("set board on", "set board off")), "/job")
    assert [e["value"] for e in few.blocks[1]["elements"]] == ["set board on", "set board off"]
    many = charter.unclear(Unclear("Which?", choices=tuple(f"set f{n}" for n in range(9))), "/job")
    assert "`/job set f8`" in many.text


def test_slack_takes_every_message_of_a_contract() -> None:
    """By the rules of the local Slack."""
    few = Unclear("Which?", choices=("set board on", "set board off"))
    for message in (
        charter.reading(CALM),
        charter.changed(Contract(), CALM),
        charter.changed(CALM, CALM),
        charter.overtaken(CALM),
        charter.unclear(few, "/job"),
        charter.unclear(Unclear("No.", "set tasks all", few.choices), "/job"),
    ):
        assert problems(list(message.blocks), "message") == []
