"""Every way in which Slack says no, as one exception that carries Slack's own word."""

from __future__ import annotations

from typing import Any


class RefusedError(Exception):
    """Slack refuses the call; `error` is Slack's word for why."""

    def __init__(self, error: str, *, status: int = 200, problems: tuple[str, ...] = ()) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.problems = problems

    def answer(self) -> dict[str, Any]:
        """Return the answer's JSON, as Slack writes it."""
        refused: dict[str, Any] = {"ok": False, "error": self.error}
        if self.problems:
            refused["errors"] = list(self.problems)
            messages = [f"[ERROR] {problem}" for problem in self.problems]
            refused["response_metadata"] = {"messages": messages}
        return refused
