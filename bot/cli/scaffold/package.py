"""Writes a plugin package from templates: a working provider, its simulator and tests."""

from __future__ import annotations

import keyword
import re
from importlib import metadata
from pathlib import Path
from string import Template

from bot.sdk.errors import JobthreadError

TEMPLATES = Path(__file__).parent / "template"
FILES = {  # target path in the new package → template
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "$package/__init__.py": "provider.py.txt",
    "$package/simulator.py": "simulator.py.txt",
    "tests/test_contract.py": "test_contract.py.txt",
}
PREFIX = "jobthread-"  # of distribution names

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_LENGTH = 40


def write(name: str, folder: Path | None = None) -> Path:
    """Write a plugin for the job system of this name and return its folder.

    The default folder is jobthread-NAME in the working directory. Raises JobthreadError.
    """
    variables = _variables(name.removeprefix(PREFIX))
    package_folder = folder or Path(f"{PREFIX}{variables['kind']}")
    try:
        _require_empty(package_folder)
        for path, template in FILES.items():
            target = package_folder / Template(path).substitute(variables)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = Template((TEMPLATES / template).read_text("utf-8")).substitute(variables)
            target.write_text(text, "utf-8")
    except OSError as error:
        reason = type(error).__name__
        raise JobthreadError(f"{package_folder} cannot be written ({reason}).") from error
    return package_folder


def _variables(name: str) -> dict[str, str]:
    """Return the variables of the templates; raises JobthreadError if the name is invalid."""
    if not _NAME.fullmatch(name) or len(name) > _MAX_LENGTH:
        raise JobthreadError(
            f"{name!r} cannot be a plugin's name.",
            next_step="Use lower-case letters, digits and single dashes, a letter first, at most"
            f" {_MAX_LENGTH} in all, such as build-farm.",
        )
    parts = [part.capitalize() for part in name.split("-")]
    class_name = "".join(parts)
    if class_name in _used_class_names():
        raise JobthreadError(
            f"{name!r} would be confused with {class_name} in the code.",
            next_step="Take the name of the job system, such as build-farm.",
        )
    return {
        "kind": name,
        "title": " ".join(parts),
        "name": class_name,
        "package": f"jobthread_{name.replace('-', '_')}",
        "variable": name.upper(),
        "version": _minor_version(),
    }


def _used_class_names() -> set[str]:
    """Return the class names that the provider's template uses, so the provider cannot."""
    source = (TEMPLATES / FILES["$package/__init__.py"]).read_text("utf-8")
    used = set(re.findall(r"\b[A-Z]\w+", source))
    return used | {each.removesuffix("Settings") for each in used} | set(keyword.kwlist)


def _require_empty(folder: Path) -> None:
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise JobthreadError(
            f"{folder} is there already, and not empty.",
            next_step="Name another folder, or empty this one.",
        )


def _minor_version() -> str:
    return ".".join(metadata.version("jobthread").split(".")[:2])
