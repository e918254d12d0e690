"""DBSIZE."""

from tests.support.bench import Bench


def test_the_size_is_the_number_of_objects(bench: Bench) -> None:
    assert bench.call("DBSIZE") == b":0\r\n"
    bench.call("SET", "a", "1", "POINT", "1", "2")
    bench.call("SET", "b", "1", "STRING", "x")
    assert bench.call("DBSIZE") == b":2\r\n"
