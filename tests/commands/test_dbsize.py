"""MODULE LIST, LATENCY and DBSIZE, which tools of Redis send."""

from tests.support.bench import Bench


def test_there_are_no_modules(bench: Bench) -> None:
    assert bench.call("MODULE LIST") == b"*0\r\n"


def test_no_latencies_are_recorded(bench: Bench) -> None:
    assert bench.call("LATENCY", "latest") == b"*0\r\n"
    assert bench.call("LATENCY", "HISTORY", "command") == b"*0\r\n"
    assert bench.call("LATENCY", "RESET") == b":0\r\n"
    assert bench.call("LATENCY", "nope").startswith(b"-ERR unknown subcommand 'nope'")


def test_the_size_is_the_number_of_objects(bench: Bench) -> None:
    assert bench.call("DBSIZE") == b":0\r\n"
    bench.call("SET", "a", "1", "POINT", "1", "2")
    bench.call("SET", "b", "1", "STRING", "x")
    assert bench.call("DBSIZE") == b":2\r\n"
