"""Hints, help and facts about commands, from the commands' records."""

import pytest

from tile38py.cli import command_table


@pytest.mark.parametrize(
    ("line", "begins", "ends"),
    [
        ("SET", "key id [FIELD name value]...", ")"),
        ("set fleet", "id [FIELD", ")"),
        ("SET fleet truck", "[FIELD name value]... [EX seconds]", ")"),
        ("CONFIG GET", "pattern", "pattern"),
        ("CONFIG GET a", "", ""),
        ("nope a", "", ""),
        ("PING", "[message]", "[message]"),
    ],
)
def test_a_hint_shows_the_arguments_that_are_left(line: str, begins: str, ends: str) -> None:
    hint = command_table.hint(line.split())
    assert hint.startswith(begins)
    assert hint.endswith(ends)
    assert bool(hint) == bool(begins)


def test_requests_that_change_nothing_are_known() -> None:
    assert command_table.is_read([b"get", b"a", b"b"])
    for line in ("SET a b POINT 1 2", "EVALRO x 0", "CONFIG SET a b", "nope", "TIMEOUT 1 SET a"):
        assert not command_table.is_read(line.encode().split())


def test_requests_with_an_endless_reply_are_known() -> None:
    for line in ("SUBSCRIBE a", "psubscribe *", "MONITOR", "NEARBY a FENCE POINT 1 2 3"):
        assert command_table.streams(line.encode().split()), line
    for line in ("NEARBY fence POINT 1 2 3", "SET a fence POINT 1 2", "SLEEP 1", "nope"):
        assert not command_table.streams(line.encode().split()), line


def test_requests_with_several_replies_are_known() -> None:
    counts = {"UNSUBSCRIBE a b": 2, "PUNSUBSCRIBE": 1, "PUBLISH a b": 1, "SET a b": 1, "nope a": 1}
    for line, count in counts.items():
        assert command_table.reply_count(line.encode().split()) == count, line


@pytest.mark.parametrize(
    "line", ["AUTH pw", "auth u pw", "HELLO 3 AUTH u pw", "CONFIG SET requirepass x", "ACL x >pw"]
)
def test_lines_with_passwords_are_known(line: str) -> None:
    assert command_table.holds_secret(line.split())


@pytest.mark.parametrize("line", ["", "AUTH", "SET auth a POINT 1 2", "GET requirepass x", "nope"])
def test_other_lines_are_kept(line: str) -> None:
    assert not command_table.holds_secret(line.split())


def test_help_tells_the_arguments_and_the_purpose() -> None:
    text = command_table.help_text(["del"])
    assert "DEL key id [ERRON404]\n" in text
    assert "summary: " in text
    assert "CONFIG GET pattern" in command_table.help_text(["config"])
    assert "NEARBY" in command_table.help_text(["@search"])
    assert "@search" in command_table.help_text([])
    assert "no help about 'nope'" in command_table.help_text(["nope"])
