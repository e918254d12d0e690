"""SET."""

import pytest

from tests.support.bench import Bench


@pytest.mark.parametrize("words", [("FIELD", "z"), ("POINT", "1", "2", "FIELD", "lat")])
def test_a_field_without_value_is_wrong_arity_whatever_its_name(
    bench: Bench, words: tuple[str, ...]
) -> None:
    error = b"-ERR wrong number of arguments for 'set' command\r\n"
    assert bench.call("SET", "fleet", "a", *words) == error


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (b"\v\xff\v", b"\xff"),
        ("\u00a0".encode() + b"a\xff \xff", b"a\xff \xff"),
        (b"\xffa" + "\u3000".encode(), b"\xffa"),
        ("\u00a05\u2003".encode(), b"5"),
    ],
)
def test_unicode_blanks_around_values_and_names_go_beside_invalid_bytes_too(
    bench: Bench, typed: bytes, stored: bytes
) -> None:
    bench.call("SET", "fleet", "a", "FIELD", typed, typed, "POINT", "1", "2")
    assert bench.call("FGET", "fleet", "a", stored) == b"$%d\r\n%b\r\n" % (len(stored), stored)


def test_a_second_return_is_invalid_unless_a_word_of_its_own_follows(bench: Bench) -> None:
    stored = ("SET", "fleet", "a", "POINT", "1", "2")
    for words in (("RETURN", "RETURN"), ("return", "OBJECT", "return", "NX")):
        error = b"-ERR invalid argument '%b'\r\n" % words[0].encode()
        assert bench.call(*stored, *words) == error
    point = b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n"
    assert bench.call("SET", "fleet", "a", "RETURN", "OBJECT", "RETURN", *stored[3:]) == point
    error = b"-ERR wrong number of arguments for 'set' command\r\n"
    assert bench.call(*stored, "RETURN", "OBJECT", "RETURN", "BOUNDS") == error


@pytest.mark.parametrize(
    "search",
    [
        "WITHIN fleet COUNT BOUNDS -90 -180 90 180",
        "INTERSECTS fleet COUNT BOUNDS -90 -180 90 180",
        "INTERSECTS fleet COUNT CIRCLE 0.5 0.5 1000000",
        "NEARBY fleet COUNT POINT 0.5 0.5",
        "NEARBY fleet COUNT POINT 0.5 0.5 1000000",
        "NEARBY fleet SPARSE 2 COUNT POINT 0.5 0.5 1000000",
        "TEST GET fleet a WITHIN BOUNDS -90 -180 90 180",
        "TEST GET fleet a INTERSECTS BOUNDS -90 -180 90 180",
        "TEST GET fleet a INTERSECTS CIRCLE 0.5 0.5 1000000",
        "TEST POINT 0.5 0.5 WITHIN GET fleet a",
    ],
)
def test_a_box_with_swapped_corners_is_nowhere_for_all_searches(bench: Bench, search: str) -> None:
    assert bench.call("SET", "fleet", "a", "BOUNDS", "1", "1", "0", "0") == b"+OK\r\n"
    assert bench.call(*search.split()) == b":0\r\n"
    assert bench.call("SCAN", "fleet", "COUNT") == b":1\r\n"
