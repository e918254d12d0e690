"""LATENCY, which has no events."""

from tests.support.bench import Bench


def test_no_latencies_are_recorded(bench: Bench) -> None:
    assert bench.call("LATENCY", "latest") == b"*0\r\n"
    assert bench.call("LATENCY", "HISTORY", "command") == b"*0\r\n"
    assert bench.call("LATENCY", "RESET") == b":0\r\n"
    assert bench.call("LATENCY", "nope").startswith(b"-ERR unknown subcommand 'nope'")
