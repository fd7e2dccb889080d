"""What the providers of Huawei Cloud's services share: who asks, the console, and the check."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from bot.errors import JobNotFound, ProviderError
from bot.providers.provider import Endpoint, Provider
from plugins.huaweicloud import credentials, hosts
from plugins.huaweicloud.settings import HuaweiCloudSettings

if TYPE_CHECKING:
    import httpx

    from bot.models import Job

SettingsT = TypeVar("SettingsT", bound=HuaweiCloudSettings)
T = TypeVar("T", bound=BaseModel)


class HuaweiCloudProvider(Provider[SettingsT]):
    """A provider whose calls go to one service, in one project, signed in as the settings say."""

    version: ClassVar[str]  # "v3": the first part of the service's paths
    console: ClassVar[str]  # the service's word in the console's URLs

    @staticmethod
    @abstractmethod
    def explain(response: httpx.Response, name: str) -> ProviderError | None:
        """Return the error that an answer of the service means, if it says one."""

    @abstractmethod
    async def _ask_for_nobodys(self) -> object:
        """Ask for a job that nobody has."""

    def connect(self) -> Endpoint:
        """Return how the service is reached, signed in as the settings say."""
        auth = credentials.auth(self.name, self.settings, self.clock)
        return Endpoint(self.settings.base_url, auth=auth)

    @property
    def _project(self) -> str:
        return f"/{self.version}/{self.settings.project_id}"

    async def _ask(self, path: str, model: type[T], **options: Any) -> T:
        """GET a path below the project's."""
        explain = partial(self.explain, name=self.name)
        return await self.http.get(f"{self._project}{path}", model, explain=explain, **options)

    async def check(self) -> str:
        """Ask for a job that nobody has: that it is not found proves that the rest is right."""
        with suppress(JobNotFound):
            await self._ask_for_nobodys()
        return f"{self.title} answers at {self.settings.base_url}, and accepts the credentials."

    def console_url(self, job: Job) -> str | None:
        """Return the page of `console_url`, or else the service's own in the console."""
        if page := self.settings.console_url:
            return page.replace("{id}", quote(job.ref.id, safe="/"))
        return self._home

    @property
    def _home(self) -> str | None:
        """The service's own page in the console."""
        return hosts.console_page(self.console, self.settings.home_region)
