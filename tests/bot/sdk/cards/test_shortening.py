"""Jobs and changes with shortened texts."""

import itertools

from bot.sdk.cards.shortening import LEVELS, TextLimits, shorten_change, shorten_job
from bot.sdk.models import Detail, Job, JobRef, Status, Task
from bot.tracking import job_changes

LIMITS = TextLimits(line=10, log=20)
TASK = Task(id="t" * 50, name="n" * 50, status=Status.FAILED, message="m" * 50 + " end")
JOB = Job(
    ref=JobRef(connection="deploys", id="J" * 100),
    name="n" * 50,
    status=Status.FAILED,
    native_status="s" * 50,
    type="t" * 50,
    tasks=(TASK,),
    message="m" * 50 + " end",
    url="https://x.example/" + "u" * 50,
    details=(Detail(label="l" * 50, value="v" * 50),),
)


def test_every_text_of_a_job_is_shortened_but_its_id_and_url() -> None:
    """Buttons need the id and the URL whole."""
    short = shorten_job(JOB, LIMITS)
    (detail,), (task,) = short.details, short.tasks
    lines = (short.name, short.native_status, short.type, detail.label, detail.value, task.name)
    assert {len(line) for line in lines} == {10}
    assert (short.ref, short.url, task.id) == (JOB.ref, JOB.url, TASK.id)


def test_end_of_a_message_is_kept() -> None:
    """The end of a log says what failed."""
    short = shorten_job(JOB, LIMITS)
    assert short.message.endswith(" end")
    assert len(short.message) <= 20


def test_change_is_shortened_with_its_tasks() -> None:
    """The newly failed tasks are shown in the reply."""
    found = job_changes.diff(JOB.replace(tasks=(), status=Status.RUNNING), JOB)
    assert found is not None
    (task,) = shorten_change(found, LIMITS).newly_failed
    assert len(task.name) == 10


def test_levels_become_shorter() -> None:
    """Each level cuts something, and none lengthens anything."""
    pairs = itertools.pairwise(LEVELS)
    assert all(a.line >= b.line and a.log >= b.log and a != b for a, b in pairs)
