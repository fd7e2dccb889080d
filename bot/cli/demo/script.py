"""Scripted demo dialogue: types, clicks, and checks what the bot posts."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.cli.demo.demo import Demo
    from localslack import Message

STEP_SECONDS = 25.0  # timeout of each expected message


class MissingReplyError(Exception):
    """An expected message was not posted."""


@dataclass
class DemoScript:
    """Ada's dialogue with the bot; `say` prints each line of the transcript."""

    demo: Demo
    say: Callable[[str], None]
    seen_replies: set[tuple[str, str]] = field(default_factory=set)

    async def run(self) -> None:
        """Run the whole dialogue. Raise MissingReplyError."""
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
        """Return the references of the sample jobs, by the phrase in their title."""
        deploys = next(each for each in self.demo.simulated if each.name == "deploys")
        wanted = ("succeeds", "fails", "rolled back", "40 tasks", "does not exist")
        return {
            word: f"deploys:{next(s.id for s in deploys.samples if word in s.title)}"
            for word in wanted
        }

    async def _help(self) -> None:
        await self._types("/job")
        reply = await self._ephemeral("/job peek ", "examples that work here")
        example = re.search(r"/job peek ([^`]+)`", _all_text(reply))
        await self._example(example[1] if example else "")
        await self._types("/job lits")
        await self._ephemeral("Did you mean", "a correction of a misspelt command")

    async def _example(self, ref: str) -> None:
        """Type the help text's example, as a new user does."""
        await self._types(f"/job peek {ref}")

        def card() -> Message | None:
            return next((m for m in self.demo.slack.ephemerals() if _about(m, ref)), None)

        message = await self._until(card, f"the example of the help text: {ref}")
        self.say(f"jobthread (only visible to ada): {message.text}")

    async def _succeeds(self, ref: str) -> None:
        await self._types(f"/job {ref}")
        card = await self._card(ref)
        await self._types(f"/job {ref}")
        await self._ephemeral("followed here already", "no second thread")
        await self._replied(card, "succeeded after", "the outcome")
        await self._shown(card, "succeeded", "the card shows the outcome")

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
        await self._ephemeral("no longer followed", "the reply to the button")

    async def _unknown(self, ref: str) -> None:
        await self._types(f"/job peek {ref}")
        await self._ephemeral("log id", "an error, visible to the requester only")

    async def _after(self, ref: str) -> None:
        await self._types("/job list")
        await self._ephemeral("Nothing is followed", "what is followed")
        await self._types("/job connections")
        await self._ephemeral("ServiceStage", "the list of connections")
        await self._types(f"/job peek {ref}")
        await self._ephemeral("succeeded", "an ephemeral card")
        await self._types("@jobthread settings")
        await self._ephemeral("This is what is told here", "the channel settings")

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

        message = await self._until(reply, f"{words!r} in the thread: {what}")
        if ("reply", message.ts) not in self.seen_replies:
            self.seen_replies.add(("reply", message.ts))
            self.say(f"  └ jobthread: {message.text}")
        return message

    async def _ephemeral(self, words: str, what: str) -> Message:
        def ephemeral() -> Message | None:
            return next((m for m in self.demo.slack.ephemerals() if words in _all_text(m)), None)

        message = await self._until(ephemeral, f"{words!r} in an ephemeral message to ada: {what}")
        self.say(f"jobthread (only visible to ada): {message.text}")
        return message

    async def _shown(self, card: Message, words: str, what: str) -> None:
        def edited() -> Message | None:
            card_now = self.demo.slack.thread(card.channel, card.ts)[0]
            return card_now if words in card_now.text else None

        message = await self._until(edited, f"{words!r} on the card: {what}")
        self.say(f"jobthread (edited): {message.text}")

    async def _until(self, found: Callable[[], Message | None], what: str) -> Message:
        try:
            message = await self.demo.slack.until(found, seconds=STEP_SECONDS)
        except TimeoutError:
            raise MissingReplyError(f"Missing: {what}.") from None
        assert message is not None  # noqa: S101  `until` waits for a truthy result
        return message

    def _expect(self, condition: bool, what: str) -> None:  # noqa: FBT001  a plain check
        if not condition:
            raise MissingReplyError(f"Missing: {what}.")


def _about(message: Message, ref: str) -> bool:
    return message.thread_ts is None and any(
        element.get("value") == ref and element.get("action_id") == "refresh"
        for block in message.blocks or ()
        if block["type"] == "actions"
        for element in block["elements"]
    )


def _all_text(message: Message) -> str:
    return f"{message.text} {message.blocks}"
