"""Addresses of Huawei Cloud's services and consoles."""

from __future__ import annotations

import re

CONSOLE = "https://console.huaweicloud.com"
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]+")  # cn-north-4, my-kualalumpur-1, eu-west-101

_HOST = re.compile(rf"https://[a-z]+\.({REGION.pattern})\.myhuaweicloud\.(?:com|eu)(?::443)?")


def service_url(service: str, region: str) -> str:
    """Return a service's address in a region; the European cloud has its own domain.

    Source: the region files of the official SDK, and `provider.go` of the Terraform provider.
    """
    domain = "myhuaweicloud.eu" if region.startswith("eu-") else "myhuaweicloud.com"
    return f"https://{service}.{region}.{domain}"


def region_of(url: str) -> str:
    """Return the region in a service's address, or ""."""
    found = _HOST.fullmatch(url)
    return found.group(1) if found else ""


def console_page(service: str, region: str) -> str | None:
    """Return a service's console page; None for Europe, whose console address is undocumented."""
    if not region or region.startswith("eu-"):
        return None
    return f"{CONSOLE}/{service}/?region={region}"
