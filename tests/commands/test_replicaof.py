"""REPLICAOF: what Redis calls FOLLOW today."""

from tests.support.bench import Bench


def test_replicaof_is_follow(bench: Bench) -> None:
    assert bench.call("REPLICAOF", "NO", "ONE") == b"+OK\r\n"
    assert bench.call("REPLICAOF", "x") == bench.call("FOLLOW", "x").replace(
        b"'follow'", b"'replicaof'"
    )
    assert bench.call("REPLICAOF", "h", "x") == b"-ERR invalid argument 'x'\r\n"
