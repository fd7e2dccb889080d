"""Resolves words, URLs and free text to job references. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.sdk.fuzzy import closest_match
from bot.sdk.models import JobRef

if TYPE_CHECKING:
    from bot.providers.connections import Connection, Connections


@dataclass(frozen=True)
class Resolution:
    """The jobs that a word refers to: one, several to choose from, or none with a suggestion."""

    word: str
    refs: tuple[JobRef, ...] = ()
    suggestion: str = ""
    reason: str = field(default="", compare=False)
    id_example: str = field(default="", compare=False)  # an id in the form of the named connection

    def per_job(self) -> tuple[Resolution, ...]:
        """Split several jobs of one connection into one resolution each: no choice is needed."""
        if len({ref.connection for ref in self.refs}) != 1 or len(self.refs) == 1:
            return (self,)
        return tuple(Resolution(str(ref), (ref,)) for ref in self.refs)


def resolve(connections: Connections, word: str) -> Resolution:
    """Resolve one word: `connection:id`, a job's URL, or a bare id."""
    if refs := find_in_urls(connections, word):
        return Resolution(word, refs)
    name, colon, rest = word.partition(":")
    connection = connections.get(name.lower())
    if colon and connection:
        return _resolve_named(connection, rest, word)
    matching = (each.name for each in connections if each.id_format.matches(word))
    refs = tuple(JobRef(connection=each, id=word) for each in matching)
    if refs:
        return Resolution(word, refs)
    return _unresolved(connections, name, rest, word)


def _resolve_named(connection: Connection, text: str, word: str) -> Resolution:
    if connection.id_format.matches_named(text):
        return Resolution(word, (JobRef(connection=connection.name, id=text),))
    reason = f"{connection.name} has no ids of that form"
    return Resolution(word, reason=reason, id_example=connection.id_format.example)


def _unresolved(connections: Connections, name: str, rest: str, word: str) -> Resolution:
    suggested = closest_match(name.lower(), connections.names) if rest and "/" not in name else ""
    if suggested and connections[suggested].id_format.matches_named(rest):
        return Resolution(
            word, suggestion=f"{suggested}:{rest}", reason="there is no such connection"
        )
    if rest and "/" not in rest:
        return Resolution(word, reason=f"there is no connection {name}")
    return Resolution(word, reason="no connection has ids of that form")


def find_in_urls(connections: Connections, text: str) -> tuple[JobRef, ...]:
    """Return the jobs whose URLs occur in a text, each once, in the order of the connections."""
    refs = [
        JobRef(connection=connection.name, id=id_)
        for connection in connections
        for id_ in connection.find_ids(text)
    ]
    return tuple(dict.fromkeys(refs))


_TOKEN = re.compile(r"[^\s,;()\[\]{}<>|\"'`*“”„‘’«»…–—]+")  # noqa: RUF001  users' own punctuation
_ID_LIKE = re.compile(r"(?=.*\d)(?=.{8})")  # of a bare id in free text


def _strip_marks(token: str) -> str:
    """Strip sentence punctuation and Slack's marks for italics and strikethrough."""
    without_end = token.rstrip(".!?:")
    word = without_end.lstrip("_~")
    return word if word == without_end else word.rstrip(".!?:_~")


def find_in_text(connections: Connections, text: str) -> tuple[Resolution, ...]:
    """Resolve the references and URLs in free text; other words are ignored."""
    resolutions = {ref: Resolution(str(ref), (ref,)) for ref in find_in_urls(connections, text)}
    for token in _TOKEN.findall(re.sub(r"https?://\S+", " ", text)):
        word = _strip_marks(token)
        is_named = ":" in word and connections.get(word.partition(":")[0].lower()) is not None
        found = resolve(connections, word) if is_named else _resolve_word(connections, word)
        if found.refs:
            resolutions.setdefault(found.refs[0], found)
    return tuple(resolutions.values())


def looks_like_id(word: str) -> bool:
    """Whether a word looks like a job's id or a reference, not like prose."""
    return ":" in word or bool(_ID_LIKE.match(word))


def _resolve_word(connections: Connections, word: str) -> Resolution:
    """Resolve a bare word of a free text if it looks like an id; dates are left out."""
    if not _ID_LIKE.match(word):
        return Resolution(word)
    resolution = resolve(connections, word)
    refs = tuple(ref for ref in resolution.refs if connections[ref.connection].id_format.match_bare)
    return Resolution(word, refs)
