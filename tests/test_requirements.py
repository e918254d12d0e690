"""The locks in requirements/ hold what pyproject.toml asks for, and nothing that isn't proven."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.process import ROOT

# Of each lock, the extras and the dependency groups that it covers besides the base installation.
LOCKS = {
    "run": (["demo"], ["build"]),
    "image": (["hooks"], []),
    "dev": (["demo", "hooks"], ["build", "bench", "tools"]),
}


def pinned(name: str) -> dict[str, Requirement]:
    """What a lock installs in this environment, by name."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    lines = re.findall(r"^[a-z].*?(?=\s*\\?$)", text, re.MULTILINE)
    found = map(Requirement, lines)
    return {
        canonicalize_name(each.name): each
        for each in found
        if each.marker is None or each.marker.evaluate()
    }


def asked(extras: list[str], groups: list[str]) -> Iterator[Requirement]:
    """What pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    optional = project["project"]["optional-dependencies"]
    lines = list(project["project"]["dependencies"])
    for extra in extras:
        lines += optional[extra]
    for group in groups:
        lines += project["dependency-groups"][group]
    for line in lines:
        requirement = Requirement(line)
        if requirement.name == "tile38py":
            yield from asked(sorted(requirement.extras), [])
        elif requirement.marker is None or requirement.marker.evaluate():
            yield requirement


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_a_fitting_version_of_everything(name: str) -> None:
    """Run `make lock UPGRADE=` when it doesn't."""
    versions = pinned(name)
    for requirement in asked(*LOCKS[name]):
        [pin] = versions[canonicalize_name(requirement.name)].specifier
        assert requirement.specifier.contains(pin.version), requirement


@pytest.mark.parametrize("name", LOCKS)
def test_the_server_runs_on_the_versions_that_were_tested(name: str) -> None:
    tested = pinned("dev")
    assert {each: str(pin.specifier) for each, pin in pinned(name).items()}.items() <= {
        each: str(pin.specifier) for each, pin in tested.items()
    }.items()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "requirements").iterdir()), ids=lambda path: path.stem
)
def test_a_lock_has_a_hash_for_each_pin_and_names_no_registry(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=[a-z])", text)[1:]
    assert entries
    assert all(" --hash=sha256:" in entry for entry in entries)
