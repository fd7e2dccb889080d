"""Suite of the errors that all providers of Huawei Cloud handle alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from bot.sdk.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    ProviderError,
    RateLimited,
)
from bot.sdk.testing import Fault
from tests.plugins.fixtures import ref

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.sdk.provider import Provider

RecordedError = tuple[int, str, type[ProviderError]]  # HTTP status, file, exception
CheckError = tuple[int, Any, type[ProviderError]]  # HTTP status, body, exception

RECORDED_GATEWAY_ERRORS: tuple[RecordedError, ...] = (
    (429, "error_busy", RateLimited),
    (401, "error_token", CredentialsRefused),
    (401, "error_signature", CredentialsRefused),
    (404, "error_no_api", AnswerNotUnderstood),
)
GATEWAY_CHECK_ERRORS: tuple[CheckError, ...] = (
    (401, {"error_code": "APIGW.0301"}, CredentialsRefused),
    (403, {"error_code": "APIGW.0302"}, AccessDenied),
    (404, "<html>", AnswerNotUnderstood),
    (404, {"error_code": "APIGW.0101"}, AnswerNotUnderstood),
)


@pytest.mark.anyio
class HuaweiCloudErrorSuite:
    """A subclass sets the attributes; its folder has the fixtures `simulator` and `provider`."""

    job_id: ClassVar[str]
    data: ClassVar[Path]  # folder of the recorded errors
    recorded_errors: ClassVar[Sequence[RecordedError]]  # besides the gateway's
    check_errors: ClassVar[Sequence[CheckError]] = ()  # besides the gateway's

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test for each error."""
        if "recorded_error" in metafunc.fixturenames:
            recorded = [*RECORDED_GATEWAY_ERRORS, *self.recorded_errors]
            metafunc.parametrize("recorded_error", recorded, ids=lambda error: error[1])
        if "check_error" in metafunc.fixturenames:
            metafunc.parametrize("check_error", [*GATEWAY_CHECK_ERRORS, *self.check_errors])

    def recorded(self, name: str) -> str:
        """Return the body of a recorded error."""
        return (self.data / f"{name}.json").read_text()

    async def test_recorded_error_maps_to_an_exception(
        self, provider: Provider[Any], simulator: Any, recorded_error: RecordedError
    ) -> None:
        """The exception is the one that fits the code; the HTTP status may be misleading."""
        status, name, kind = recorded_error
        simulator.faults.plan(Fault(status, self.recorded(name)))
        with pytest.raises(kind):
            await provider.fetch_job(ref(self.job_id))

    async def test_throttling_wait_is_read_from_the_message(
        self, provider: Provider[Any], simulator: Any
    ) -> None:
        """The gateway states its window: 200 calls in 5 minutes."""
        simulator.faults.plan(Fault(429, self.recorded("error_busy")))
        with pytest.raises(RateLimited) as caught:
            await provider.fetch_job(ref(self.job_id))
        assert caught.value.retry_after == 300

    async def test_rejected_key_is_used_only_once(
        self, provider: Provider[Any], simulator: Any
    ) -> None:
        """Five rejections lock it."""
        simulator.faults.plan(Fault(401, self.recorded("error_signature")), times=None)
        for _ in range(5):
            with pytest.raises(CredentialsRefused, match="not asked again before"):
                await provider.fetch_job(ref(self.job_id))
        assert len(simulator.calls) == 1

    async def test_foreign_404_is_not_a_missing_job(
        self, provider: Provider[Any], simulator: Any
    ) -> None:
        """A wrong endpoint must not look like a wrong id."""
        simulator.faults.plan(Fault(404, "<html>nginx</html>"))
        with pytest.raises(AnswerNotUnderstood, match="region and endpoint"):
            await provider.fetch_job(ref(self.job_id))

    async def test_check_error_names_the_fix(
        self, provider: Provider[Any], simulator: Any, check_error: CheckError
    ) -> None:
        """The sentence says what to do."""
        status, body, kind = check_error
        simulator.faults.plan(Fault(status, body))
        with pytest.raises(kind) as caught:
            await provider.check()
        assert caught.value.advice
