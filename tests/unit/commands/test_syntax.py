"""The notation of arguments: what each sign means, and that every record can be parsed."""

import pytest

from tests.support.records import all_records
from tile38py._engine import CommandRecord
from tile38py.commands.syntax import Argument, parse


def test_words_are_values_and_tokens() -> None:
    key, nx = parse("key NX")
    assert (key.name, key.kind, key.token) == ("key", "key", "")
    assert (nx.name, nx.kind, nx.token) == ("nx", "pure-token", "NX")


def test_a_token_belongs_to_the_one_value_behind_it() -> None:
    (seconds,) = parse("EX seconds")
    assert (seconds.name, seconds.kind, seconds.token) == ("seconds", "double", "EX")


def test_brackets_are_optional_and_dots_repeat() -> None:
    (count,) = parse("[LIMIT count]")
    assert (count.token, count.flags) == ("LIMIT", ["optional"])
    (keys,) = parse("key...")
    assert keys.flags == ["multiple"]
    (patterns,) = parse("[MATCH pattern]...")
    assert patterns.flags == ["optional", "multiple"]


def test_bars_are_choices_of_sequences() -> None:
    (condition,) = parse("[NX | XX]")
    assert (condition.kind, condition.flags) == ("oneof", ["optional"])
    assert [choice.token for choice in condition.children] == ["NX", "XX"]
    (shape,) = parse("(POINT lat lon [z] | HASH geohash)")
    block, geohash = shape.children
    assert (block.kind, block.children[0].token) == ("block", "POINT")
    assert block.children[-1] == Argument("z", "double", is_optional=True)
    assert (geohash.name, geohash.token) == ("geohash", "HASH")


@pytest.mark.parametrize("record", all_records(), ids=lambda record: record.name)
def test_the_syntax_of_every_record_is_balanced_and_parsed(record: CommandRecord) -> None:
    syntax = record.syntax
    for opening, closing in ("[]", "()"):
        assert syntax.count(opening) == syntax.count(closing)
    assert all(argument.name for argument in parse(syntax))
    assert bool(parse(syntax)) == bool(syntax)
