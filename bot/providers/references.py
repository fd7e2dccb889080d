"""References: which jobs a word, a URL or a free text means. Pure; no I/O."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.errors import FAULTS, trail
from bot.likeness import closest
from bot.models import MAX_ID_LENGTH, JobRef
from bot.providers import compartment

if TYPE_CHECKING:
    from bot.providers.connections import Connections
    from bot.providers.provider import Provider

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resolution:
    """What a word means: one job; several, to choose from; or none, with a better word."""

    word: str
    refs: tuple[JobRef, ...] = ()
    suggestion: str = ""
    why: str = field(default="", compare=False)
    form: str = field(default="", compare=False)  # an id as they look in the system that was named

    def each(self) -> tuple[Resolution, ...]:
        """Return one meaning for each job where one system names several: no choice is needed."""
        if len({ref.connection for ref in self.refs}) != 1 or len(self.refs) == 1:
            return (self,)
        return tuple(Resolution(str(ref), (ref,)) for ref in self.refs)


def resolve(connections: Connections, word: str) -> Resolution:
    """Return the jobs that a word can mean: `connection:id`, a URL of a job, or a bare id."""
    if refs := in_urls(connections, word):
        return Resolution(word, refs)
    name, colon, rest = word.partition(":")
    provider = connections.get(name.lower())
    if colon and provider:
        return _named(provider, rest, word)
    refs = tuple(JobRef(connection=p.name, id=word) for p in connections if _fits(p, word))
    if refs:
        return Resolution(word, refs)
    return _strange(connections, name, rest, word)


def _named(provider: Provider[Any], text: str, word: str) -> Resolution:
    if _fits_named(provider, text):
        return Resolution(word, (JobRef(connection=provider.name, id=text),))
    why = f"{provider.name} has no ids of that form"
    return Resolution(word, why=why, form=provider.example_id)


def _strange(connections: Connections, name: str, rest: str, word: str) -> Resolution:
    near = closest(name.lower(), connections.names) if rest and "/" not in name else ""
    if near and _fits_named(connections[near], rest):
        return Resolution(word, suggestion=f"{near}:{rest}", why="there is no such connection")
    if rest and "/" not in rest:
        return Resolution(word, why=f"there is no connection {name}")
    return Resolution(word, why="no connection has ids of that form")


def _fits(provider: Provider[Any], text: str) -> bool:
    return _holds(provider.id_pattern, text)


def _fits_named(provider: Provider[Any], text: str) -> bool:
    return _holds(provider.named_pattern or provider.id_pattern, text)


def _holds(pattern: re.Pattern[str], text: str) -> bool:
    fits = 0 < len(text) <= MAX_ID_LENGTH and "\x00" not in text
    return fits and bool(pattern.fullmatch(text))


def in_urls(connections: Connections, text: str) -> tuple[JobRef, ...]:
    """Return the jobs whose URLs stand in a text, each once, in the order of the connections."""
    found = [
        JobRef(connection=provider.name, id=id_)
        for provider in connections
        for id_ in _recognised(provider, text)
    ]
    return tuple(dict.fromkeys(found))


def _recognised(provider: Provider[Any], text: str) -> list[str]:
    try:
        found = compartment.call(provider.compartment, _ids, provider, text)
        return [id_ for id_ in found if 0 < len(id_) <= MAX_ID_LENGTH]
    except FAULTS as error:
        log.error("%s cannot look for URLs: %s", provider.name, trail(error))
        return []


def _ids(provider: Provider[Any], text: str) -> list[str]:
    return list(provider.recognise(text))


_TOKEN = re.compile(r"[^\s,;()\[\]{}<>|\"'`*“”„‘’«»…–—]+")  # noqa: RUF001  people's own marks
_TELLING = re.compile(r"(?=.*\d)(?=.{8})")  # a bare id in free text must look like one


def _bare(token: str) -> str:
    """Return a token without the marks around it: a sentence's end, Slack's italics and strikes."""
    ended = token.rstrip(".!?:")
    begun = ended.lstrip("_~")
    return begun if begun == ended else begun.rstrip(".!?:_~")


def in_free_text(connections: Connections, text: str) -> tuple[Resolution, ...]:
    """Return what the references and URLs in a free text mean; other words are ignored."""
    found = {ref: Resolution(str(ref), (ref,)) for ref in in_urls(connections, text)}
    for token in _TOKEN.findall(re.sub(r"https?://\S+", " ", text)):
        word = _bare(token)
        named = ":" in word and connections.get(word.partition(":")[0].lower()) is not None
        meant = resolve(connections, word) if named else _telling(connections, word)
        if meant.refs:
            found.setdefault(meant.refs[0], meant)
    return tuple(found.values())


def like_an_id(word: str) -> bool:
    """Whether a word looks like the id of a job, or like a reference, and not like prose."""
    return ":" in word or bool(_TELLING.match(word))


def _telling(connections: Connections, word: str) -> Resolution:
    """Return what a bare word among others means: it must look like an id, not like a date."""
    if not _TELLING.match(word):
        return Resolution(word)
    meant = resolve(connections, word)
    refs = tuple(ref for ref in meant.refs if connections[ref.connection].bare_in_text)
    return Resolution(word, refs)
