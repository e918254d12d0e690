"""Servers for scenarios: each test has its own, with its own data."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import ServerProcess


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that runs and holds nothing."""
    with ServerProcess(tmp_path) as process:
        yield process
