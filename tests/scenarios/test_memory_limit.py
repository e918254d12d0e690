"""A server in a cgroup with a memory limit, as in a container: the kernel never kills it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.memory_limit import MemoryCgroup, memory_cgroup
from tests.support.process import ServerProcess
from tests.support.resp import Connection
from tests.support.waiting import wait_until
from tile38py.limits import MIB

LIMIT = 128 * MIB
LOW_LIMIT = 72 * MIB
BATCH_COUNT = 1000
OBJECT_BYTES_MIN = 50  # fewer than an object takes: the flood has to end before that many
OOM = "-OOM command not allowed when used memory > 'maxmemory'"


@pytest.fixture
def cgroup() -> Iterator[MemoryCgroup]:
    """A cgroup of a server's own."""
    try:
        with memory_cgroup() as made:
            yield made
    except PermissionError as error:
        pytest.skip(f"only root can make a cgroup: {error}")


def flood(connection: Connection) -> int:
    """Set new objects until one is refused; how many were stored."""
    for start in range(0, LIMIT // OBJECT_BYTES_MIN, BATCH_COUNT):
        numbers = range(start, start + BATCH_COUNT)
        replies = connection.call_many(
            [("SET", "fleet", f"truck{number:09d}", "POINT", 33, -115) for number in numbers]
        )
        if OOM in replies:
            assert set(replies) <= {"+OK", OOM}
            return start + replies.count("+OK")
    pytest.fail("no write was refused")


@pytest.mark.slow
def test_a_flood_of_writes_ends_in_errors_and_a_log_that_does_not_fit_in_a_sentence(
    tmp_path: Path, cgroup: MemoryCgroup
) -> None:
    cgroup.limit(LIMIT)
    with ServerProcess(tmp_path, before_exec=cgroup.enter) as server:
        assert server.call("CONFIG", "GET", "maxmemory") == ["$ maxmemory", "$ 76mb"]
        assert "60% of this container's memory limit, 128mb" in server.log()
        with server.connect() as connection:
            stored = flood(connection)
            assert connection.call("DEL", "fleet", "truck000000000") == ":1"
        wait_until(lambda: "Writes are refused: the data takes" in server.log(), what="a line")
        assert server.stop() == 0
        server.start()
        assert f"$ {stored - 1}" in str(server.call("STATS", "fleet"))
        assert server.stop() == 0

        cgroup.limit(LOW_LIMIT)
        server.launch()
        assert server.wait() == 1
        assert "the log needs more memory than there is: the first" in server.log()
        assert "and the limit of this container is 72 MB" in server.log()
