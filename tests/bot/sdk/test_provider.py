"""Provider base class: the defaults of a minimal provider."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

import pytest
from pydantic import SecretStr, ValidationError

from bot.sdk import ConnectionSettings, Endpoint, Provider
from bot.sdk.cards import job_card
from bot.sdk.errors import JobNotFound
from bot.sdk.models import Change, Job, JobRef, Status
from bot.sdk.testing import ManualClock
from plugins.servicestage import ServiceStage

pytestmark = pytest.mark.anyio
VIEW = job_card.CardContext(checked_at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC))


class ZebraSettings(ConnectionSettings):
    """Settings with one secret."""

    token: SecretStr


class Zebra(Provider[ZebraSettings]):
    """A minimal provider."""

    kind = "zebra"
    Settings: ClassVar[type[ConnectionSettings]] = ZebraSettings
    statuses: ClassVar[dict[str, Status]] = {"done": Status.SUCCEEDED}

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1:1")

    async def fetch_job(self, ref: JobRef) -> Job:
        if ref.id == "none":
            raise JobNotFound("No.")
        return Job(ref=ref, name=ref.id, status=self.status("done"), url="https://x.example/1")


ZEBRA = Zebra("stripes", ZebraSettings(token=SecretStr("hush")), ManualClock())
REF = JobRef(connection="stripes", id="1")


def test_incomplete_provider_cannot_be_instantiated() -> None:
    """The TypeError names the missing method."""
    with pytest.raises(TypeError, match="fetch_job"):
        Provider("x", ConnectionSettings(), ManualClock())  # type: ignore[abstract]


def test_native_status_is_mapped_and_a_new_one_is_unknown() -> None:
    """A new native status must not end a watch."""
    assert ZEBRA.status("done") is Status.SUCCEEDED
    assert ZEBRA.status("dreaming") is Status.UNKNOWN
    assert ZEBRA.status(None) is Status.UNKNOWN


async def test_fetch_jobs_calls_fetch_job_for_each_reference() -> None:
    """Each has its own job or error."""
    missing = JobRef(connection="stripes", id="none")
    results = await ZEBRA.fetch_jobs([REF, missing], {})
    assert isinstance(results[REF], Job)
    assert isinstance(results[missing], JobNotFound)


async def test_optional_methods_have_defaults() -> None:
    """No URLs, the default card and thread reply, and no simulator."""
    job = await ZEBRA.fetch_job(REF)
    change = Change(before=None, after=job, status_changed=True)
    assert list(ZEBRA.find_ids("https://x.example/1")) == []
    assert ZEBRA.console_url(job) == "https://x.example/1"
    assert ZEBRA.format_job(job, VIEW) == job_card.render_card(job, VIEW)
    assert ZEBRA.format_change(change, VIEW) == job_card.render_change(change, VIEW)
    assert Zebra.simulator(ManualClock()) is None
    assert (await ZEBRA.check()).startswith("http://127.0.0.1:1 is set")


def test_settings_reject_unknown_keys_and_hide_values() -> None:
    """Both are inherited from ConnectionSettings."""
    with pytest.raises(ValidationError) as caught:
        ZebraSettings.model_validate({"token": "sEcReT", "tokn": "sEcReT"})
    assert "tokn" in str(caught.value)
    assert "sEcReT" not in f"{caught.value}{ZEBRA.settings!r}"


def test_settings_cannot_be_changed() -> None:
    """They are frozen."""
    with pytest.raises(ValidationError):
        ZEBRA.settings.token = SecretStr("other")  # type: ignore[misc]


def test_simulator_is_set_explicitly_and_inherited() -> None:
    """It is a function of the plugin, set as a static method."""

    class Subclass(ServiceStage):
        """In another module."""

    assert Subclass.simulator(ManualClock()).samples
    assert Zebra.simulator(ManualClock()) is None
