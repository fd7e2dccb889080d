"""A private CA is accepted with ca_file, and only with it."""

import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bot.sdk.errors import Unavailable
from bot.sdk.provider import Provider
from bot.sdk.testing import ManualClock, connected
from plugins.aicc_rpa import AiccRpa
from plugins.aicc_rpa.simulator import simulation as rpa
from plugins.nebula_explorer import NebulaExplorer
from plugins.nebula_explorer.simulator import simulation as explorer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate"),
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a self-signed certificate for 127.0.0.1; its key is beside it."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    options = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=made-up"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-out", str(path), "-keyout", str(path.with_suffix(".key"))]
    command = ["openssl", "req", *options.split(), *names, *files]
    subprocess.run(command, check=True, capture_output=True)
    return path


@pytest.fixture(params=[(AiccRpa, rpa), (NebulaExplorer, explorer)], ids=["rpa", "explorer"])
async def served(
    request: pytest.FixtureRequest, certificate: Path
) -> AsyncIterator[tuple[type[Provider], dict[str, object]]]:
    """Serve a simulator over TLS; return its provider and the settings that connect to it."""
    kind, simulation = request.param
    whole = simulation(ManualClock())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    runner = web.AppRunner(whole.app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield kind, whole.settings(f"https://127.0.0.1:{runner.addresses[0][1]}")
    await runner.cleanup()


async def test_private_ca_is_trusted_with_ca_file(served: tuple, certificate: Path) -> None:
    """The setting names its file."""
    kind, settings = served
    async with connected(kind, settings | {"ca_file": str(certificate)}, ManualClock()) as provider:
        assert await provider.check()


async def test_unknown_ca_is_not_trusted(served: tuple) -> None:
    """The secret must not reach an unverified server."""
    kind, settings = served
    async with connected(kind, settings, ManualClock()) as provider:
        with pytest.raises(Unavailable, match="cannot be reached"):
            await provider.check()
