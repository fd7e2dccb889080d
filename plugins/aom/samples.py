"""Sample executions of the simulator, with AOM's own vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sdk import Sample
from plugins.aom.script import ExecutionScript, HostRun, NodeScript


@dataclass(frozen=True)
class SampleExecution:
    """A sample execution and its description."""

    title: str
    hint: str
    execution: ExecutionScript
    bare: bool = False  # the reference is the workflow's id alone

    @property
    def id(self) -> str:
        """The reference of the execution."""
        workflow = self.execution.workflow_id
        return workflow if self.bare else f"{workflow}/{self.execution.id}"


def successful_hosts(*names: str, seconds: float = 8.0) -> tuple[HostRun, ...]:
    """Return hosts that all succeed."""
    return tuple(HostRun(name, seconds, log=f"{name}: done") for name in names)


NO_FOLDER = (
    "/usr/local/uniagentd/tmp/tmp_1670311150998271_de7b35a0: >-\n"
    "  line 1: cd: /opt/shop: Not a directory"
)
DISK_FULL = (
    "rsync: write failed on /var/backups/shop.tar: No space left on device (28)\n"
    "rsync error: error in file IO (code 11) at receiver.c(378)"
)

SAMPLES = (
    SampleExecution(
        "One that succeeds",
        "Three nodes on three hosts in about 35 seconds, from the moment it is first asked for.",
        ExecutionScript(
            "4f1d7c0e92ab46d8b35e60c1a7f8d294",
            "0b6e4d92-1c35-47fa-92d8-5af310c7e684",
            (
                NodeScript("drain", seconds=6),
                NodeScript("restart-service", successful_hosts("web-1", "web-2", "web-3")),
                NodeScript("health-check", successful_hosts("web-1", "web-2", "web-3", seconds=12)),
            ),
            workflow_name="restart-shop",
        ),
    ),
    SampleExecution(
        "One that fails on one of three hosts",
        "It succeeds in part; the host's log says why.",
        ExecutionScript(
            "8c27e5b1f03d4a96a1d84e0b57f2c963",
            "a94e07d1-8c3b-4f52-b16a-2e5f9d7c6041",
            (
                NodeScript("stop-writes", seconds=5),
                NodeScript(
                    "backup",
                    (
                        *successful_hosts("db-1", seconds=9),
                        HostRun("db-2", 11, 11, DISK_FULL),
                        *successful_hosts("db-3", seconds=9),
                    ),
                ),
                NodeScript("start-writes"),
            ),
            workflow_name="nightly-backup",
        ),
    ),
    SampleExecution(
        "One that fails",
        "Its node ran, its only host failed.",
        ExecutionScript(
            "b5093f6ad7c14e28905b7f1e3c68da42",
            "6b1d9f40-e2a8-4c77-8d35-90f4ce51ab28",
            (NodeScript("run-script", (HostRun("web-1", 6, 1, NO_FOLDER),)),),
            workflow_name="clean-up",
        ),
    ),
    SampleExecution(
        "One that waits for approval",
        "Half a minute, then it goes on.",
        ExecutionScript(
            "e1a64c07b92f45d38d70c5f9164be83a",
            "d27f5a83-04be-4196-a7cc-5813e60b9df4",
            (NodeScript("resize-pool", successful_hosts("cce-1", "cce-2")),),
            workflow_name="resize-pool",
            approvers=("alice", "bob"),
            approval_seconds=30,
        ),
    ),
    SampleExecution(
        "One that is paused",
        "Somebody must go on in the console.",
        ExecutionScript(
            "27d8b0f4e63c4a519bc2705e8fa1d63e",
            "5e0c73b9-16fa-4d28-93e7-fb24a8d1605c",
            (NodeScript("switch-traffic"), NodeScript("confirm", pauses=True)),
            workflow_name="blue-green",
            approvers=("carol",),
        ),
    ),
    SampleExecution(
        "The newest of a workflow",
        "A workflow's id alone; it ended an hour ago.",
        ExecutionScript(
            "90be3d5c7a1248f6a04d1ec95b7f8260",
            "17cb1778-07b1-4c8f-a183-c86cffbe8f9e",
            (NodeScript("rotate-logs", successful_hosts("web-1", "web-2")),),
            workflow_name="rotate-logs",
            began_seconds_ago=3600,
        ),
        bare=True,
    ),
)
MISSING_EXECUTION = Sample(
    "One that does not exist",
    "c6d81f9e3b5047a2be90d4f6a1735c28/3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35",
    "AOM knows no such execution.",
)
