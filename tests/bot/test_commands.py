"""What a person says to the bot, understood."""

import html
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.commands import SPOKEN, Verb, parse, plain, typed, verb_of_mention


def test_nothing_at_all_is_a_call_for_help() -> None:
    """Whoever does not know what to type learns it."""
    assert parse("").verb is Verb.HELP
    assert parse("  \t ").verb is Verb.HELP


def test_references_alone_ask_for_jobs() -> None:
    """The commonest thing needs no verb; commas part references as spaces do."""
    command = parse("deploys:JOB1, deploys:JOB2")
    assert (command.verb, command.words) == (Verb.ASK, ("deploys:JOB1", "deploys:JOB2"))


@pytest.mark.parametrize("word", SPOKEN)
def test_each_verb_is_understood_in_any_case(word: str) -> None:
    """A phone that writes a capital letter first is no trouble."""
    command = parse(f"{word.title()} deploys:JOB1")
    assert (command.verb, command.words) == (Verb(word), ("deploys:JOB1",))


def test_a_verb_that_is_nearly_right_is_suggested() -> None:
    """The bot can ask whether that was meant."""
    assert parse("conections").suggestion == "connections"
    assert parse("deploys:JOB1").suggestion == ""


def test_a_case_of_letters_in_references_stays() -> None:
    """Ids are the provider's: their capitals matter."""
    assert parse("PEEK Deploys:JoB1").words == ("Deploys:JoB1",)


def test_a_mention_with_a_verb_first_is_a_command() -> None:
    """The same grammar works after the bot's name."""
    command = verb_of_mention("<@U0BOT> watch deploys:JOB1")
    assert (command.verb, command.words) == (Verb.WATCH, ("deploys:JOB1",))
    for said in ("<@U0BOT> list", "<@U0BOT>: list", "<@U0BOT>, list", "<@U0BOT> list:"):
        assert verb_of_mention(said).verb is Verb.LIST


@pytest.mark.parametrize("text", ["<@U0BOT>", "<@U0BOT>:", " <@U0BOT> , "])
def test_a_mention_and_nothing_else_is_a_call_for_help(text: str) -> None:
    """As the bare command is."""
    assert verb_of_mention(text).verb is Verb.HELP


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("unfollow deploys:JOB1", Verb.UNWATCH),
        ("stop deploys:JOB1", Verb.UNWATCH),
        ("stop deploys:JOB2 deploys:JOB1", Verb.UNWATCH),
        ("Stop following deploys:JOB1", Verb.UNWATCH),
        ("follow deploys:JOB1", Verb.WATCH),
    ],
)
def test_the_words_on_the_buttons_can_be_typed(text: str, verb: Verb) -> None:
    """Whoever types what the card's button says does not get the opposite of it."""
    for command in (typed(text), verb_of_mention(f"<@U0BOT> {text}")):
        assert command.verb is verb
        assert command.words[-1] == "deploys:JOB1"


def test_stop_in_a_sentence_ends_nothing() -> None:
    """It is a common word; only beside a job, or before "following", is it meant for the bot."""
    assert verb_of_mention("<@U0BOT> stop the release if deploys:JOB1 fails").verb is Verb.ASK


def test_a_mention_in_prose_asks_for_what_it_names() -> None:
    """A sentence that begins with a verb of ours is still a sentence."""
    command = verb_of_mention("<@U0BOT> help me understand deploys:JOB1")
    assert command.verb is Verb.ASK
    assert "deploys:JOB1" in command.words


def test_a_question_that_begins_with_why_is_a_sentence() -> None:
    """Whoever wonders why a job fails wants to see the job; with nothing else it is the verb."""
    assert verb_of_mention("<@U0BOT> why did deploys:JOB1 fail?").verb is Verb.ASK
    assert verb_of_mention("<@U0BOT> why deploys:JOB1").verb is Verb.WHY


def test_slacks_escapes_are_undone() -> None:
    """People typed & and <, not entities."""
    assert plain("a &amp;&amp; b &lt;c&gt;") == "a && b <c>"


def test_an_escape_is_undone_once() -> None:
    """Whoever typed &amp; gets &amp;."""
    assert plain("&amp;amp;") == "&amp;"


def test_links_are_shown_bare() -> None:
    """An address counts, not the words that Slack shows for it."""
    assert plain("see <https://console.example/job?a=1&amp;b=2|the job>") == (
        "see  https://console.example/job?a=1&b=2"
    )


def test_an_id_that_slack_took_for_an_address_stays_whole() -> None:
    """The .sh of an id is no top-level domain."""
    assert parse("deploys:<http://run-1.sh|run-1.sh>").words == ("deploys:run-1.sh",)


def test_mentions_of_people_and_channels_are_nobodys_words() -> None:
    """With should_escape, Slack writes them as <@U…|name>."""
    command = parse("<@U1|ada> watch <#C1|deploys> deploys:JOB1 <!here>")
    assert (command.verb, command.words) == (Verb.WATCH, ("deploys:JOB1",))


@pytest.mark.parametrize(
    "text", ["`deploys:JOB1`", "deploys:JOB1.", "`deploys:JOB1`.", "`deploys:JOB1.`"]
)
def test_marks_around_a_typed_reference_are_not_part_of_it(text: str) -> None:
    """A reference is often copied with the marks that stood around it."""
    assert typed(f"peek {text}").words == ("deploys:JOB1",)
    assert typed(text).words == ("deploys:JOB1",)
    assert typed("`").verb is Verb.HELP


@given(st.text(st.characters(), max_size=300))
@example("<https://|>")
@example("<<@U1>>&amp;lt;@&#0;")
def test_no_text_is_too_strange(text: str) -> None:
    """Whatever is typed, a command comes out."""
    for command in (parse(text), typed(text), verb_of_mention(text)):
        assert all(word and not word.isspace() for word in command.words)


REFERENCES = st.from_regex(r"[a-z][a-z0-9_-]{0,10}:[A-Za-z0-9._/&<>=%-]{1,30}", fullmatch=True)


@given(st.sampled_from(["", *SPOKEN]), st.lists(REFERENCES, min_size=1, max_size=10))
def test_no_reference_is_lost_on_the_way_through_slack(verb: str, refs: list[str]) -> None:
    """As Slack escapes it, each reference arrives whole and in order."""
    typed = html.escape(" ".join([verb, *refs]), quote=False)
    assert list(parse(typed).words) == refs


@pytest.mark.parametrize("read", [typed, verb_of_mention])
@pytest.mark.parametrize("group", ["<!subteam^S0ONCALL>", "<!subteam^S0ONCALL|@oncall>"])
def test_a_user_group_that_is_to_be_called_is_read_by_its_id(read: Any, group: str) -> None:
    """Slack puts it for the name that was typed; in other sentences it says nothing."""
    command = read(f"set mention {group}")
    assert (command.verb, command.words) == (Verb.SET, ("mention", "S0ONCALL"))
    assert "S0ONCALL" not in read(f"{group} how is deploys:JOB1 doing?").words


def test_a_sentence_that_begins_with_set_changes_no_settings() -> None:
    """Only the name of something that can be set makes it a command."""
    assert verb_of_mention("set up deploys:JOB1 please").verb is Verb.ASK
    assert verb_of_mention("set follow_ups outcomes").verb is Verb.SET
    assert verb_of_mention("set folow_ups outcomes").verb is Verb.SET


@pytest.mark.parametrize("word", ["settings", "quiet", "normal", "verbose", "default"])
def test_a_sentence_that_begins_with_the_name_of_a_preset_is_prose(word: str) -> None:
    """The word alone is the command."""
    assert verb_of_mention(word).verb is Verb(word)
    assert verb_of_mention(f"{word} please, JOB1").verb is Verb.ASK
