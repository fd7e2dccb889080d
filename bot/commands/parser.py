"""Parses the text of commands and mentions into a `Command`. Pure."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from enum import StrEnum

from bot.commands.settings_parser import resembles_field
from bot.sdk.fuzzy import closest_match

MAX_REFERENCES = 10  # in one command
MIN_CORRECTION_SCORE = 0.75  # of 1: from here on a first word is a misspelt verb


class Verb(StrEnum):
    """The action that a command requests."""

    SHOW = "ask"  # a reference alone: show the job; follow it while it is active
    PEEK = "peek"
    WATCH = "watch"
    UNWATCH = "unwatch"
    LIST = "list"
    RECENT = "recent"  # jobs of a connection
    CONNECTIONS = "connections"
    WHY = "why"  # why an update was sent, deferred or dropped
    NOISE = "noise"  # the channel's weekly statistics
    SETTINGS = "settings"  # show the channel settings
    QUIET = "quiet"
    NORMAL = "normal"
    VERBOSE = "verbose"
    DEFAULT = "default"  # reset to the defaults of jobthread.toml
    SET = "set"  # change one field of the channel settings
    HELP = "help"


VERB_WORDS = tuple(
    verb.value for verb in Verb if verb is not Verb.SHOW
)  # the verbs that users type
# The words on the buttons.
VERB_ALIASES = {"follow": Verb.WATCH, "unfollow": Verb.UNWATCH, "stop": Verb.UNWATCH}
VERBS_WITH_ARGUMENTS = frozenset(
    {Verb.PEEK, Verb.WATCH, Verb.UNWATCH, Verb.RECENT, Verb.WHY, Verb.SET}
)


@dataclass(frozen=True)
class Command:
    """A verb and its arguments."""

    verb: Verb
    words: tuple[str, ...] = ()
    suggestion: str = ""  # the verb closest to the first word

    def with_word(self, word: str) -> str:
        """Return the text of this command for another argument."""
        return word if self.verb is Verb.SHOW else f"{self.verb} {word}"

    @property
    def correction(self) -> str:
        """The corrected command, if the first word is a misspelt verb; else empty."""
        verb = (
            closest_match(self.words[0].lower(), VERB_WORDS, MIN_CORRECTION_SCORE)
            if self.suggestion
            else ""
        )
        return " ".join([verb, *self.words[1:]]) if verb else ""


def parse_button_value(text: str) -> Command:
    """Parse the value of a button: the first word is a verb or a reference."""
    return _to_command(tuple(_words(unescape(text))))


def parse_command(text: str) -> Command:
    """Parse a typed command; back-ticks and full stops around a word are removed."""
    bare = (word.lstrip("`").rstrip("`.") for word in _words(unescape(_keep_group_id(text))))
    return _to_command(tuple(word for word in bare if word))


def _to_command(words: tuple[str, ...]) -> Command:
    if not words:
        return Command(Verb.HELP)
    first = words[0].lower()
    if verb := _verb(first):
        return Command(verb, words[1:])
    return Command(Verb.SHOW, words, suggestion=_closest_verb(first))


def _verb(word: str) -> Verb | None:
    return Verb(word) if word in VERB_WORDS else VERB_ALIASES.get(word)


def _closest_verb(word: str) -> str:
    return closest_match(word, VERB_WORDS) if word.isalpha() else ""


def parse_mention(text: str) -> Command:
    """Parse a mention: only the first word can be a verb; the rest is free text."""
    words = tuple(_words(unescape(_keep_group_id(text)).lstrip(": ")))
    if not words:
        return Command(Verb.HELP)
    first = words[0].lower().rstrip(":,")
    verb = _verb(first)
    if verb is None or _is_prose(verb, words):
        return Command(Verb.SHOW, words, suggestion=_closest_verb(first))
    return Command(verb, words[1:])


def _is_prose(verb: Verb, words: tuple[str, ...]) -> bool:
    """Whether the first word is a verb only by chance, as in "why did JOB1 fail?"."""
    if verb is Verb.SET:  # "set up the …"
        return not resembles_field("".join(words[1:2]))
    if words[0].lower() == "stop":  # "stop the …", but not "stop JOB1 JOB2"
        is_sentence = len(words) > 2 and words[1].isalpha()
        return is_sentence and words[1].lower() not in ("following", "watching")
    longest = 2 if verb is Verb.WHY else len(words) if verb in VERBS_WITH_ARGUMENTS else 1
    return len(words) > longest


def parse_shared_message(text: str) -> Command:
    """Parse a message that was not written to the bot: none of its words is a verb."""
    return Command(Verb.SHOW, tuple(_words(unescape(text))))


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


_LINK = re.compile(r"<(https?://[^|>\s]+)(?:\|[^>]*)?>")
_AUTO_LINK = re.compile(r"(?<=[^\s(])<https?://([^|>\s]+)\|\1>")  # the .sh of run-1.sh
_MENTION = re.compile(r"<[@#!][^>]*>")
_SET_COMMAND = re.compile(r"\s*(?:<@[^>]*>[\s:,]*)?set\s", re.IGNORECASE)
_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|[^>]*)?>")


def _keep_group_id(text: str) -> str:
    """Replace user group mentions by their ids, in `set` commands only."""
    return _GROUP.sub(r" \1 ", text) if _SET_COMMAND.match(text) else text


def unescape(text: str) -> str:
    """Return Slack text as it was typed: bare links, no mentions, unescaped."""
    bare = _AUTO_LINK.sub(r"\1", text)
    return html.unescape(_MENTION.sub(" ", _LINK.sub(r" \1 ", bare))).strip()
