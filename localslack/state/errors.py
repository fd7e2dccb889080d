"""Web API error: one exception that carries Slack's error code."""

from __future__ import annotations

from typing import Any


class SlackApiError(Exception):
    """Slack rejects the call; `error` is Slack's error code."""

    def __init__(self, error: str, *, status: int = 200, problems: tuple[str, ...] = ()) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.problems = problems

    def as_slack(self) -> dict[str, Any]:
        """Return the response's JSON, in Slack's form."""
        response: dict[str, Any] = {"ok": False, "error": self.error}
        if self.problems:
            response["errors"] = list(self.problems)
            messages = [f"[ERROR] {problem}" for problem in self.problems]
            response["response_metadata"] = {"messages": messages}
        return response
