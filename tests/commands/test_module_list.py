"""MODULE LIST."""

from tests.support.bench import Bench


def test_there_are_no_modules(bench: Bench) -> None:
    assert bench.call("MODULE LIST") == b"*0\r\n"
