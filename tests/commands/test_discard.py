"""DISCARD."""

from tests.support.bench import Bench


def test_discard_forgets_the_commands(bench: Bench) -> None:
    assert bench.call("DISCARD") == b"-ERR DISCARD without MULTI\r\n"
    bench.send(b"MULTI\r\nSET k i POINT 1 2\r\n")
    assert bench.call("DISCARD") == b"+OK\r\n"
    assert bench.call("EXEC") == b"-ERR EXEC without MULTI\r\n"
    assert bench.call("DBSIZE") == b":0\r\n"


def test_reset_and_quit_end_a_transaction(bench: Bench) -> None:
    bench.send(b"MULTI\r\nDBSIZE\r\n")
    assert bench.call("RESET") == b"+RESET\r\n"
    assert bench.call("EXEC") == b"-ERR EXEC without MULTI\r\n"
    bench.send(b"MULTI\r\n")
    assert bench.call("QUIT") == b"+OK\r\n"
