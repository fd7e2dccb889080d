"""Which jobs a word, a URL or a free text means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.commands import plain
from bot.models import Job, JobRef, Status
from bot.providers import references
from bot.providers.connections import Connections
from bot.providers.provider import ConnectionSettings, Endpoint, Provider
from bot.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterable


class Anything(Provider[ConnectionSettings]):
    """Takes any id."""

    kind = "anything"
    Settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    statuses: ClassVar[dict[str, Status]] = {}

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1")

    async def fetch_job(self, ref: JobRef) -> Job:
        raise NotImplementedError

    def recognise(self, text: str) -> Iterable[str]:
        return re.findall(rf"https://{self.name}\.example/jobs/([\w-]*)", text)


class Deploys(Anything):
    """Takes ids of one form."""

    kind = "deploys"
    id_pattern = re.compile(r"JOB\d{4,}")
    example_id = "JOB1234"


def made(*kinds: type[Provider[Any]], names: Iterable[str] = ()) -> Connections:
    named = list(names) or [kind.kind for kind in kinds]
    clock = ManualClock()
    return Connections(
        kind(name, ConnectionSettings(), clock) for kind, name in zip(kinds, named, strict=True)
    )


BOTH = made(Deploys, Anything)
ONE = made(Deploys)
JOB = JobRef(connection="deploys", id="JOB1234")


def refs(connections: Connections, text: str) -> list[str]:
    found = references.in_free_text(connections, text)
    return [str(meaning.refs[0]) for meaning in found]


@pytest.mark.parametrize(
    "word",
    ["deploys:JOB1234", "Deploys:JOB1234", "JOB1234", "https://deploys.example/jobs/JOB1234"],
)
def test_a_job_can_be_named_in_full_by_its_url_or_by_a_bare_id(word: str) -> None:
    """Each way leads to the same job when only one connection can mean it."""
    assert references.resolve(ONE, word).refs == (JOB,)


def test_a_bare_id_that_several_connections_can_mean_gives_all_of_them() -> None:
    """Whoever asked chooses."""
    found = references.resolve(BOTH, "JOB1234").refs
    assert [str(ref) for ref in found] == ["deploys:JOB1234", "anything:JOB1234"]


def test_a_url_of_two_jobs_of_one_connection_means_both() -> None:
    """There is nothing to choose: the URL names both."""
    both = "https://deploys.example/jobs/JOB1234#https://deploys.example/jobs/JOB5678"
    found = references.resolve(ONE, both).each()
    assert [str(ref) for meant in found for ref in meant.refs] == [
        "deploys:JOB1234",
        "deploys:JOB5678",
    ]
    assert [len(meant.refs) for meant in found] == [1, 1]


def test_what_several_connections_can_mean_stays_one_choice() -> None:
    """Only who asks knows which system is meant."""
    meant = references.resolve(BOTH, "JOB1234")
    assert meant.each() == (meant,)


def test_a_named_connection_decides_although_others_could_mean_the_id() -> None:
    """A full reference is never ambiguous."""
    assert references.resolve(BOTH, "anything:JOB1234").refs == (
        JobRef(connection="anything", id="JOB1234"),
    )


def test_a_connection_that_is_nearly_right_is_suggested() -> None:
    """The bot can ask whether that was meant."""
    found = references.resolve(ONE, "deplyos:JOB1234")
    assert (found.refs, found.suggestion) == ((), "deploys:JOB1234")


def test_a_connection_that_does_not_exist_is_said_to() -> None:
    """The reason names what is wrong."""
    found = references.resolve(ONE, "robots:JOB1234")
    assert (found.suggestion, found.why) == ("", "there is no connection robots")


def test_an_id_of_the_wrong_form_is_told_with_the_right_form() -> None:
    """The connection is right; the kind's own example is a form, and no job to suggest."""
    found = references.resolve(ONE, "deploys:77")
    assert (found.refs, found.suggestion, found.form) == ((), "", "JOB1234")
    assert found.why == "deploys has no ids of that form"


def test_a_word_that_nothing_can_mean_says_so() -> None:
    """Prose is no reference."""
    found = references.resolve(ONE, "banana")
    assert (found.refs, found.why) == ((), "no connection has ids of that form")


def test_without_connections_nothing_is_meant() -> None:
    """An installation that is not set up yet answers all the same."""
    assert references.resolve(made(), "deploys:JOB1234").refs == ()
    assert references.in_free_text(made(), "deploys:JOB1234") == ()


def test_an_id_longer_than_any_job_has_is_no_reference() -> None:
    """It would fit into no button."""
    long = "x" * 201
    assert references.resolve(made(Anything), f"anything:{long}").refs == ()
    assert references.in_urls(made(Anything), f"https://anything.example/jobs/{long}") == ()


def test_a_url_without_an_id_names_no_job() -> None:
    """A provider that recognises too much does no harm."""
    assert references.in_urls(made(Anything), "https://anything.example/jobs/ ") == ()


def test_a_provider_that_cannot_look_for_urls_stops_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A plugin's mistake is logged, and questions about other systems are answered."""

    class Broken(Anything):
        kind = "broken"
        id_pattern = re.compile("never")

        def recognise(self, text: str) -> Iterable[str]:
            raise KeyError(text)

    assert refs(made(Broken, Deploys), "deploys:JOB1234") == ["deploys:JOB1234"]
    assert "broken cannot look for URLs: KeyError" in caplog.text
    assert "JOB1234" not in caplog.text


def test_each_job_of_a_free_text_is_found_once() -> None:
    """Said twice, as a name and as a URL, it is still one job."""
    text = "deploys:JOB1234 (https://deploys.example/jobs/JOB1234) and deploys:JOB1234 again"
    assert refs(ONE, text) == ["deploys:JOB1234"]


def test_words_that_name_no_job_are_ignored_in_free_text() -> None:
    """Prose around a reference is not answered."""
    assert refs(BOTH, "please look: how is it doing at 12:30?") == []


def test_a_bare_id_in_free_text_must_look_like_one() -> None:
    """Any word would fit a connection that takes any id."""
    assert refs(made(Anything), "release yesterday run-20261122 ok") == ["anything:run-20261122"]


@pytest.mark.parametrize(
    "text",
    [
        "Is deploys:JOB1234 done?",
        "(deploys:JOB1234).",
        "[deploys:JOB1234]",
        "{deploys:JOB1234}",
        "“deploys:JOB1234”",
        "\u2018deploys:JOB1234\u2019…",
        "deploys:JOB1234's tasks",
        "deploys:JOB1234—again",
        "*deploys:JOB1234* _deploys:JOB1234_ ~deploys:JOB1234~ `deploys:JOB1234`",
        "_deploys:JOB1234._",
        "jobs: deploys:JOB1234; thanks",
        ">deploys:JOB1234",
        "Deploys:JOB1234!?",
    ],
)
def test_what_people_write_around_a_reference_does_not_hide_it(text: str) -> None:
    """Punctuation, brackets, quotes and Slack's own marks are not part of an id."""
    assert refs(ONE, text) == ["deploys:JOB1234"]


IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._=@%+-]{0,40}[A-Za-z0-9]", fullmatch=True)
BEFORE = st.sampled_from(["", " ", "see ", "(", "[", "“", "*", "a, ", "<@U1> ", "\n", "> "])
AFTER = st.sampled_from(["", " ", ".", "?", "!", ")", "]", "”", "*", ", then", ";", "\n", "…"])


@given(BEFORE, IDS, AFTER)
def test_no_reference_in_a_sentence_is_lost(before: str, id_: str, after: str) -> None:
    """Whatever the id is made of, and whatever stands around it."""
    assert f"anything:{id_}" in refs(BOTH, plain(f"{before}anything:{id_}{after}"))


@given(st.text(st.characters(), max_size=300))
@example("anything:\x00")
@example("\x00")
@example("anything:" + "x" * 300)
@example(":")
def test_no_text_is_too_strange(text: str) -> None:
    """Whatever is typed has a meaning or none; nothing is raised."""
    meaning = references.resolve(BOTH, text)
    assert all(1 <= len(ref.id) <= 200 for ref in meaning.refs)
    for found in references.in_free_text(BOTH, text):
        assert found.refs


class Named(Anything):
    """Takes names after its own, and digits that are no id among other words."""

    kind = "named"
    id_pattern = re.compile(r"\d+")
    named_pattern = re.compile(r"\w+")
    bare_in_text = False


def named() -> Connections:
    return Connections([Named("robots", ConnectionSettings(), ManualClock())])


def test_a_connection_may_take_names_where_it_is_named() -> None:
    """A name alone would be any word, so it needs the connection before it."""
    assert references.resolve(named(), "robots:nightly").refs == (
        JobRef(connection="robots", id="nightly"),
    )
    assert references.resolve(named(), "nightly").refs == ()


def test_an_id_that_looks_like_a_date_is_not_found_among_other_words() -> None:
    """Alone after the command it is an id; in a sentence it is a date."""
    assert references.in_free_text(named(), "since 20261122") == ()
    assert references.resolve(named(), "20261122").refs != ()
