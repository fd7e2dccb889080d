"""Vocabulary of the settings: statuses, and the keys of the expressions."""

from __future__ import annotations

from bot.sdk import Status

STATUSES = {str(status): status for status in Status if status is not Status.UNKNOWN}
JOB_KEYS = ("status", "name", "type", "message", "created", "started", "finished", "tasks")
TASK_KEYS = ("task_status", "task_id", "task_name", "task_message", "task_started", "task_finished")
TIME_KEYS = frozenset({"created", "started", "finished", "task_started", "task_finished"})
