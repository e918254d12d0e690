"""RESET."""

import pytest

from tests.support.bench import Bench


def test_reset_returns_to_the_beginning(bench: Bench) -> None:
    bench.config.set("requirepass", "secret")
    bench.call("HELLO", "3", "AUTH", "default", "secret", "SETNAME", "bob")
    bench.call("SUBSCRIBE", "a")
    assert bench.call("RESET") == b"+RESET\r\n"
    assert bench.client.listener is None
    assert bench.client.name == b""
    assert bench.client.session.protocol == 2
    assert not bench.client.session.authenticated


@pytest.mark.parametrize("words", [("SUBSCRIBE", "a"), ("MONITOR",)])
def test_reset_ends_what_a_resp2_connection_listens_to(
    bench: Bench, words: tuple[str, ...]
) -> None:
    bench.call(*words)
    assert bench.call("RESET") == b"+RESET\r\n"
    assert bench.call("GET", "k", "i") == b"$-1\r\n"
