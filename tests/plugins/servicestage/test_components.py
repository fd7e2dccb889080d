"""A component's reference resolves to its newest job."""

from typing import Any

import pytest

from bot.providers.connections import Connection
from bot.sdk.errors import AnswerNotUnderstood, JobNotFound
from bot.sdk.models import Job, JobRef
from bot.sdk.provider import Provider
from bot.sdk.testing import Fault, ManualClock, connected, serve
from plugins.servicestage import ServiceStage
from plugins.servicestage.components import MAX_CACHED, RecordPayload, deployment_details
from plugins.servicestage.samples import COMPONENT, DEPLOYMENTS, SAMPLES
from plugins.servicestage.simulator import SIMULATOR, Simulator, simulation
from tests.plugins.fixtures import ref, simulated_fixtures

pytestmark = pytest.mark.anyio

COMPONENT = COMPONENT.id
APPLICATION_ID, COMPONENT_ID = COMPONENT.split("/")
JOB = SAMPLES[0].job.id
PROJECT = "0123456789abcdef0123456789abcdef"
HOST = "https://servicestage.cn-north-4.myhuaweicloud.com"
CONSOLE = "https://console"
ROUTE = f"{APPLICATION_ID}/component/{COMPONENT_ID}"
DEPLOYED = {"Deployed version": "2.14.0", "Deploy type": "rolling_upgrade"}


REF = ref(COMPONENT)

simulated, simulator, servicestage = simulated_fixtures(ServiceStage, simulation, SIMULATOR)


def job_details(job: Job) -> dict[str, str]:
    return {detail.label: detail.value for detail in job.details}


def build_provider(region: str = "cn-north-4") -> ServiceStage:
    settings = ServiceStage.Settings(
        region=region,  # type: ignore[call-arg]
        project_id=PROJECT,
        access_key="AK",
        secret_key="made-up",
    )
    return ServiceStage("deploys", settings, ManualClock())  # type: ignore[arg-type]


async def test_component_resolves_to_its_newest_job(
    servicestage: Provider[Any],
) -> None:
    """The job keeps its own id, so later jobs of the component do not replace it."""
    job = await Connection(servicestage).fetch(REF.replace(connection=servicestage.name))
    assert isinstance(job, Job)
    assert job.ref == JobRef(connection=servicestage.name, id=JOB)
    assert job_details(job) == DEPLOYED


async def test_deployment_is_kept_on_later_polls(
    servicestage: Provider[Any], simulator: Simulator
) -> None:
    """Later polls show it without another request."""
    assert job_details(await servicestage.fetch_job(ref(JOB))) == {}
    await servicestage.fetch_job(REF)
    calls = len(simulator.calls)
    assert job_details(await servicestage.fetch_job(ref(JOB))) == DEPLOYED
    assert len(simulator.calls) == calls + 1


async def test_cached_deployments_are_bounded(
    servicestage: Provider[Any],
) -> None:
    """The newest are kept."""
    cached = servicestage._components.deployments  # type: ignore[attr-defined]
    cached.update({f"JOB{n}": () for n in range(MAX_CACHED)})
    await servicestage.fetch_job(REF)
    assert (len(cached), "JOB0" in cached, JOB in cached) == (MAX_CACHED, False, True)


@pytest.mark.parametrize(
    "fault", [Fault(500), Fault(403), Fault(200, "<h1>"), Fault(200, {"records": None})]
)
async def test_unavailable_records_do_not_hide_the_job(
    servicestage: Provider[Any], simulator: Simulator, fault: Fault
) -> None:
    """The history may need permissions that the account lacks."""
    answer = {"status": {"last_job_id": JOB}}
    for each in (Fault(200, answer), fault):
        simulator.faults.plan(each)
    job = await servicestage.fetch_job(REF)
    assert (job.ref.id, job.details) == (JOB, ())


async def test_missing_component_is_named_as_such(
    servicestage: Provider[Any],
) -> None:
    """The user must correct the component's id, not a job's."""
    with pytest.raises(JobNotFound, match="knows no such component"):
        await servicestage.fetch_job(ref(f"{COMPONENT_ID}/{APPLICATION_ID}"))


async def test_component_without_a_job_is_named_as_such(
    servicestage: Provider[Any], simulator: Simulator
) -> None:
    """The id is right, but there is nothing to follow."""
    simulator.add_component(COMPONENT, "")
    with pytest.raises(JobNotFound, match="has had no job"):
        await servicestage.fetch_job(REF)


@pytest.mark.parametrize("id_", ["../secrets", "a b", "J" * 201])
async def test_unusable_job_id_is_not_requested(
    servicestage: Provider[Any], simulator: Simulator, id_: str
) -> None:
    """An id from a response is not trusted in a path."""
    simulator.add_component(COMPONENT, id_)
    with pytest.raises(AnswerNotUnderstood):
        await servicestage.fetch_job(REF)


async def test_component_of_another_project_is_not_found(simulator: Simulator) -> None:
    """The simulator accepts one project only."""
    keys = simulator.gateway.tenant.key_settings() | {"project_id": "f" * 32}
    async with (
        serve(simulator.app) as url,
        connected(ServiceStage, {"endpoint": url, **keys}, ManualClock()) as provider,
    ):
        with pytest.raises(JobNotFound):
            await provider.fetch_job(REF)
        assert await provider._components.fetch_deployment(COMPONENT, JOB) == ()  # type: ignore[attr-defined]


def test_deployment_is_the_jobs_own_or_the_newest() -> None:
    """The API documents no order of its records."""
    old, new = ({**DEPLOYMENTS[1], "begin_time": f"202{n}-01-01T00:00:00Z"} for n in (4, 5))
    records = [RecordPayload.model_validate(each) for each in (old, new | {"version": "3"})]
    assert [detail.value for detail in deployment_details(records, "JOB1")] == ["3", "install"]
    own = RecordPayload.model_validate(DEPLOYMENTS[0])
    assert deployment_details([*records, own], JOB)[0].value == "2.14.0"
    assert deployment_details([], JOB) == ()


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (COMPONENT, True),
        (f"{'a' * 32}/{'B' * 32}", True),
        (JOB, True),
        (APPLICATION_ID, False),
        (f"{COMPONENT}/{COMPONENT_ID}", False),
        (f"{APPLICATION_ID}/..", False),
    ],
)
def test_component_needs_the_connections_name(text: str, fits: bool) -> None:  # noqa: FBT001
    """Other systems have such ids, so a bare one is not recognised."""
    assert ServiceStage.id_format.named is not None
    assert bool(ServiceStage.id_format.named.fullmatch(text)) is fits
    assert not ServiceStage.id_format.pattern.fullmatch(COMPONENT)


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}/v3/{PROJECT}/cas/applications/{APPLICATION_ID}/components/{COMPONENT_ID}",
        f"{HOST}/v3/{PROJECT}/cas/applications/{APPLICATION_ID}/components/{COMPONENT_ID}/records",
        f"{CONSOLE}.huaweicloud.com/servicestage/?region=cn-north-4#/application/{ROUTE}/overview",
        f"{CONSOLE}-intl.huaweicloud.com/servicestage/?a=1&amp;region=cn-north-4#/application/{ROUTE}",
    ],
)
def test_component_urls_are_recognised(url: str) -> None:
    """Users paste them from the browser."""
    for text in (url, f"see <{url}|this>"):
        assert list(build_provider().find_ids(text)) == [COMPONENT]
        assert not list(build_provider(region="cn-east-3").find_ids(text))


def test_other_console_urls_are_not_components() -> None:
    """A page without a region or without both ids is ignored."""
    console = "https://console.huaweicloud.com/servicestage/"
    route = f"#/application/{APPLICATION_ID}/component/{COMPONENT_ID}"
    for url in (f"{console}{route}", f"{console}?region=cn-north-4#/application/{APPLICATION_ID}"):
        assert not list(build_provider().find_ids(url))
    assert not list(
        build_provider().find_ids(f"https://example.com/servicestage/?region=cn-north-4{route}")
    )
