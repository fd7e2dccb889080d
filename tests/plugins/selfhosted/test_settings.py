"""Settings shared by self-hosted systems."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from plugins.selfhosted.settings import SelfHostedSettings

URL = "https://10.0.3.17:8443"


@pytest.mark.parametrize("url", [URL, f"{URL}/", "http://[::1]:7002", "https://a.example.com/x"])
def test_url_may_have_a_port_and_a_path(url: str) -> None:
    """A trailing slash is removed."""
    assert SelfHostedSettings(url=url).url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "10.0.3.17:8443",
        "ftp://10.0.3.17",
        "https://",
        "https://user:made-up@10.0.3.17",
        "https://10.0.3.17:99999",
        "https://10.0.3.17?x=1",
        "https://10.0.3.17#x",
    ],
)
def test_invalid_url_is_rejected(url: str) -> None:
    """Credentials in a URL would appear in sentences."""
    with pytest.raises(ValidationError, match="url must be an address") as caught:
        SelfHostedSettings(url=url)
    assert "made-up" not in str(caught.value)


@pytest.mark.parametrize("content", [None, "no certificate", ""])
def test_ca_file_must_hold_certificates(tmp_path: Path, content: str | None) -> None:
    """The problem is reported at start-up, not at the first call."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValidationError, match="ca_file must be a PEM file"):
        SelfHostedSettings(url=URL, ca_file=str(path))


@pytest.mark.parametrize("page", ["explorer.example.com/{id}", "https://x/{id}/{id}"])
def test_console_url_must_be_one_template(page: str) -> None:
    """The problem is reported at start-up."""
    with pytest.raises(ValidationError, match="console_url must begin"):
        SelfHostedSettings(url=URL, console_url=page)


def test_job_url_quotes_the_id() -> None:
    """Any id is safe in it."""
    settings = SelfHostedSettings(url=URL, console_url="https://x.example.com/?job={id}")
    assert settings.job_url("a b/c") == "https://x.example.com/?job=a%20b%2Fc"
    assert SelfHostedSettings(url=URL).job_url("1") is None
