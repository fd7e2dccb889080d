"""What a thread was told of a job, as its messages' metadata carry it in Slack. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.models import Job, JobRef, Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.store import Watch

About = dict[str, Any]  # the payload of the metadata, beside the message's key

MOST_CHARACTERS = 3_000  # of the ids of tasks; Slack takes about 8 KB of metadata


def by_card(watch: Watch, job: Job | None, revision: int, *, over: bool = False) -> About:
    """Return what a card carries: all that is needed to follow its job again.

    `job` is what the thread knows by the time the card is read, and no more; `over`: it is not
    followed any more.
    """
    return {
        "key": f"{watch.id}:root",
        "card": True,
        "connection": watch.ref.connection,
        "job": watch.ref.id,
        "asker": watch.asker,
        "workspace": watch.workspace,
        **by_follow_up(watch, job, revision, over=over),
    }


def by_follow_up(watch: Watch, job: Job | None, revision: int, *, over: bool = False) -> About:
    """Return what a follow-up carries: how the job stands by what the thread now knows."""
    about: About = {"watch": watch.id, "revision": revision, "over": over}
    if job is None:
        return about
    return about | {
        "name": job.name[:200],
        "status": job.status.value,
        "native": job.native_status[:200],
        "failed": _ids(task.id for task in job.failed_tasks),
        "ended": _ids(t.id for t in job.tasks if t.announced and t.status.terminal),
    }


def job_of(ref: JobRef, about: Mapping[str, Any]) -> Job | None:
    """Return the job as a thread knows it, as far as telling the next change needs it."""
    word = str(about.get("status", ""))
    if word not in set(Status):
        return None
    failed = {str(id_) for id_ in about.get("failed") or ()}
    ended = [str(id_) for id_ in about.get("ended") or () if str(id_) not in failed]
    return Job(
        ref=ref,
        name=str(about.get("name") or ref.id),
        status=Status(word),
        native_status=str(about.get("native") or ""),
        tasks=(
            *(Task(id=id_, name=id_, status=Status.FAILED) for id_ in sorted(failed)),
            *(Task(id=id_, name=id_, status=Status.SUCCEEDED, announced=True) for id_ in ended),
        ),
    )


def latest(abouts: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the one that tells of the newest look."""
    telling = [about for about in abouts if "status" in about]
    return max(telling, key=lambda about: int(about.get("revision") or 0), default=None)


def _ids(ids: Iterable[str]) -> list[str]:
    """Return the newest of the ids that there is room for; the order is the provider's."""
    kept: list[str] = []
    room = MOST_CHARACTERS
    for id_ in reversed(list(ids)):
        room -= len(id_) + 4
        if room < 0:
            break
        kept.append(id_)
    return kept[::-1]
