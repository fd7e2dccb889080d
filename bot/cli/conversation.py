"""The demo without a person: a scripted conversation over the real path, and its transcript."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.cli.demo import Demo
    from bot.playground.messages import Message

STEP_SECONDS = 25.0  # that one expected line may take


class MissingLineError(Exception):
    """Something that was expected was not said."""


@dataclass
class Conversation:
    """Ada's talk with the bot; `say` prints each line of the transcript."""

    demo: Demo
    say: Callable[[str], None]
    heard: set[tuple[str, str]] = field(default_factory=set)

    async def run(self) -> None:
        """Hold the whole conversation; raises MissingLineError."""
        await self._help()
        jobs = self._jobs()
        await asyncio.gather(
            self._succeeds(jobs["succeeds"]),
            self._fails(jobs["fails"]),
            self._rolled_back(jobs["rolled back"]),
            self._many_tasks(jobs["40 tasks"]),
            self._unknown(jobs["does not exist"]),
        )
        await self._after(jobs["succeeds"])

    def _jobs(self) -> dict[str, str]:
        """Return the sample jobs by what is special about them."""
        deploys = next(each for each in self.demo.simulated if each.name == "deploys")
        wanted = ("succeeds", "fails", "rolled back", "40 tasks", "does not exist")
        return {
            word: f"deploys:{next(s.id for s in deploys.samples if word in s.title)}"
            for word in wanted
        }

    async def _help(self) -> None:
        await self._types("/job")
        said = await self._whispered("/job peek ", "examples that work here")
        example = re.search(r"/job peek ([^`]+)`", _all_of(said))
        await self._works(example[1] if example else "")
        await self._types("/job lits")
        await self._whispered("Did you mean", "a better word for a misspelt one")

    async def _works(self, ref: str) -> None:
        """Ask for the job of the help text, as a newcomer does."""
        await self._types(f"/job peek {ref}")

        def card() -> Message | None:
            return next((m for m in self.demo.slack.ephemerals() if _about(m, ref)), None)

        said = await self._until(card, f"the example of the help text: {ref}")
        self.say(f"jobthread (only visible to ada): {said.text}")

    async def _succeeds(self, ref: str) -> None:
        await self._types(f"/job {ref}")
        card = await self._card(ref)
        await self._types(f"/job {ref}")
        await self._whispered("followed here already", "no second thread")
        await self._replied(card, "succeeded after", "the outcome")
        await self._shown(card, "succeeded", "the card tells the end")

    async def _fails(self, ref: str) -> None:
        await self._types(f"@jobthread how is {ref.partition(':')[2]} doing?")
        card = await self._card(ref)
        await self._replied(card, "VMAPP_HEALTH_CHECK_01", "the step that failed")
        outcome = await self._replied(card, "failed after", "the outcome")
        self._expect(outcome.broadcast, "a failure is shown in the channel too")

    async def _rolled_back(self, ref: str) -> None:
        await self._types(f"/job watch {ref}")
        card = await self._card(ref)
        await self._replied(card, "rolling back", "the provider's own word")
        await self._replied(card, "failed and was rolled back", "the outcome")

    async def _many_tasks(self, ref: str) -> None:
        await self._types(f"/job {ref}")
        card = await self._card(ref)
        await self._clicks(card, "refresh", "Refresh")
        await self._clicks(card, "unfollow", "Stop following")
        await self._whispered("no longer followed", "the button ends it")

    async def _unknown(self, ref: str) -> None:
        await self._types(f"/job peek {ref}")
        await self._whispered("log id", "an error, to the asker alone")

    async def _after(self, ref: str) -> None:
        await self._types("/job list")
        await self._whispered("Nothing is followed", "what is followed")
        await self._types("/job connections")
        await self._whispered("ServiceStage", "what can be asked")
        await self._types(f"/job peek {ref}")
        await self._whispered("succeeded", "a card for one person")
        await self._types("@jobthread settings")
        await self._whispered("This is what is told here", "the channel's contract")

    async def _types(self, text: str) -> None:
        self.say(f"ada: {text}")
        answer = await self.demo.slack.says(text)
        self._expect(answer.ok, f"Slack takes {text!r} ({answer.error})")

    async def _clicks(self, card: Message, action: str, label: str) -> None:
        self.say(f"ada: [{label}]")
        answer = await self.demo.slack.click(card, action)
        self._expect(answer.ok, f"Slack takes a click on {label} ({answer.error})")

    async def _card(self, ref: str) -> Message:
        def posted() -> Message | None:
            return next((m for m in self.demo.slack.messages() if _about(m, ref)), None)

        card = await self._until(posted, f"a card for {ref}")
        self.say(f"jobthread: {card.text}")
        return card

    async def _replied(self, card: Message, words: str, what: str) -> Message:
        def reply() -> Message | None:
            replies = self.demo.slack.thread(card.channel, card.ts)[1:]
            return next((m for m in replies if words in m.text), None)

        said = await self._until(reply, f"{words!r} in the thread: {what}")
        if ("reply", said.ts) not in self.heard:
            self.heard.add(("reply", said.ts))
            self.say(f"  └ jobthread: {said.text}")
        return said

    async def _whispered(self, words: str, what: str) -> Message:
        def whisper() -> Message | None:
            return next((m for m in self.demo.slack.ephemerals() if words in _all_of(m)), None)

        said = await self._until(whisper, f"{words!r} to ada alone: {what}")
        self.say(f"jobthread (only visible to ada): {said.text}")
        return said

    async def _shown(self, card: Message, words: str, what: str) -> None:
        def current() -> Message | None:
            now = self.demo.slack.thread(card.channel, card.ts)[0]
            return now if words in now.text else None

        said = await self._until(current, f"{words!r} on the card: {what}")
        self.say(f"jobthread (edited): {said.text}")

    async def _until(self, found: Callable[[], Message | None], what: str) -> Message:
        try:
            message = await self.demo.slack.until(found, seconds=STEP_SECONDS)
        except TimeoutError:
            raise MissingLineError(f"Missing: {what}.") from None
        assert message is not None  # noqa: S101  `until` waits for something true
        return message

    def _expect(self, holds: bool, what: str) -> None:  # noqa: FBT001  a plain check
        if not holds:
            raise MissingLineError(f"Missing: {what}.")


def _about(message: Message, ref: str) -> bool:
    return message.thread_ts is None and any(
        element.get("value") == ref and element.get("action_id") == "refresh"
        for block in message.blocks or ()
        if block["type"] == "actions"
        for element in block["elements"]
    )


def _all_of(message: Message) -> str:
    return f"{message.text} {message.blocks}"
