"""Which proxy leads to Slack, as the environment says; the way within this machine needs none.

Slack's SDK takes HTTPS_PROXY for every address and does not know NO_PROXY.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass


def proxy_for(url: str) -> str | None:
    """Return the proxy for an address: HTTPS_PROXY's or HTTP_PROXY's, unless NO_PROXY names it."""
    host = urlsplit(url).hostname or ""
    named = getproxies_environment()
    if _is_here(host) or proxy_bypass(host):
        return None
    return named.get("https") or named.get("http")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False  # a name
