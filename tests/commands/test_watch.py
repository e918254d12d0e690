"""WATCH, which makes EXEC depend on keys."""

import pytest

from tests.support.bench import Bench


@pytest.mark.parametrize(
    ("change", "is_run"),
    [
        ("SET k j POINT 1 2", False),
        ("FSET k i speed 5", False),
        ("DEL k i", False),
        ("DROP k", False),
        ("FLUSHDB", False),
        ("RENAME k other", False),
        ("SET other i POINT 1 2", True),
        ("GET k i", True),
    ],
)
def test_exec_runs_only_if_the_watched_keys_are_unchanged(
    bench: Bench, change: str, is_run: bool
) -> None:
    other = bench.new_client()
    bench.call("SET", "k", "i", "POINT", "1", "2")
    assert bench.call("WATCH", "k", "none") == b"+OK\r\n"
    bench.call(*change.split(), client=other)
    bench.send(b"MULTI\r\nPING\r\n")
    assert bench.call("EXEC") == (b"*1\r\n+PONG\r\n" if is_run else b"*-1\r\n")
    bench.send(b"MULTI\r\nPING\r\n")
    assert bench.call("EXEC") == b"*1\r\n+PONG\r\n"


def test_a_watched_key_that_comes_into_being_is_changed(bench: Bench) -> None:
    bench.call("HELLO", "3")
    bench.call("WATCH", "k")
    bench.call("SET", "k", "i", "POINT", "1", "2")
    bench.send(b"MULTI\r\nPING\r\n")
    assert bench.call("EXEC") == b"_\r\n"
