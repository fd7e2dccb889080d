"""The provider contract: what comes for nothing when a provider says only what it must."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

import pytest
from pydantic import SecretStr, ValidationError

from bot.cards import cards
from bot.errors import JobNotFound
from bot.models import Change, Job, JobRef, Status
from bot.providers.provider import ConnectionSettings, Endpoint, Provider
from bot.testing import ManualClock
from plugins.servicestage import ServiceStage

pytestmark = pytest.mark.anyio
VIEW = cards.View(checked_at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC))


class ZebraSettings(ConnectionSettings):
    """One secret."""

    token: SecretStr


class Zebra(Provider[ZebraSettings]):
    """The smallest provider there can be."""

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


def test_a_class_that_lacks_what_it_must_say_cannot_be_made() -> None:
    """Python itself says what is missing."""
    with pytest.raises(TypeError, match="fetch_job"):
        Provider("x", ConnectionSettings(), ManualClock())  # type: ignore[abstract]


def test_a_word_of_the_providers_becomes_ours_and_a_new_one_is_no_error() -> None:
    """A vendor may invent words; a watch goes on."""
    assert ZEBRA.status("done") is Status.SUCCEEDED
    assert ZEBRA.status("dreaming") is Status.UNKNOWN
    assert ZEBRA.status(None) is Status.UNKNOWN


async def test_several_jobs_are_fetched_one_by_one_unless_the_provider_knows_better() -> None:
    """Each has its own answer."""
    none = JobRef(connection="stripes", id="none")
    found = await ZEBRA.fetch_jobs([REF, none], {})
    assert isinstance(found[REF], Job)
    assert isinstance(found[none], JobNotFound)


async def test_what_is_not_said_has_a_plain_answer() -> None:
    """No URL is recognised, the card is the plain one, and there is nothing to simulate."""
    job = await ZEBRA.fetch_job(REF)
    change = Change(before=None, after=job, status_changed=True)
    assert list(ZEBRA.recognise("https://x.example/1")) == []
    assert ZEBRA.console_url(job) == "https://x.example/1"
    assert ZEBRA.format_job(job, VIEW) == cards.job(job, VIEW)
    assert ZEBRA.format_change(change, VIEW) == cards.change(change, VIEW)
    assert Zebra.simulator(ManualClock()) is None
    assert (await ZEBRA.check()).startswith("http://127.0.0.1:1 is set")


def test_settings_refuse_strange_keys_and_hide_what_they_hold() -> None:
    """A plugin's author gets both without asking."""
    with pytest.raises(ValidationError) as caught:
        ZebraSettings.model_validate({"token": "sEcReT", "tokn": "sEcReT"})
    assert "tokn" in str(caught.value)
    assert "sEcReT" not in f"{caught.value}{ZEBRA.settings!r}"


def test_settings_cannot_be_changed() -> None:
    """A connection is what was configured."""
    with pytest.raises(ValidationError):
        ZEBRA.settings.token = SecretStr("other")  # type: ignore[misc]


def test_a_simulator_in_a_module_beside_the_provider_is_found() -> None:
    """By who inherits from the provider, too; a provider that has none says so."""

    class Ours(ServiceStage):
        """Elsewhere."""

    simulation = Ours.simulator(ManualClock())
    assert simulation is not None
    assert simulation.samples
    assert type(ZEBRA).simulator(ManualClock()) is None
