"""What a person says to the bot: text → Command. Pure; no I/O."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from enum import StrEnum

from bot.likeness import closest
from bot.noise.dictation import is_like_a_field

MOST_REFERENCES = 10  # in one command
SURELY = 75  # of 100: how like a verb a first word must be to be taken for one before a job


class Verb(StrEnum):
    """What the bot is asked to do."""

    ASK = "ask"  # what a reference alone means: show the job, and follow it while it lives
    PEEK = "peek"
    WATCH = "watch"
    UNWATCH = "unwatch"
    LIST = "list"
    RECENT = "recent"  # jobs of a connection
    CONNECTIONS = "connections"
    WHY = "why"  # a job was told, held back or left to its card
    NOISE = "noise"  # the channel's own figures
    SETTINGS = "settings"  # what is told in this channel
    QUIET = "quiet"
    NORMAL = "normal"
    VERBOSE = "verbose"
    DEFAULT = "default"  # back to what the bot's settings say
    SET = "set"  # one clause of what is told
    HELP = "help"


SPOKEN = tuple(verb.value for verb in Verb if verb is not Verb.ASK)  # the words people type
ALSO = {"follow": Verb.WATCH, "unfollow": Verb.UNWATCH, "stop": Verb.UNWATCH}  # as buttons say
WITH_WORDS = frozenset({Verb.PEEK, Verb.WATCH, Verb.UNWATCH, Verb.RECENT, Verb.WHY, Verb.SET})


@dataclass(frozen=True)
class Command:
    """A verb and the words after it."""

    verb: Verb
    words: tuple[str, ...] = ()
    suggestion: str = ""  # the verb that the first word nearly is

    def on(self, word: str) -> str:
        """Return what one would type to do the same with another word."""
        return word if self.verb is Verb.ASK else f"{self.verb} {word}"

    @property
    def meant(self) -> str:
        """What one surely meant to type, if the first word is a misspelt verb, not a polite one."""
        verb = closest(self.words[0].lower(), SPOKEN, SURELY) if self.suggestion else ""
        return " ".join([verb, *self.words[1:]]) if verb else ""


def parse(text: str) -> Command:
    """Return what a command's text asks for; the first word is a verb or else a reference."""
    return _understood(tuple(_words(plain(text))))


def typed(text: str) -> Command:
    """Return what a person's command asks for: back-ticks and a full stop belong to no id."""
    bare = (word.lstrip("`").rstrip("`.") for word in _words(plain(_with_group(text))))
    return _understood(tuple(word for word in bare if word))


def _understood(words: tuple[str, ...]) -> Command:
    if not words:
        return Command(Verb.HELP)
    first = words[0].lower()
    if verb := _verb(first):
        return Command(verb, words[1:])
    return Command(Verb.ASK, words, suggestion=_nearly(first))


def _verb(word: str) -> Verb | None:
    return Verb(word) if word in SPOKEN else ALSO.get(word)


def _nearly(word: str) -> str:
    return closest(word, SPOKEN) if word.isalpha() else ""


def verb_of_mention(text: str) -> Command:
    """Return what a mention asks for: a verb that comes first counts, the rest is free text."""
    words = tuple(_words(plain(_with_group(text)).lstrip(": ")))
    if not words:
        return Command(Verb.HELP)
    first = words[0].lower().rstrip(":,")
    verb = _verb(first)
    if verb is None or _is_prose(verb, words):
        return Command(Verb.ASK, words, suggestion=_nearly(first))
    return Command(verb, words[1:])


def _is_prose(verb: Verb, words: tuple[str, ...]) -> bool:
    """Whether a first word that could be a verb begins a sentence: "why did JOB1 fail?"."""
    if verb is Verb.SET:  # "set up the …"
        return not is_like_a_field("".join(words[1:2]))
    if words[0].lower() == "stop":  # "stop the …", but not "stop JOB1 JOB2"
        spoken = len(words) > 2 and words[1].isalpha()
        return spoken and words[1].lower() not in ("following", "watching")
    longest = 2 if verb is Verb.WHY else len(words) if verb in WITH_WORDS else 1
    return len(words) > longest


def of_message(text: str) -> Command:
    """Return what a message asks for that was written to others: its words are no verbs."""
    return Command(Verb.ASK, tuple(_words(plain(text))))


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


_LINK = re.compile(r"<(https?://[^|>\s]+)(?:\|[^>]*)?>")
_TAKEN_FOR_A_LINK = re.compile(r"(?<=[^\s(])<https?://([^|>\s]+)\|\1>")  # the .sh of run-1.sh
_MENTION = re.compile(r"<[@#!][^>]*>")
_SETTING = re.compile(r"\s*(?:<@[^>]*>[\s:,]*)?set\s", re.IGNORECASE)
_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|[^>]*)?>")


def _with_group(text: str) -> str:
    """Return a text with the id of a user group that `set` is given; elsewhere it says nothing."""
    return _GROUP.sub(r" \1 ", text) if _SETTING.match(text) else text


def plain(text: str) -> str:
    """Return a text of Slack's as the person typed it: links bare, mentions gone, unescaped."""
    typed = _TAKEN_FOR_A_LINK.sub(r"\1", text)
    return html.unescape(_MENTION.sub(" ", _LINK.sub(r" \1 ", typed))).strip()
