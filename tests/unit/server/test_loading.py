"""Commands that are accepted or refused while the log is loading."""

import pytest

from tests.support.bench import Bench


@pytest.fixture
def loading() -> Bench:
    """A server that loads its log."""
    bench = Bench(is_developer=True)
    bench.gates.is_loading = True
    bench.gates.apply()
    return bench


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("HELLO 4", b"-NOPROTO unsupported protocol version\r\n"),
        ("SELECT 0", b"+OK\r\n"),
        ("CLIENT SETNAME me", b"+OK\r\n"),
        ("PING", b"+PONG\r\n"),
        ("FLUSHDB", b"+OK\r\n"),
        ("FOLLOW no one", b"+OK\r\n"),
        ("SLAVEOF no one", b"+OK\r\n"),
        ("GET k a", b"-LOADING Tile38 is loading the dataset in memory\r\n"),
        ("SET k a POINT 1 1", b"-LOADING Tile38 is loading the dataset in memory\r\n"),
        ("TIMEOUT 1 GET k a", b"-LOADING Tile38 is loading the dataset in memory\r\n"),
        ("HEALTHZ", b"-LOADING Tile38 is loading the dataset in memory\r\n"),
        ("AOFSHRINK", b"-LOADING Tile38 is loading the dataset in memory\r\n"),
    ],
)
def test_a_command_while_the_log_is_loading(loading: Bench, command: str, reply: bytes) -> None:
    assert loading.call(*command.split(" ")) == reply


def test_info_has_a_line_while_the_log_is_loading(loading: Bench) -> None:
    assert b"\r\nloading:1\r\n" in loading.call("INFO")
    assert b"\r\nloading:1\r\n" in loading.call("INFO", "persistence")
    loading.gates.is_loading = False
    loading.gates.apply()
    assert b"loading" not in loading.call("INFO")


def test_info_of_a_follower_is_shown_while_the_log_is_loading(loading: Bench) -> None:
    loading.gates.is_following = True
    loading.gates.apply()
    assert b"\r\nloading:1\r\n" in loading.call("INFO")
    loading.gates.is_loading = False
    loading.gates.apply()
    assert loading.call("INFO") == b"-ERR catching up to leader\r\n"


def test_a_password_is_needed_all_the_same(loading: Bench) -> None:
    loading.config.set("requirepass", "secret")
    loading.gates.requires_password = True
    loading.gates.apply()
    assert b"authentication required" in loading.call("INFO")
    assert b"authentication required" in loading.call("FLUSHDB")
    assert loading.call("AUTH", "secret") == b"+OK\r\n"
    assert loading.call("FLUSHDB") == b"+OK\r\n"


def test_shutdown_ends_the_process(loading: Bench) -> None:
    loading.call("SHUTDOWN")
    assert loading.stops == [(1, "shutdown requested by developer")]
