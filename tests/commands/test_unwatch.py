"""UNWATCH."""

import pytest

from tests.support.bench import Bench


@pytest.mark.parametrize("forget", ["UNWATCH", "RESET"])
def test_watched_keys_can_be_forgotten(bench: Bench, forget: str) -> None:
    bench.call("WATCH", "k")
    bench.call("SET", "k", "i", "POINT", "1", "2")
    bench.call(forget)
    bench.send(b"MULTI\r\nPING\r\n")
    assert bench.call("EXEC") == b"*1\r\n+PONG\r\n"
