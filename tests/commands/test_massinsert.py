"""MASSINSERT, which exists under --dev only."""

import pytest

from tests.support.bench import Bench


def test_objects_of_all_kinds_are_made_and_logged(bench: Bench) -> None:
    assert bench.call("MASSINSERT", "2", "9") == b"+OK\r\n"
    assert bench.log_lines == ["massinsert: done 18 objects"]
    assert bench.call("KEYS", "*") == b"*2\r\n$4\r\nmi:0\r\n$4\r\nmi:1\r\n"
    assert bench.call("SCAN", "mi:1", "COUNT") == b":9\r\n"
    assert bench.call("GET", "mi:0", "8") == b"$4\r\nstr8\r\n"
    assert bench.call("FGET", "mi:0", "1", "fname:12") == b"$12\r\n123.12312301\r\n"
    assert bench.fake_journal.data.count(b"$3\r\nSET\r\n") == 18


def test_points_lie_in_the_box_and_some_expire(bench: Bench) -> None:
    bench.call("MASSINSERT", "1", "200", "10", "20", "11", "21")
    assert bench.call("WITHIN", "mi:0", "COUNT", "BOUNDS", "10", "20", "11", "21") == b":175\r\n"
    lasting = [bench.call("TTL", "mi:0", str(n)) for n in range(200)].count(b":-1\r\n")
    assert 50 < lasting < 150


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("1", "wrong number of arguments for 'massinsert' command"),
        ("1 1 1", "wrong number of arguments for 'massinsert' command"),
        ("x 1", "invalid argument 'x'"),
        ("1 -1", "invalid argument '-1'"),
        ("10000 10000", "invalid argument '10000'"),
        ("1 1 1 2 3 x", 'strconv.ParseFloat: parsing "x": invalid syntax'),
    ],
)
def test_bad_arguments(bench: Bench, line: str, error: str) -> None:
    assert bench.call("MASSINSERT", *line.split()) == f"-ERR {error}\r\n".encode()
    assert bench.call("KEYS", "*") == b"*0\r\n"


def test_it_is_a_write(bench: Bench) -> None:
    bench.gates.is_read_only = True
    bench.gates.apply()
    assert bench.call("MASSINSERT", "1", "1") == b"-ERR read only\r\n"
    assert bench.fake_journal.data == b""
