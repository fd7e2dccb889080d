"""The locked versions in requirements/ against pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

if TYPE_CHECKING:
    from pathlib import Path

LOCKS = ("demo", "dev", "lowest", "serve")


@pytest.fixture(scope="module")
def direct(root: Path) -> list[Requirement]:
    """The dependencies that pyproject.toml names."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    names = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    return [Requirement(name) for name in names]


def pins(root: Path, lock: str) -> dict[str, tuple[Version, int]]:
    """Return the version and the number of hashes of each package."""
    text = (root / f"requirements/{lock}.txt").read_text("utf-8")
    packages = re.findall(r"^([a-z0-9-]+)==(\S+)(.*(?:\n    --hash=.*)+)", text, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^[^\s#]", text, re.MULTILINE))
    return {name: (Version(pin), rest.count("--hash")) for name, pin, rest in packages}


def bounds(requirement: Requirement) -> list[Version]:
    return [Version(each.version) for each in requirement.specifier if each.operator == ">="]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_and_hashes_every_package(root: Path, lock: str) -> None:
    """pip rejects a package that was replaced in a registry."""
    assert all(hashes for _, hashes in pins(root, lock).values())


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_registry(root: Path, lock: str) -> None:
    """It installs from the registry that the machine is set up for."""
    text = (root / f"requirements/{lock}.txt").read_text("utf-8")
    assert re.findall(r"://|--[a-z-]*(?:index|find-links|host)", text) == []


def test_dev_lock_satisfies_each_requirement(root: Path, direct: list[Requirement]) -> None:
    """After a change of pyproject.toml, `make lock` is due."""
    locked = pins(root, "dev")
    for requirement in direct:
        assert requirement.specifier.contains(locked[requirement.name][0]), requirement


def test_lowest_lock_pins_each_lower_bound(root: Path, direct: list[Requirement]) -> None:
    """`make test-lowest` tests the bounds, not something near them."""
    locked = pins(root, "lowest")
    for requirement in direct:
        for bound in bounds(requirement):
            assert locked[requirement.name][0] == bound, requirement
