"""Fills the job's id into templates with {id}: URLs and JSON bodies. Pure."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

ID = "{id}"
ID_NUMBER = "{id:int}"  # in a body: the id as a JSON number


def fill_url(template: str, id_: str) -> str:
    """Return the URL of a job; slashes are kept, so only an id_pattern can exclude them."""
    return template.replace(ID, quote(id_, safe="/"))


def fill_body(template: Any, id_: str) -> Any:
    """Return the JSON body for a job; the id can only become a string or a number in it."""
    if isinstance(template, dict):
        return {key: fill_body(value, id_) for key, value in template.items()}
    if isinstance(template, list):
        return [fill_body(value, id_) for value in template]
    if template == ID_NUMBER and id_.isascii() and id_.isdecimal():
        return int(id_)
    return (
        template.replace(ID_NUMBER, id_).replace(ID, id_) if isinstance(template, str) else template
    )


def has_placeholder(template: Any) -> bool:
    """Return whether a body has a placeholder for the id."""
    return bool(fill_body(template, "") != template)


def origin(url: str) -> str:
    """Return a URL's scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def url_problem(url: str) -> str:
    """Return what is wrong with a URL template, with or without {id}; empty if nothing."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  it is checked when it is read
    except ValueError:
        return "it is not a web address"
    if parts.scheme not in ("https", "http") or not parts.hostname or any(map(str.isspace, url)):
        return "it must begin with https:// and have no spaces"
    if parts.username or parts.password:
        return "it must not hold a user or password: set auth"
    if url.count(ID) > 1 or ID in parts.netloc:
        return "{id} may stand once, behind the host"
    rest = url.replace(ID, "")
    return (
        "it has braces that are not {id}; write others as %7B and %7D"
        if set("{}") & set(rest)
        else ""
    )
