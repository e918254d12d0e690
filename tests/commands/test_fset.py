"""FSET."""

from tests.support.bench import Bench


def test_json_under_a_name_with_a_dot_always_counts_as_changed(bench: Bench) -> None:
    bench.call("SET", "fleet", "a", "POINT", "1", "2")
    for _ in range(2):
        # FGET can't read such a field, so the value differs from what it reads: 0.
        assert bench.call("FSET", "fleet", "a", "x.y", '{"q":1}') == b":1\r\n"
        assert bench.call("FGET", "fleet", "a", "x.y") == b"$1\r\n0\r\n"


def test_a_name_with_a_dot_is_compared_with_what_the_path_reads(bench: Bench) -> None:
    bench.call("SET", "fleet", "a", "FIELD", "j", '{"b":5}', "POINT", "1", "2")
    assert bench.call("FSET", "fleet", "a", "j.b", "5") == b":0\r\n"
    for _ in range(2):
        assert bench.call("FSET", "fleet", "a", "j.b", "6") == b":1\r\n"
    assert bench.call("FGET", "fleet", "a", "j.b") == b"$1\r\n5\r\n"
