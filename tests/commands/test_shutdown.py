"""SHUTDOWN and SLEEP, for developers."""

from tests.support.bench import Bench


def test_shutdown_ends_the_process(bench: Bench) -> None:
    bench.call("SHUTDOWN")
    assert bench.stops == [(1, "shutdown requested by developer")]
    assert bench.client.is_gone


def test_others_cannot() -> None:
    bench = Bench()
    assert bench.call("SHUTDOWN") == b"-ERR unknown command 'SHUTDOWN'\r\n"
    assert not bench.stops


def test_sleep_takes_seconds(bench: Bench) -> None:
    assert bench.call("SLEEP", "1.5") == b"+OK\r\n"
    assert bench.call("SLEEP", "x") == b"+OK\r\n"
    assert bench.call("SLEEP", "-1") == b"+OK\r\n"
    assert bench.clock.slept == 1.5
    assert b"wrong number" in bench.call("SLEEP")
