"""A ServiceStage that costs next to nothing: the same job for every id, in a process of its own."""

from __future__ import annotations

import json
import sys

from aiohttp import web

TASKS = [
    {
        "task_id": f"Task-{n}",
        "task_index": n,
        "task_name": f"VMAPP_UPGRADE_{n:03}",
        "task_status": "SUCCEEDED" if n < 4 else "RUNNING",
        "created_at": "2026-11-22T12:00:31.115Z",
        "update_at": "2026-11-22T12:00:31.36Z",
        "messages": "{}",
    }
    for n in range(6)
]
JOB = {"execution_status": "RUNNING", "job_type": "PROVISION"}
ANSWER = json.dumps({"job": JOB, "tasks": TASKS, "task_count": len(TASKS)}).encode()
PATH = "/v3/{project}/cas/jobs/{job}"


async def _show(request: web.Request) -> web.Response:
    del request
    return web.Response(body=ANSWER, content_type="application/json")


def main() -> None:
    """Serve on the port that the first argument names, until the process is ended."""
    app = web.Application()
    app.router.add_get(PATH, _show)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)


if __name__ == "__main__":
    main()
