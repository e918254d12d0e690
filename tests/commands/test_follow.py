"""FOLLOW and SLAVEOF."""

import pytest

from tests.support.bench import Bench

COMMANDS = pytest.mark.parametrize("name", ["FOLLOW", "SLAVEOF"])


@COMMANDS
def test_no_one_is_followed(bench: Bench, name: str) -> None:
    assert bench.call(name, "no", "one") == b"+OK\r\n"
    assert bench.call(name, "NO", "ONE") == b"+OK\r\n"
    assert bench.log_lines == ["following no one"] * 2


@COMMANDS
def test_bad_arguments(bench: Bench, name: str) -> None:
    arity = f"-ERR wrong number of arguments for '{name.lower()}' command\r\n".encode()
    assert bench.call(name) == arity
    assert bench.call(name, "host") == arity
    assert bench.call(name, "host", "") == arity
    assert bench.call(name, "host", "x") == b"-ERR invalid argument 'x'\r\n"
    assert bench.call(name, "host", "-1") == b"-ERR invalid argument '-1'\r\n"


@COMMANDS
def test_a_leader_cannot_be_followed_yet(bench: Bench, name: str) -> None:
    assert bench.call(name, "host", "1") == b"-ERR this version cannot follow a leader\r\n"
