"""A disk that is full: writes are refused, reads go on, nothing acknowledged is lost.

A limit on the size of files stands in for the disk: it needs no rights and can be lifted.
"""

import resource
from pathlib import Path

from tests.support.process import ServerProcess
from tests.support.waiting import wait_until
from tests.support.writers import RecordingWriter, WriterThreads

FIRST_BYTES = 200_000  # more than the server reports, whose file has the same limit
ROOM_BYTES = 20_000
EVERYTHING = ("SCAN", "writer", "LIMIT", 1_000_000)


def limit_files(server: ServerProcess, size: int) -> None:
    _, hard = resource.prlimit(server.process_id, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process_id, resource.RLIMIT_FSIZE, (size, hard))


def is_writable(server: ServerProcess) -> bool:
    return server.call("SET", "other", "b", "POINT", 1, 2) == "+OK"


def test_a_full_disk_refuses_writes_and_loses_nothing(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        log = server.data / "appendonly.aof"
        assert server.call("SET", "big", "a", "STRING", "x" * FIRST_BYTES) == "+OK"
        limit_files(server, log.stat().st_size + ROOM_BYTES)

        writer = RecordingWriter("writer")
        with WriterThreads(server, [writer]):
            pass  # it writes until it is refused or cut off
        assert 0 < writer.acknowledged < ROOM_BYTES / 50
        assert str(server.call("SET", "other", "a", "POINT", 1, 2)).startswith("-")
        assert server.call("STATS", "writer") != [None]
        assert server.call("PING") == "+PONG"

        limit_files(server, resource.RLIM_INFINITY)
        wait_until(lambda: is_writable(server), what="writes after room was made")
        live = server.call(*EVERYTHING)
        server.kill()
        server.start()
        assert server.call(*EVERYTHING) == live
        with server.connect() as connection:
            assert not writer.missing(connection)
