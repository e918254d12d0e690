"""SELECT: there is one database."""

from tests.support.bench import Bench


def test_only_database_0_exists(bench: Bench) -> None:
    assert bench.call("SELECT", "0") == b"+OK\r\n"
    assert bench.call("SELECT", "1") == b"-ERR DB index is out of range\r\n"
    assert bench.call("SELECT", "x") == b"-ERR value is not an integer or out of range\r\n"
