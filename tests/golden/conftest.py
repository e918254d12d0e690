"""The server for golden cases: one per worker, restarted after a case that ends it."""

from collections.abc import Iterator

import pytest

from tests.support.process import ServerProcess
from tests.support.resp import Address


@pytest.fixture(scope="session")
def worker_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Run a server process for all cases of a worker."""
    with ServerProcess(tmp_path_factory.mktemp("golden")) as server:
        yield server


@pytest.fixture
def golden_server(worker_server: ServerProcess) -> Iterator[Address]:
    """Yield the address of the server. A case that ends the server fails."""
    if not worker_server.is_running:
        worker_server.start()
    yield worker_server.address
    assert worker_server.is_running, f"the case ended the server:\n{worker_server.log()[-2000:]}"
