"""The server that golden cases run against: one per worker, started again when a case ends it."""

from collections.abc import Iterator

import pytest

from tests.support.process import ServerProcess
from tests.support.resp import Address


@pytest.fixture(scope="session")
def worker_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server process for all cases of a worker."""
    with ServerProcess(tmp_path_factory.mktemp("golden")) as server:
        yield server


@pytest.fixture
def golden_server(worker_server: ServerProcess) -> Iterator[Address]:
    """The address of a server that runs; a case that ends it fails, the next gets a new one."""
    if not worker_server.is_running:
        worker_server.start()
    yield worker_server.address
    assert worker_server.is_running, f"the case ended the server:\n{worker_server.log()[-2000:]}"
