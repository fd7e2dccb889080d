"""Parser of commands and mentions."""

import html
import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.commands.parser import (
    VERB_WORDS,
    Verb,
    parse_button_value,
    parse_command,
    parse_mention,
    unescape,
)


def test_empty_command_is_help() -> None:
    """A user who does not know the syntax gets it."""
    assert parse_button_value("").verb is Verb.HELP
    assert parse_button_value("  \t ").verb is Verb.HELP


def test_references_alone_show_jobs() -> None:
    """No verb is needed; commas separate references like spaces."""
    command = parse_button_value("deploys:JOB1, deploys:JOB2")
    assert (command.verb, command.words) == (Verb.SHOW, ("deploys:JOB1", "deploys:JOB2"))


@pytest.mark.parametrize("word", VERB_WORDS)
def test_verb_is_case_insensitive(word: str) -> None:
    """A phone may capitalise the first letter."""
    command = parse_button_value(f"{word.title()} deploys:JOB1")
    assert (command.verb, command.words) == (Verb(word), ("deploys:JOB1",))


def test_misspelt_verb_gets_a_suggestion() -> None:
    """The reply can offer the correct verb."""
    assert parse_button_value("conections").suggestion == "connections"
    assert parse_button_value("deploys:JOB1").suggestion == ""


def test_reference_keeps_its_case() -> None:
    """Ids of providers are case-sensitive."""
    assert parse_button_value("PEEK Deploys:JoB1").words == ("Deploys:JoB1",)


def test_mention_with_a_verb_first_is_a_command() -> None:
    """The same grammar works after the bot's name."""
    command = parse_mention("<@U0BOT> watch deploys:JOB1")
    assert (command.verb, command.words) == (Verb.WATCH, ("deploys:JOB1",))
    for said in ("<@U0BOT> list", "<@U0BOT>: list", "<@U0BOT>, list", "<@U0BOT> list:"):
        assert parse_mention(said).verb is Verb.LIST


@pytest.mark.parametrize("text", ["<@U0BOT>", "<@U0BOT>:", " <@U0BOT> , "])
def test_mention_without_words_is_help(text: str) -> None:
    """It works like the bare command."""
    assert parse_mention(text).verb is Verb.HELP


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
def test_button_labels_can_be_typed(text: str, verb: Verb) -> None:
    """Typing a button's label does what the button does."""
    for command in (parse_command(text), parse_mention(f"<@U0BOT> {text}")):
        assert command.verb is verb
        assert command.words[-1] == "deploys:JOB1"


def test_stop_in_a_sentence_is_no_verb() -> None:
    """It is a verb only before a job or "following"."""
    assert parse_mention("<@U0BOT> stop the release if deploys:JOB1 fails").verb is Verb.SHOW


def test_mention_in_prose_shows_the_job_it_names() -> None:
    """A sentence that begins with a verb is still a sentence."""
    command = parse_mention("<@U0BOT> help me understand deploys:JOB1")
    assert command.verb is Verb.SHOW
    assert "deploys:JOB1" in command.words


def test_why_in_a_sentence_is_no_verb() -> None:
    """ "why" is a verb only with a single reference."""
    assert parse_mention("<@U0BOT> why did deploys:JOB1 fail?").verb is Verb.SHOW
    assert parse_mention("<@U0BOT> why deploys:JOB1").verb is Verb.WHY


def test_slack_escapes_are_undone() -> None:
    """Users typed & and <, not entities."""
    assert unescape("a &amp;&amp; b &lt;c&gt;") == "a && b <c>"


def test_escapes_are_undone_only_once() -> None:
    """A typed &amp; stays &amp;."""
    assert unescape("&amp;amp;") == "&amp;"


def test_links_are_reduced_to_their_urls() -> None:
    """The URL counts, not the text that Slack shows for it."""
    assert unescape("see <https://console.example/job?a=1&amp;b=2|the job>") == (
        "see  https://console.example/job?a=1&b=2"
    )


def test_id_that_slack_linked_stays_whole() -> None:
    """Slack links ids that look like host names, such as run-1.sh."""
    assert parse_button_value("deploys:<http://run-1.sh|run-1.sh>").words == ("deploys:run-1.sh",)


def test_mentions_are_removed() -> None:
    """Slack writes them as <@U…|name> with should_escape."""
    command = parse_button_value("<@U1|ada> watch <#C1|deploys> deploys:JOB1 <!here>")
    assert (command.verb, command.words) == (Verb.WATCH, ("deploys:JOB1",))


@pytest.mark.parametrize(
    "text", ["`deploys:JOB1`", "deploys:JOB1.", "`deploys:JOB1`.", "`deploys:JOB1.`"]
)
def test_marks_around_a_reference_are_removed(text: str) -> None:
    """References are often copied with back-ticks or a full stop."""
    assert parse_command(f"peek {text}").words == ("deploys:JOB1",)
    assert parse_command(text).words == ("deploys:JOB1",)
    assert parse_command("`").verb is Verb.HELP


@given(st.text(st.characters(), max_size=300))
@example("<https://|>")
@example("<<@U1>>&amp;lt;@&#0;")
def test_any_text_is_parsed(text: str) -> None:
    """Every text gives a command."""
    for command in (parse_button_value(text), parse_command(text), parse_mention(text)):
        assert all(word and not word.isspace() for word in command.words)


_LETTERS = st.sampled_from(string.ascii_lowercase)
_WORDS = st.text(string.ascii_lowercase + string.digits + "_-", max_size=10)
_IDS = st.text(string.ascii_letters + string.digits + "._/&<>=%-", min_size=1, max_size=30)
REFERENCES = st.builds("{}{}:{}".format, _LETTERS, _WORDS, _IDS)


@given(st.sampled_from(["", *VERB_WORDS]), st.lists(REFERENCES, min_size=1, max_size=10))
def test_references_survive_slacks_escaping(verb: str, refs: list[str]) -> None:
    """Each reference arrives whole and in order."""
    typed = html.escape(" ".join([verb, *refs]), quote=False)
    assert list(parse_button_value(typed).words) == refs


@pytest.mark.parametrize("read", [parse_command, parse_mention])
@pytest.mark.parametrize("group", ["<!subteam^S0ONCALL>", "<!subteam^S0ONCALL|@oncall>"])
def test_user_group_in_set_is_read_by_its_id(read: Any, group: str) -> None:
    """Slack replaces the typed name; outside of `set` the mention is removed."""
    command = read(f"set mention {group}")
    assert (command.verb, command.words) == (Verb.SET, ("mention", "S0ONCALL"))
    assert "S0ONCALL" not in read(f"{group} how is deploys:JOB1 doing?").words


def test_set_is_a_verb_only_before_a_field_name() -> None:
    """Other sentences that begin with it change no settings."""
    assert parse_mention("set up deploys:JOB1 please").verb is Verb.SHOW
    assert parse_mention("set follow_ups outcomes").verb is Verb.SET
    assert parse_mention("set folow_ups outcomes").verb is Verb.SET


@pytest.mark.parametrize("word", ["settings", "quiet", "normal", "verbose", "default"])
def test_preset_name_is_a_verb_only_alone(word: str) -> None:
    """With other words it is prose."""
    assert parse_mention(word).verb is Verb(word)
    assert parse_mention(f"{word} please, JOB1").verb is Verb.SHOW
