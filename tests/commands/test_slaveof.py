"""SLAVEOF, the old name of FOLLOW: see test_follow."""

from tests.support.bench import Bench


def test_slaveof_is_follow(bench: Bench) -> None:
    assert bench.call("SLAVEOF", "no", "one") == bench.call("FOLLOW", "no", "one") == b"+OK\r\n"
    bench.call("OUTPUT", "json")
    assert b'"err":"invalid argument \'x\'"' in bench.call("SLAVEOF", "host", "x")
