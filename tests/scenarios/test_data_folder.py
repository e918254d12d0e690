"""The data folder: one server at a time, torn logs, damaged logs, clean stops."""

import signal
from pathlib import Path

import pytest

from tests.support.process import ServerProcess

WORDS = ("SET", "fleet", "truck", "POINT", 1, 2)
HALF = b"*6\r\n$3\r\nSET\r\n$5\r\nfleet\r\n$3\r\nbus\r\n$5\r\nPO"


def stopped_with_data(server: ServerProcess) -> Path:
    """Store an object, stop the server, return its log."""
    assert server.call(*WORDS) == "+OK"
    assert server.stop() == 0
    return server.data / "appendonly.aof"


def test_a_second_server_refuses_the_folder(server: ServerProcess, tmp_path: Path) -> None:
    assert server.call(*WORDS) == "+OK"
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    second = ServerProcess(other_folder)
    second.data = server.data
    second.launch()
    assert second.wait() == 1
    assert "in use" in second.log()
    assert server.call("GET", "fleet", "truck", "POINT") == ["$ 1", "$ 2"]


def test_a_killed_servers_folder_can_be_used_again(server: ServerProcess) -> None:
    assert server.call(*WORDS) == "+OK"
    server.kill()
    server.start()
    assert server.call("GET", "fleet", "truck", "POINT") == ["$ 1", "$ 2"]


def test_a_clean_stop_exits_with_zero_and_keeps_data(server: ServerProcess) -> None:
    stopped_with_data(server)
    server.start()
    assert server.call("GET", "fleet", "truck", "POINT") == ["$ 1", "$ 2"]


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGHUP, 1), (signal.SIGINT, 2), (signal.SIGQUIT, 3)]
)
def test_other_signals_exit_with_their_status(
    server: ServerProcess, number: signal.Signals, status: int
) -> None:
    server.send_signal(number)
    assert server.wait() == status


def test_a_torn_end_is_cut_and_kept_beside_the_log(server: ServerProcess) -> None:
    log = stopped_with_data(server)
    whole = log.read_bytes()
    log.write_bytes(whole + HALF)
    server.start()
    assert server.call("GET", "fleet", "truck", "POINT") == ["$ 1", "$ 2"]
    assert str(len(HALF)) in server.log()
    assert log.read_bytes() == whole
    others = [path.read_bytes() for path in log.parent.iterdir() if path != log and path.is_file()]
    assert HALF in others


def test_a_torn_end_never_leaves_half_of_a_transaction(server: ServerProcess) -> None:
    log = stopped_with_data(server)
    before = log.read_bytes()
    server.start()
    commands = [("MULTI",), *(("SET", "fleet", name, "POINT", 1, 2) for name in "abc"), ("EXEC",)]
    with server.connect() as connection:
        assert [connection.call(*words) for words in commands][-1] == ["+OK", "+OK", "+OK"]
    assert server.stop() == 0
    whole = log.read_bytes()
    for end in range(len(before) + 1, len(whole), 23):
        log.write_bytes(whole[:end])
        server.start()
        assert server.call("SCAN", "fleet", "IDS") == [":0", ["$ truck"]]
        assert server.stop() == 0
        assert log.read_bytes() == before
    log.write_bytes(whole)
    server.start()
    assert server.call("SCAN", "fleet", "COUNT") == ":4"


def test_every_torn_end_of_a_log_loads(server: ServerProcess) -> None:
    log = stopped_with_data(server)
    whole = log.read_bytes()
    for cut in range(1, len(whole), 7):
        log.write_bytes(whole + whole[:cut])
        server.start()
        assert server.call("SCAN", "fleet", "COUNT") == ":1"
        assert server.stop() == 0


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (b"*1\r\n+oops\r\n", "Protocol error: expected '$', got '+'"),
        (b"\x89oops\r\n", "unknown command"),
        (HALF + bytes(100), "Protocol error: invalid bulk length"),
        # Of Redis: its log, and the dump that may be the head of one.
        (b"*2\r\n$4\r\nNOPE\r\n$1\r\n0\r\n", "unknown command 'NOPE'"),
        (b"*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\nb\r\n", "invalid number of arguments"),
        (b"REDIS0009\xfa\tredis-ver\x057.0.1\n", "unknown command 'REDIS0009"),
    ],
)
def test_a_damaged_log_stops_the_start_and_stays_as_it_is(
    server: ServerProcess, damage: bytes, error: str
) -> None:
    log = stopped_with_data(server)
    whole = log.read_bytes()
    log.write_bytes(whole + damage + whole)
    server.launch()
    assert server.wait() == 1
    assert f"[FATA] {error}" in server.log()
    assert f"From byte {len(whole)} on the log isn't understood" in server.log()
    assert log.read_bytes() == whole + damage + whole


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ('{"maxmemory": "1gb"', "all of it, since it isn't a JSON object"),
        ('{"maxmemory": "1gb", "max-memory": "2gb", "x": [1]}', "'max-memory', 'x'"),
    ],
)
def test_what_is_wrong_with_the_configuration_is_told_and_kept(
    server: ServerProcess, text: str, left_out: str
) -> None:
    stopped_with_data(server)
    file = server.data / "config"
    file.write_text(text)
    server.start()
    assert f"Left out of the configuration file: {left_out}; it is kept in" in server.log()
    assert server.call("GET", "fleet", "a", "POINT")
    [copy] = server.data.glob("config.kept-*")
    assert copy.read_text() == text
    assert copy.stat().st_mode & 0o777 == 0o600
    server.stop()
    server.start()
    assert list(server.data.glob("config.kept-*")) == [copy]


def test_a_log_of_tile38s_other_forms_loads(server: ServerProcess) -> None:
    log = stopped_with_data(server)
    inline, native = b"SET fleet a POINT 1 2\r\n", b"$21 SET fleet b POINT 3 4\r\n"
    log.write_bytes(inline + b"\0\0\0" + native + b"*0\r\n\r\n")
    server.start()
    assert server.call("SCAN", "fleet", "IDS") == [":0", ["$ a", "$ b"]]
