"""What every test may lean on: one event loop's flavour."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Slack's SDK is asyncio only, so that is what the tests run on."""
    return "asyncio"
