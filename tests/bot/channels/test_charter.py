"""Rendering of channel settings, changes and parse errors."""

from __future__ import annotations

from bot.channels import charter
from bot.noise.amendments import Wish, amended
from bot.noise.clauses import CLAUSES
from bot.noise.contracts import Contract, Origin
from bot.noise.dictation import Unclear
from bot.noise.policy import FollowUps, NoisePolicy
from bot.playground.limits import problems

SETTINGS = Contract(
    NoisePolicy(follow_ups=FollowUps.OUTCOMES),
    {"follow_ups": Origin.CHANNEL, "tasks": Origin.SETTINGS},
    set_by="U0ADA",
    revision=3,
)


def test_settings_are_sentences_with_their_origins() -> None:
    """The plain text is complete, for screen readers."""
    text = charter.reading(SETTINGS).text
    assert text.startswith("This is what is told here. A job's thread hears how it ends")
    assert "nothing before. (Set in this channel.)" in text
    assert "does not hear of single tasks. (From the settings of this bot.)" in text
    assert text.count("(Built in.)") == len(CLAUSES) - 2
    assert text.endswith("Last changed by <@U0ADA>.")


def test_settings_have_preset_and_change_buttons() -> None:
    """Three presets, the default, and the modal."""
    (row,) = [block for block in charter.reading(SETTINGS).blocks if block["type"] == "actions"]
    labels = [element["text"]["text"] for element in row["elements"]]
    assert labels == ["Quiet", "Normal", "Verbose", "Back to default", "Change …"]


def test_change_shows_the_new_and_the_previous_values() -> None:
    """It lists each field whose sentence changed."""
    text = charter.changed(Contract(), SETTINGS).text
    assert text == (
        "Changed what is told here. A job's thread hears how it ends, and nothing before."
        " Before: a job's thread hears every change. So it does not hear of single tasks."
        " Before: of single tasks, it hears of those that fail."
    )


def test_change_without_effect_says_so() -> None:
    """It is stored, and can be undone."""
    after = Contract(amended(SETTINGS.policy, {"tasks": "all"}), set_by="U0ADA", revision=4)
    message = charter.changed(SETTINGS, after)
    assert message.text == (
        "Changed what is told here. Tasks: all of them. As things stand, that makes no difference."
    )
    assert "Undo" in str(message.blocks)


def test_undo_button_restores_the_previous_policy() -> None:
    """The patch has the revision that it applies to."""
    row = next(b for b in charter.changed(Contract(), SETTINGS).blocks if b["type"] == "actions")
    patch = Wish.model_validate_json(row["elements"][0]["value"])
    assert amended(SETTINGS.policy, patch.changes) == NoisePolicy()
    assert patch.revision == SETTINGS.revision


def test_change_to_the_current_value_says_so() -> None:
    """There is no Undo button."""
    message = charter.changed(SETTINGS, SETTINGS)
    assert "nothing was changed" in message.text
    assert "Undo" not in str(message.blocks)


def test_origin_of_the_mention_includes_the_group() -> None:
    """The origin with the highest precedence is named."""
    settings = Contract(NoisePolicy(), {"mention": Origin.SETTINGS, "group": Origin.CHANNEL})
    assert charter.origin("mention", settings) == "Set in this channel"


def test_parse_error_has_a_suggestion_and_the_choices() -> None:
    """One click sends the suggestion."""
    error = Unclear("No.", "set tasks all", ("set tasks all", "set tasks none"))
    message = charter.unclear(error, "/job")
    assert "Did you mean `set tasks all`?" in message.text
    assert "/job set tasks none" in str(message.blocks)


def test_few_choices_are_buttons_and_many_are_a_list() -> None:
    """The limit is five buttons."""
    few = charter.unclear(Unclear("Which?", choices=("set board on", "set board off")), "/job")
    assert [e["value"] for e in few.blocks[1]["elements"]] == ["set board on", "set board off"]
    many = charter.unclear(Unclear("Which?", choices=tuple(f"set f{n}" for n in range(9))), "/job")
    assert "`/job set f8`" in many.text


def test_slack_accepts_every_settings_message() -> None:
    """Checked by the rules of the local Slack."""
    few = Unclear("Which?", choices=("set board on", "set board off"))
    for message in (
        charter.reading(SETTINGS),
        charter.changed(Contract(), SETTINGS),
        charter.changed(SETTINGS, SETTINGS),
        charter.overtaken(SETTINGS),
        charter.unclear(few, "/job"),
        charter.unclear(Unclear("No.", "set tasks all", few.choices), "/job"),
    ):
        assert problems(list(message.blocks), "message") == []
