"""CONFIG SET beyond what the golden cases show."""

from tests.support.bench import Bench


def test_bytes_that_are_no_text_come_back_as_they_were(bench: Bench) -> None:
    value = b"\xff\xfe"
    error = b"-ERR Invalid argument '\xff\xfe' for CONFIG SET 'maxmemory'\r\n"
    assert bench.call(b"CONFIG", b"SET", b"maxmemory", value) == error
    error = b"-ERR Unsupported CONFIG parameter: \xff\xfe\r\n"
    assert bench.call(b"CONFIG", b"SET", value, b"1") == error
    assert bench.call(b"CONFIG", b"SET", b"leaderauth", value) == b"+OK\r\n"
    assert bench.call("CONFIG", "GET", "leaderauth").endswith(b"$2\r\n\xff\xfe\r\n")
    bench.call("OUTPUT", "json")
    assert b"'\\ufffd\\ufffd' for" in bench.call(b"CONFIG", b"SET", b"keepalive", value)


def test_autogc_tells_why_in_a_librarys_words(bench: Bench) -> None:
    for value, why in (
        ("abc", "invalid syntax"),
        ("-1", "invalid syntax"),
        ("18446744073709551616", "value out of range"),
    ):
        error = f'-ERR strconv.ParseUint: parsing "{value}": {why}\r\n'
        assert bench.call("CONFIG", "SET", "autogc", value) == error.encode()
    assert bench.call("CONFIG", "SET", "autogc", "18446744073709551615") == b"+OK\r\n"
