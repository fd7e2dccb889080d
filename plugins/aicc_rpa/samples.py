"""Sample jobs of the simulator, with RPA's own vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sdk import Sample
from plugins.aicc_rpa.script import RobotScript, Run

NO_ORDER = "Order 4711 was not found in the shop's list of orders.\nStep 7: select the row."


@dataclass(frozen=True)
class SampleJob:
    """A sample job and its description."""

    title: str
    hint: str
    job: RobotScript


SAMPLES = (
    SampleJob(
        "One that succeeds",
        "It runs once, for 20 seconds, from the moment it is first asked for.",
        RobotScript("7c1e94a06b3d4f58a2e7d0915cb86f34", "Export_invoices", (Run(20),)),
    ),
    SampleJob(
        "One that fails",
        "It runs once; its queue says why it failed.",
        RobotScript(
            "b52f08d7c91a4e63bd40f7a6e81c2d95",
            "Refund_orders",
            (Run(15, "failed", NO_ORDER),),
            queue="Refunds",
        ),
    ),
    SampleJob(
        "One that waits for its queue again and again",
        "It never ends: every third run fails.",
        RobotScript(
            "0c9358552188478a8d5ff9203db8791f",
            "AICC_RPA",
            (Run(8), Run(8), Run(6, "failed", "The customer's number is missing.")),
            mode="queueTrigger",
            rest_seconds=10,
            queue="Case creation",
        ),
    ),
    SampleJob(
        "One that is repeated",
        "It never ends, and it goes well.",
        RobotScript(
            "e3a9d517f4c04b82967b1c05d2f8ae60",
            "Mail_check",
            (Run(5),),
            mode="repeat",
            rest_seconds=25,
        ),
    ),
    SampleJob(
        "One that is suspended",
        "A person must let it go on.",
        RobotScript("48d6b0f29e7541c3a8f2c67d10b95ea3", "Stock_report", suspended=True),
    ),
    SampleJob(
        "One that has already ended",
        "It ran an hour ago.",
        RobotScript(
            "91f7c2e5a80d4b36b94e5d138a6c07fb", "Payroll", (Run(40),), began_seconds_ago=3600
        ),
    ),
    SampleJob(
        "One of two of the same name",
        "Asked for by that name, Payroll, one must be chosen.",
        RobotScript(
            "2de80b6194fc47a5b3706ec8f15d9a42", "Payroll", (Run(40),), began_seconds_ago=90_000
        ),
    ),
)
MISSING_JOB = Sample(
    "One that does not exist",
    "f60a3b9c27d84e15a90be4c8d2715f36",
    "RPA knows no such job.",
)
