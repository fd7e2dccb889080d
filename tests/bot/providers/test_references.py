"""Resolution of words, URLs and free text to job references."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.commands.parser import unescape
from bot.providers import references
from bot.providers.connections import Connection, Connections
from bot.sdk import ConnectionSettings, Endpoint, IdFormat, Provider
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterable


class Anything(Provider[ConnectionSettings]):
    """Accepts any id."""

    kind = "anything"
    Settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    statuses: ClassVar[dict[str, Status]] = {}

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1")

    async def fetch_job(self, ref: JobRef) -> Job:
        raise NotImplementedError

    def find_ids(self, text: str) -> Iterable[str]:
        return re.findall(rf"https://{self.name}\.example/jobs/([\w-]*)", text)


class Deploys(Anything):
    """Accepts ids of one form."""

    kind = "deploys"
    id_format = IdFormat(re.compile(r"JOB\d{4,}"), example="JOB1234")


def connections(*kinds: type[Provider[Any]]) -> Connections:
    """Return a connection of each kind, named after the kind."""
    clock = ManualClock()
    return Connections(Connection(kind(kind.kind, ConnectionSettings(), clock)) for kind in kinds)


BOTH = connections(Deploys, Anything)
ONE = connections(Deploys)
JOB = JobRef(connection="deploys", id="JOB1234")


def refs(connections: Connections, text: str) -> list[str]:
    resolutions = references.find_in_text(connections, text)
    return [str(resolution.refs[0]) for resolution in resolutions]


@pytest.mark.parametrize(
    "word",
    ["deploys:JOB1234", "Deploys:JOB1234", "JOB1234", "https://deploys.example/jobs/JOB1234"],
)
def test_reference_url_and_bare_id_resolve_to_the_same_job(word: str) -> None:
    """If only one connection matches the id."""
    assert references.resolve(ONE, word).refs == (JOB,)


def test_bare_id_resolves_to_all_matching_connections() -> None:
    """The user chooses."""
    found = references.resolve(BOTH, "JOB1234").refs
    assert [str(ref) for ref in found] == ["deploys:JOB1234", "anything:JOB1234"]


def test_text_with_two_urls_resolves_to_both_jobs() -> None:
    """Both jobs belong to one connection, so there is no choice."""
    both = "https://deploys.example/jobs/JOB1234#https://deploys.example/jobs/JOB5678"
    split = references.resolve(ONE, both).per_job()
    assert [str(ref) for resolution in split for ref in resolution.refs] == [
        "deploys:JOB1234",
        "deploys:JOB5678",
    ]
    assert [len(resolution.refs) for resolution in split] == [1, 1]


def test_jobs_of_several_connections_stay_one_choice() -> None:
    """Only the user knows which connection is right."""
    resolution = references.resolve(BOTH, "JOB1234")
    assert resolution.per_job() == (resolution,)


def test_named_connection_is_used_even_if_others_match_the_id() -> None:
    """A full reference is never ambiguous."""
    assert references.resolve(BOTH, "anything:JOB1234").refs == (
        JobRef(connection="anything", id="JOB1234"),
    )


def test_misspelt_connection_gets_a_suggestion() -> None:
    """The reference with the closest connection name."""
    found = references.resolve(ONE, "deplyos:JOB1234")
    assert (found.refs, found.suggestion) == ((), "deploys:JOB1234")


def test_unknown_connection_is_the_reason() -> None:
    """Without a close name there is no suggestion."""
    found = references.resolve(ONE, "robots:JOB1234")
    assert (found.suggestion, found.reason) == ("", "there is no connection robots")


def test_invalid_id_gets_an_example_of_the_right_form() -> None:
    """The kind's example shows the form; it is no suggestion, as no such job exists."""
    found = references.resolve(ONE, "deploys:77")
    assert (found.refs, found.suggestion, found.id_example) == ((), "", "JOB1234")
    assert found.reason == "deploys has no ids of that form"


def test_unresolved_word_has_a_reason() -> None:
    """Prose is no reference."""
    found = references.resolve(ONE, "banana")
    assert (found.refs, found.reason) == ((), "no connection has ids of that form")


def test_nothing_resolves_without_connections() -> None:
    """A new installation raises no error."""
    assert references.resolve(connections(), "deploys:JOB1234").refs == ()
    assert references.find_in_text(connections(), "deploys:JOB1234") == ()


def test_too_long_id_is_no_reference() -> None:
    """It would not fit into the value of a button."""
    long = "x" * 201
    assert references.resolve(connections(Anything), f"anything:{long}").refs == ()
    assert (
        references.find_in_urls(connections(Anything), f"https://anything.example/jobs/{long}")
        == ()
    )


def test_empty_id_of_a_provider_is_ignored() -> None:
    """The provider's URL pattern also matches a URL without an id."""
    assert references.find_in_urls(connections(Anything), "https://anything.example/jobs/ ") == ()


def test_failing_url_search_does_not_affect_other_providers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The failure is logged, without the user's text."""

    class Broken(Anything):
        kind = "broken"
        id_format = IdFormat(re.compile("never"))

        def find_ids(self, text: str) -> Iterable[str]:
            raise KeyError(text)

    assert refs(connections(Broken, Deploys), "deploys:JOB1234") == ["deploys:JOB1234"]
    assert "the provider of broken failed to find URLs: KeyError" in caplog.text
    assert "JOB1234" not in caplog.text


def test_job_is_found_once_in_free_text() -> None:
    """Even if the text has its reference and its URL."""
    text = "deploys:JOB1234 (https://deploys.example/jobs/JOB1234) and deploys:JOB1234 again"
    assert refs(ONE, text) == ["deploys:JOB1234"]


def test_prose_is_ignored_in_free_text() -> None:
    """It is neither a reference nor an error."""
    assert refs(BOTH, "please look: how is it doing at 12:30?") == []


def test_bare_id_in_free_text_must_look_like_an_id() -> None:
    """A connection that accepts any id would match any word."""
    assert refs(connections(Anything), "release yesterday run-20261122 ok") == [
        "anything:run-20261122"
    ]


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
def test_reference_is_found_next_to_punctuation(text: str) -> None:
    """Punctuation, brackets, quotes and Slack's markup are not part of an id."""
    assert refs(ONE, text) == ["deploys:JOB1234"]


IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._=@%+-]{0,40}[A-Za-z0-9]", fullmatch=True)
BEFORE = st.sampled_from(["", " ", "see ", "(", "[", "“", "*", "a, ", "<@U1> ", "\n", "> "])
AFTER = st.sampled_from(["", " ", ".", "?", "!", ")", "]", "”", "*", ", then", ";", "\n", "…"])


@given(BEFORE, IDS, AFTER)
def test_any_reference_is_found_in_a_sentence(before: str, id_: str, after: str) -> None:
    """For any id and any punctuation around it."""
    assert f"anything:{id_}" in refs(BOTH, unescape(f"{before}anything:{id_}{after}"))


@given(st.text(st.characters(), max_size=300))
@example("anything:\x00")
@example("\x00")
@example("anything:" + "x" * 300)
@example(":")
def test_no_text_raises_an_error(text: str) -> None:
    """Any text resolves to jobs or to none."""
    resolution = references.resolve(BOTH, text)
    assert all(1 <= len(ref.id) <= 200 for ref in resolution.refs)
    for found in references.find_in_text(BOTH, text):
        assert found.refs


class Named(Anything):
    """Accepts job names after `connection:`; its bare ids are not matched in free text."""

    kind = "named"
    id_format = IdFormat(re.compile(r"\d+"), named=re.compile(r"\w+"), match_bare=False)


def named() -> Connections:
    return Connections([Connection(Named("robots", ConnectionSettings(), ManualClock()))])


def test_job_name_is_matched_only_after_its_connection() -> None:
    """A bare name could be any word."""
    assert references.resolve(named(), "robots:nightly").refs == (
        JobRef(connection="robots", id="nightly"),
    )
    assert references.resolve(named(), "nightly").refs == ()


def test_id_that_looks_like_a_date_is_not_found_in_free_text() -> None:
    """Alone after the command it is an id; in a sentence it is a date."""
    assert references.find_in_text(named(), "since 20261122") == ()
    assert references.resolve(named(), "20261122").refs != ()
