"""JSET."""

from tests.support.bench import Bench


def test_an_error_names_the_path_byte_by_byte(bench: Bench) -> None:
    bench.call("JSET", "fleet", "a", "list", "[]", "RAW")
    error = b"-ERR cannot set array element for non-numeric key '\xff'\r\n"
    assert bench.call("JSET", "fleet", "a", b"list.\xff", "1") == error
