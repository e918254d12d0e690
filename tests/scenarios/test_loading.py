"""Commands that are accepted while a long log is loading."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.fakes import command
from tests.support.pair import wait_until_equal
from tests.support.process import ServerProcess
from tests.support.waiting import wait_until

OBJECT_COUNT = 400_000  # loading them takes much longer than connecting, with any build
LOADING = "-LOADING Tile38 is loading the dataset in memory"


def write_log(folder: Path) -> bytes:
    """Write a long log with an incomplete last command. Return its complete commands."""
    sets = [
        command(b"SET", b"k", b"%d" % number, b"POINT", b"%d" % (number % 80), b"1")
        for number in range(OBJECT_COUNT)
    ]
    log = b"".join(sets)
    data = folder / "data"
    data.mkdir(parents=True)
    (data / "appendonly.aof").write_bytes(log + sets[0][:-4])
    return log


@contextmanager
def loading_server(folder: Path, *options: str) -> Iterator[ServerProcess]:
    """A server that is loading its log."""
    server = ServerProcess(folder, options)
    server.launch()
    try:
        server.port = int(wait_until(server.ready_port))
        yield server
    finally:
        server.kill()


def test_flushdb_skips_the_rest_of_the_log_and_is_written_behind_it(tmp_path: Path) -> None:
    log = write_log(tmp_path)
    with loading_server(tmp_path) as server:
        assert "loading:1" in str(server.call("INFO"))
        assert server.call("SET", "k", "x", "POINT", 1, 1) == LOADING
        assert server.call("FLUSHDB") == "+OK"
        wait_until(server.is_loaded)
        assert server.call("KEYS", "*") == []
        assert server.call("SET", "k", "new", "POINT", 1, 1) == "+OK"
        assert server.stop() == 0
        written = (server.data / "appendonly.aof").read_bytes()
        new = command(b"SET", b"k", b"new", b"POINT", b"1", b"1")
        assert written == log + command(b"FLUSHDB") + new
        server.start()
        assert server.call("SCAN", "k", "IDS") == [":0", ["$ new"]]


def test_shutdown_ends_the_loading(tmp_path: Path) -> None:
    write_log(tmp_path)
    with loading_server(tmp_path, "--dev") as server:
        server.call("SHUTDOWN")
        assert server.wait() == 1
        assert "AOF loaded" not in server.log()


def test_follow_is_accepted_and_begins_once_the_log_is_loaded(tmp_path: Path) -> None:
    write_log(tmp_path / "follower")
    (tmp_path / "leader").mkdir()
    with (
        ServerProcess(tmp_path / "leader") as leader,
        loading_server(tmp_path / "follower") as follower,
    ):
        leader.call("SET", "fleet", "a", "POINT", 1, 1)
        assert follower.call("FOLLOW", "127.0.0.1", leader.port) == "+OK"
        assert follower.call("GET", "k", "1") == LOADING
        assert follower.call("FLUSHDB") == "-ERR not the leader"
        wait_until(lambda: follower.call("HEALTHZ") == "+OK", seconds_max=30.0)
        wait_until_equal(leader, follower)
        assert follower.call("KEYS", "*") == ["$ fleet"]
