"""The pages docs/providers/*.md match the providers' code."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from bot.sdk.settings import secret_fields
from plugins.aicc_rpa import AiccRpa
from plugins.aicc_rpa import errors as aicc_rpa_errors
from plugins.aicc_rpa import translator as aicc_rpa_translator
from plugins.aom import Aom
from plugins.aom import errors as aom_errors
from plugins.aom import translator as aom_translator
from plugins.cph import Cph
from plugins.cph import errors as cph_errors
from plugins.cph import translator as cph_translator
from plugins.http import HttpJobs
from plugins.nebula_explorer import NebulaExplorer
from plugins.nebula_explorer import errors as nebula_errors
from plugins.nebula_explorer import translator as nebula_translator
from plugins.servicestage import ServiceStage
from plugins.servicestage import translator as servicestage_translator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.sdk.provider import Provider

PAGES = Path(__file__).parents[2] / "docs/providers"


class Page(NamedTuple):
    """A provider's page, and what must be on it."""

    provider: type[Provider[Any]]
    statuses: Iterable[str]
    error_codes: Iterable[object] = ()
    secret: str = "secret_key"
    missing_files: tuple[str, ...] = ()  # settings of the example whose file must exist

    @property
    def text(self) -> str:
        """The page."""
        return (PAGES / f"{self.provider.kind}.md").read_text("utf-8")

    def missing(self, *wanted: str) -> list[str]:
        """Return the texts that are not on the page."""
        return [each for each in wanted if each not in self.text]


HUAWEI_CLOUD = [
    Page(Aom, aom_translator.STATUSES, aom_errors._ERRORS_BY_CODE),
    Page(Cph, cph_translator.STATUSES, cph_errors._ERRORS_BY_CODE),
    Page(ServiceStage, servicestage_translator.STATUSES),
]
SELF_HOSTED = [
    Page(
        AiccRpa,
        aicc_rpa_translator.STATUSES,
        aicc_rpa_errors.ERRORS_BY_CODE,
        "app_secret",
        ("ca_file",),
    ),
    Page(
        NebulaExplorer,
        nebula_translator.STATUS_NAMES.values(),
        nebula_errors.ERRORS_BY_CODE,
        "password",
    ),
]


def by_kind(pages: list[Page]) -> pytest.MarkDecorator:
    """Run a test for each of these pages."""
    ids = [page.provider.kind for page in pages]
    return pytest.mark.parametrize("page", pages, ids=ids)


@by_kind([*HUAWEI_CLOUD, *SELF_HOSTED, Page(HttpJobs, ())])
def test_every_setting_is_documented(page: Page) -> None:
    """The plugin can be set up without reading the code."""
    assert page.missing(*(f"`{name}`" for name in page.provider.Settings.model_fields)) == []


@by_kind([*HUAWEI_CLOUD, *SELF_HOSTED])
def test_every_status_is_documented(page: Page) -> None:
    """The status table is complete."""
    assert page.missing(*(f"`{word}`" for word in page.statuses)) == []


def test_every_status_number_of_explorer_is_documented() -> None:
    """The API responds with numbers."""
    rows = (f"| {code} | `{word}` |" for code, word in nebula_translator.STATUS_NAMES.items())
    assert SELF_HOSTED[1].missing(*rows) == []


@by_kind(HUAWEI_CLOUD[:2])
def test_every_own_error_code_is_documented(page: Page) -> None:
    """Each code in an error sentence can be looked up; the page may omit the service's prefix."""
    codes = [code for code in map(str, page.error_codes) if code.startswith(("AOM.", "CPS."))]
    assert codes
    unknown = page.missing(*codes)
    assert page.missing(*(f"`.{code.partition('.')[2]}`" for code in unknown)) == []


@by_kind(SELF_HOSTED)
def test_every_error_number_is_documented(page: Page) -> None:
    """Each code in the log can be looked up."""
    assert page.missing(*map(str, page.error_codes)) == []


@by_kind([*HUAWEI_CLOUD, *SELF_HOSTED])
def test_example_lacks_nothing_but_its_secret(page: Page) -> None:
    """A copied example works, once its files exist."""
    (example,) = _first_example(page.text).values()
    assert example.pop("provider") == page.provider.kind
    assert page.secret in secret_fields(page.provider.Settings)
    assert all(example.pop(name) for name in page.missing_files)
    assert page.provider.Settings(**example | {page.secret: "made-up"})


@by_kind(SELF_HOSTED)
def test_self_hosted_provider_has_one_secret(page: Page) -> None:
    """No other setting is hidden, and this one is."""
    assert secret_fields(page.provider.Settings) == (page.secret,)


def _first_example(text: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]]
    found = tomllib.loads(text.split("```toml\n")[1].split("```", maxsplit=1)[0])["connections"]
    return found
