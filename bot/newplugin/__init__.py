"""A plugin package to begin with: a provider that works, its simulator and its tests, as files."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

from bot.errors import JobthreadError

TEMPLATES = Path(__file__).parent / "template"
FILES = {  # where each template is written to, from the folder of the new package
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "$package/__init__.py": "provider.py.txt",
    "$package/simulator.py": "simulator.py.txt",
    "tests/test_contract.py": "test_contract.py.txt",
}
PREFIX = "jobthread-"  # of the distributions' names

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40


def write(name: str, folder: Path | None = None) -> Path:
    """Write a plugin for the job system of that name, and return its folder.

    Without a folder it is jobthread-NAME in the working directory. Raises JobthreadError.
    """
    words = _words(name.removeprefix(PREFIX))
    place = folder or Path(f"{PREFIX}{words['kind']}")
    try:
        _refuse_what_is_there(place)
        for path, template in FILES.items():
            target = place / Template(path).substitute(words)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = Template((TEMPLATES / template).read_text("utf-8")).substitute(words)
            target.write_text(text, "utf-8")
    except OSError as error:
        raise JobthreadError(f"{place} cannot be written ({type(error).__name__}).") from error
    return place


def _words(name: str) -> dict[str, str]:
    """Return what the templates leave open; raises JobthreadError if nothing can be called so."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise JobthreadError(
            f"{name!r} cannot be a plugin's name.",
            next_step="Use lower-case letters, digits and single dashes, a letter first, at most"
            f" {_LONGEST} in all, such as build-farm.",
        )
    parts = [part.capitalize() for part in name.split("-")]
    class_name = "".join(parts)
    if class_name in _taken():
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
        "version": _version(),
    }


def _taken() -> set[str]:
    """Return the names that the provider cannot have: those that its code uses already."""
    written = (TEMPLATES / FILES["$package/__init__.py"]).read_text("utf-8")
    used = set(re.findall(r"\b[A-Z]\w+", written))
    return used | {each.removesuffix("Settings") for each in used} | set(keyword.kwlist)


def _refuse_what_is_there(place: Path) -> None:
    if place.exists() and not (place.is_dir() and not any(place.iterdir())):
        raise JobthreadError(
            f"{place} is there already, and not empty.",
            next_step="Name another folder, or empty this one.",
        )


def _version() -> str:
    from importlib import metadata  # noqa: PLC0415  `--help` does not need it

    return ".".join(metadata.version("jobthread").split(".")[:2])
