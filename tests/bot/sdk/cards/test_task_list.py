"""Rendering of a job's tasks."""

from typing import Any

from bot.sdk import formatting
from bot.sdk.cards import task_list
from bot.sdk.models import Status, Task
from tests.bot.sdk.cards.job_samples import NOW, job, strings, task


def drawn(*each: Task) -> list[dict[str, Any]]:
    """Return the tasks as a plan or table."""
    return task_list.render_tasks(job(tasks=each), NOW)


def listed(*each: Task) -> list[dict[str, Any]]:
    """Return the tasks as a plain list."""
    return task_list.render_plain(job(tasks=each), NOW)


def test_up_to_fifteen_tasks_are_a_plan() -> None:
    """Each task shows its status and duration in words."""
    (plan,) = drawn(
        task("PREPARE", Status.SUCCEEDED, 0, 9),
        task("UPGRADE", Status.FAILED, 9, 12, message="exit code 137"),
        task("VERIFY", Status.RUNNING, 21),
        task("NOTIFY", Status.SKIPPED),
    )
    assert plan["title"] == "Now: VERIFY"
    assert [(card["title"], card["status"]) for card in plan["tasks"]] == [
        ("PREPARE · succeeded · 9 s", "complete"),
        ("UPGRADE · failed · 12 s", "error"),
        ("VERIFY · running · 42 s so far", "in_progress"),
        ("NOTIFY · skipped", "complete"),
    ]
    assert ["output" in card for card in plan["tasks"]] == [False, True, False, False]


def test_plan_title_is_the_most_important_fact() -> None:
    """A collapsed plan shows only its title."""

    def title(*each: Task) -> str:
        (plan,) = drawn(*each)
        return str(plan["title"])

    done, failed = task("A", Status.SUCCEEDED), task("B", Status.FAILED)
    assert title(done, failed, task("C", Status.RUNNING)) == "Now: C"
    assert title(done, task("C", Status.WAITING)) == "Waiting for a person: C"
    assert title(done, failed) == "1 of 2 tasks failed"
    assert title(done) == "1 task"


def test_cancelled_step_does_not_look_like_the_failed_one() -> None:
    """Slack shows errors in red; only the failed step is red."""
    (plan,) = drawn(task("A", Status.FAILED), task("B", Status.CANCELLED))
    assert [card["status"] for card in plan["tasks"]] == ["error", "pending"]


def test_fifteen_tasks_are_a_plan_and_sixteen_a_table() -> None:
    """A longer plan is hard to read."""
    one = task("T", Status.RUNNING)
    assert [block["type"] for block in drawn(*[one] * 15)] == ["plan"]
    assert [block["type"] for block in drawn(*[one] * 16)] == ["table"]
    assert drawn() == listed() == []


def test_table_starts_with_the_urgent_tasks() -> None:
    """Failed and running tasks come before ended ones."""
    order = [Status.SUCCEEDED, Status.QUEUED, Status.WAITING, Status.RUNNING, Status.FAILED]
    table, more = drawn(*(task(f"T{n}", order[n % 5]) for n in range(78)))
    found = [row[0]["text"].split()[-1] for row in table["rows"]]
    assert len(found) == 41
    assert set(found[1:16]) == {"failed"}
    assert set(found[16:31]) == {"running"}
    assert set(found[31:]) == {"person"}
    assert more["elements"][0]["text"] == "… and 38 more tasks"


def test_plain_list_stops_where_the_section_is_full() -> None:
    """The rest is counted, and no line is cut."""
    section, more = listed(*(task("N" * 70 + str(n), Status.FAILED) for n in range(60)))
    lines = section["text"]["text"].split("\n")
    assert all(line.endswith("· failed") for line in lines)
    assert more["elements"][0]["text"] == f"… and {60 - len(lines)} more tasks"


def test_task_list_names_every_status_in_words() -> None:
    """No rendering shows a status by emoji or colour alone."""
    few = [task("T", status) for status in Status]
    for shown in (drawn(*few), drawn(*few * 2), listed(*few)):
        said = "\n".join(strings(shown))
        assert all(formatting.status_label(status).word in said for status in Status)


def test_native_status_of_a_task_is_kept_if_it_adds_facts() -> None:
    """An unknown status shows the native status."""
    odd = task("T", Status.UNKNOWN, native_status="FROBNICATING")
    assert "(FROBNICATING)" in listed(odd)[0]["text"]["text"]
