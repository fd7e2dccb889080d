"""Base class of the Huawei Cloud providers: authentication, console URLs, connection check."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from bot.sdk import Endpoint, Job, JobNotFound, Provider, ProviderError
from plugins.huaweicloud import credentials, endpoints
from plugins.huaweicloud.settings import HuaweiCloudSettings

if TYPE_CHECKING:
    import httpx


SettingsT = TypeVar("SettingsT", bound=HuaweiCloudSettings)
T = TypeVar("T", bound=BaseModel)


class HuaweiCloudProvider(Provider[SettingsT]):
    """Provider for one service in one project, authenticated by the settings."""

    version: ClassVar[str]  # the first part of the service's paths, such as "v3"
    console: ClassVar[str]  # the service's name in console URLs

    @staticmethod
    @abstractmethod
    def map_error(response: httpx.Response, name: str) -> ProviderError | None:
        """Return the exception that an error response means, or None."""

    @abstractmethod
    async def _fetch_missing(self) -> object:
        """Fetch a job that does not exist."""

    def connect(self) -> Endpoint:
        """Return the service's endpoint with its authentication."""
        auth = credentials.auth(self.name, self.settings, self.clock)
        return Endpoint(self.settings.base_url, auth=auth)

    @property
    def _project_path(self) -> str:
        return f"/{self.version}/{self.settings.project_id}"

    async def _fetch(self, path: str, model: type[T], **options: Any) -> T:
        """GET a path below the project's."""
        explain = partial(self.map_error, name=self.name)
        return await self.http.get(
            f"{self._project_path}{path}", model, map_error=explain, **options
        )

    async def check(self) -> str:
        """Fetch a job that does not exist: "not found" proves address and credentials right."""
        with suppress(JobNotFound):
            await self._fetch_missing()
        return f"{self.title} answers at {self.settings.base_url}, and accepts the credentials."

    def console_url(self, job: Job) -> str | None:
        """Return the job's page by the setting `console_url`, else the service's console page."""
        if page := self.settings.console_url:
            return page.replace("{id}", quote(job.ref.id, safe="/"))
        return self._service_page

    @property
    def _service_page(self) -> str | None:
        """The service's page in the console."""
        return endpoints.console_page(self.console, self.settings.home_region)
