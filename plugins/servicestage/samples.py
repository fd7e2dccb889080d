"""Sample jobs of the simulator, with ServiceStage's own vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sdk import Sample
from plugins.servicestage.script import JobScript, JobStep


@dataclass(frozen=True)
class SampleJob:
    """A sample job and its description."""

    title: str
    hint: str
    job: JobScript


STEPS = (
    JobStep("VMAPP_CONTEXT_PREPARE_01", 4),
    JobStep("VMAPP_PACKAGE_DOWNLOAD_01", 9),
    JobStep("VMAPP_INSTANCE_STOP_01", 5),
    JobStep("VMAPP_UPGRADE_002", 12),
    JobStep("VMAPP_INSTANCE_START_01", 7),
    JobStep("VMAPP_HEALTH_CHECK_01", 5),
)
UNHEALTHY = (
    "The health check of instance web-7c9d4-2 failed 3 times: "
    "GET http://10.0.3.17:8080/healthz answered 503."
)
NO_PACKAGE = (
    "Failed to download the software package: "
    "obs://example-releases/shop-api/2.14.0/shop-api.jar: 404 Not Found."
)

SAMPLES = (
    SampleJob(
        "One that succeeds",
        "Six tasks in about 45 seconds, from the moment it is first asked for.",
        JobScript("JOB3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35", STEPS),
    ),
    SampleJob(
        "One that fails at a step",
        "The health check says why.",
        JobScript(
            "JOBa94e07d1-8c3b-4f52-b16a-2e5f9d7c6041",
            (*STEPS[:5], JobStep("VMAPP_HEALTH_CHECK_01", 8, "FAILED", UNHEALTHY)),
            type="DAILY_OPERATION",
        ),
    ),
    SampleJob(
        "One that is rolled back",
        "The package is missing; what was done is undone.",
        JobScript(
            "JOB6b1d9f40-e2a8-4c77-8d35-90f4ce51ab28",
            (
                STEPS[0],
                STEPS[2],
                JobStep("VMAPP_PACKAGE_DOWNLOAD_01", 9, "FAILED", NO_PACKAGE),
                *STEPS[3:],
            ),
            rolls_back=True,
        ),
    ),
    SampleJob(
        "One of 40 tasks",
        "Two seconds for each.",
        JobScript(
            "JOBd27f5a83-04be-4196-a7cc-5813e60b9df4",
            tuple(JobStep(f"VMAPP_UPGRADE_{number:03}", 2) for number in range(1, 41)),
        ),
    ),
    SampleJob(
        "One that has already ended",
        "It took 45 seconds, an hour ago.",
        JobScript("JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e", STEPS, began_seconds_ago=3600),
    ),
)
COMPONENT = Sample(
    "The newest job of a component",
    "4a7d10c2-9b3e-4f58-8c61-d20e5f7a9b34/e81f6c05-2d47-4b9a-a3f0-5c9b7e1d8246",
    "Asked for by application_id/component_id; it is the one that succeeds.",
)
DEPLOYMENTS = (
    {
        "version": "2.14.0",
        "status": "RUNNING",
        "deploy_type": "rolling_upgrade",
        "current_used": True,
        "jobs": [{"sequence": 0, "job_id": SAMPLES[0].job.id, "job_info": {}}],
    },
    {
        "version": "2.13.2",
        "status": "SUCCEEDED",
        "deploy_type": "install",
        "current_used": False,
        "jobs": [],
    },
)
MISSING_JOB = Sample(
    "One that does not exist",
    "JOB5e0c73b9-16fa-4d28-93e7-fb24a8d1605c",
    "ServiceStage knows no such job.",
)
