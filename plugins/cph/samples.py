"""Sample requests of the simulator, with Cloud Phone's own vocabulary."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from bot.sdk import Sample
from plugins.cph.script import FAILURE, PhoneJob, RequestScript


@dataclass(frozen=True)
class SampleRequest:
    """A sample request and its description."""

    title: str
    hint: str
    request: RequestScript


def phones(count: int, first: int = 0) -> tuple[PhoneJob, ...]:
    """Return jobs on so many phones with distinct ids, each slightly slower than the last."""
    ids = (
        hashlib.blake2b(f"phone {first + n}".encode(), digest_size=16).hexdigest()
        for n in range(count)
    )
    return tuple(PhoneJob(id_, seconds=12.0 + 30.0 * n / count) for n, id_ in enumerate(ids))


def _failing(job: PhoneJob, code: str, message: str, output: str = "") -> PhoneJob:
    return replace(job, status=FAILURE, error_code=code, error_msg=message, output=output)


NO_SPACE = (
    "Performing Streamed Install\n"
    "adb: failed to install shop-2.14.0.apk: Failure [INSTALL_FAILED_INSUFFICIENT_STORAGE]"
)
UPTIME = " 09:41:07 up 12 days,  3:16,  0 users,  load average: 1.92, 1.71, 1.66"
TEN_PHONES = phones(10)
SERVER = PhoneJob(seconds=35.0)

SAMPLES = (
    SampleRequest(
        "One that restarts three phones",
        "It takes about 30 seconds, from the moment it is first asked for.",
        RequestScript("6837531fd3f54550927b930180a706bf", phones(3, 100)),
    ),
    SampleRequest(
        "One that installs an app on ten phones, two of them full",
        "It succeeds in part, and says why.",
        RequestScript(
            "b04e6d92c1354f7a92d85af310c7e684",
            (
                *TEN_PHONES[:4],
                _failing(TEN_PHONES[4], "CPS.0003", "Service internal error.", NO_SPACE),
                _failing(TEN_PHONES[5], "CPS.0003", "Service internal error.", NO_SPACE),
                *TEN_PHONES[6:],
            ),
        ),
    ),
    SampleRequest(
        "One that fails",
        "Its only phone was deleted.",
        RequestScript(
            "9c41f7a2e85b4d03a6170fb3d92c58e4",
            (_failing(phones(1, 200)[0], "CPS0005", "Phone not found."),),
        ),
    ),
    SampleRequest(
        "One on 250 phones",
        "Three pages of the API.",
        RequestScript("3fd5a07c92e14b68805b9d1c64e7a2f3", phones(250, 300)),
    ),
    SampleRequest(
        "One that restarts a server",
        "No phone is named.",
        RequestScript("e75c20b9148f4d6ab3920e6f5d81c7a4", (SERVER,)),
    ),
    SampleRequest(
        "One that ran a command",
        "It ended an hour ago; its output is shown.",
        RequestScript(
            "52b8e1f09d7c46a3b1e4c8d70a69f235",
            (replace(phones(1, 400)[0], output=UPTIME),),
            began_seconds_ago=3600,
        ),
    ),
)
MISSING_REQUEST = Sample(
    "One that does not exist",
    "d9170c6e4b8a45f2936ce10b7f24a85d",
    "Cloud Phone knows no such request.",
)
