"""Selects the proxy for a URL from HTTPS_PROXY, HTTP_PROXY and NO_PROXY; none for loopback.

slack_sdk uses HTTPS_PROXY for every URL and ignores NO_PROXY.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass


def proxy_for(url: str) -> str | None:
    """Return the proxy for a URL, or None for loopback and hosts in NO_PROXY."""
    host = urlsplit(url).hostname or ""
    proxies = getproxies_environment()
    if _is_loopback(host) or proxy_bypass(host):
        return None
    return proxies.get("https") or proxies.get("http")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False  # a host name
