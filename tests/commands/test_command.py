"""COMMAND: what Redis's clients are told about the commands."""

import json

import pytest

from tests.support.bench import Bench
from tests.support.records import all_records
from tests.support.resp import Value, parse_reply, plain


def ask(bench: Bench, *words: str) -> Value:
    parsed = parse_reply(bench.call(*words))
    assert parsed is not None
    return plain(parsed[0])


def rows_of(bench: Bench, *words: str) -> list[list[Value]]:
    """The rows of a reply that has nothing but rows."""
    rows = ask(bench, *words)
    assert isinstance(rows, list)
    return [row for row in rows if isinstance(row, list)]


def pairs(row: Value) -> dict[str, Value]:
    """A flat list of names and values."""
    assert isinstance(row, list)
    return {str(name): value for name, value in zip(row[::2], row[1::2], strict=True)}


def test_count_and_list_tell_of_every_command(bench: Bench) -> None:
    names = [record.name.lower() for record in all_records()]
    assert ask(bench, "COMMAND", "COUNT") == len(names)
    assert ask(bench, "COMMAND", "LIST") == names
    assert [row[0] for row in rows_of(bench, "COMMAND")] == names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("get", ["get", -3, ["readonly", "fast"], 1, 1, 1]),
        ("SET", ["set", -3, ["write", "denyoom", "fast"], 1, 1, 1]),
        ("rename", ["rename", 3, ["write"], 1, 2, 1]),
        ("stats", ["stats", -2, ["readonly", "stale", "noscript"], 1, -1, 1]),
        ("config|get", ["config get", 3, ["admin", "skip_monitor", "skip_slowlog"], 0, 0, 0]),
        ("within", ["within", -3, ["readonly", "movablekeys"], 1, 1, 1]),
    ],
)
def test_info_tells_arity_flags_and_keys(bench: Bench, name: str, expected: list[object]) -> None:
    (row,) = rows_of(bench, "COMMAND", "INFO", name)
    assert (len(row), row[:6]) == (10, expected)


def test_info_of_an_unknown_command_is_nil(bench: Bench) -> None:
    assert ask(bench, "COMMAND", "INFO", "nope") == [None]


def test_info_tells_categories(bench: Bench) -> None:
    first, second = rows_of(bench, "COMMAND", "INFO", "set", "follow")
    assert first[6] == ["@write", "@keyspace", "@fast"]
    assert second[6] == ["@admin", "@dangerous", "@slow"]


def test_docs_tell_the_arguments(bench: Bench) -> None:
    docs = pairs(ask(bench, "COMMAND", "DOCS", "expire", "nope"))
    fields = pairs(docs.pop("expire"))
    assert docs == {}
    assert fields["summary"] == "Set how long an object lives"
    assert fields["group"] == "keyspace"
    rows = fields["arguments"]
    assert isinstance(rows, list)
    arguments = [pairs(row) for row in rows]
    assert [row["name"] for row in arguments] == ["key", "id", "seconds"]
    assert [row["type"] for row in arguments] == ["key", "string", "double"]


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("SET fleet truck1 STRING x", ["fleet"]),
        ("RENAME a b", ["a", "b"]),
        ("STATS a b c", ["a", "b", "c"]),
        ("WITHIN fleet LIMIT 5 GET zones z1", ["fleet", "zones"]),
        ("SETHOOK h http://x EX 5 NEARBY fleet FENCE ROAM people * 100", ["fleet", "people"]),
        ("TEST GET a x WITHIN GET b y", ["a", "b"]),
    ],
)
def test_getkeys_finds_the_keys_of_a_command(bench: Bench, words: str, keys: list[str]) -> None:
    assert ask(bench, "COMMAND", "GETKEYS", *words.split()) == keys


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("GETKEYS", "wrong number of arguments for 'command' command"),
        ("GETKEYS NOPE a", "Invalid command specified"),
        ("GETKEYS SET a", "Invalid number of arguments specified for command"),
        ("GETKEYS TTL a b c", "Invalid number of arguments specified for command"),
        ("GETKEYS PING", "The command has no key arguments"),
        ("GETKEYS CONFIG GET x", "The command has no key arguments"),
        ("COUNT x", "wrong number of arguments for 'command' command"),
        ("NOPE", "unknown subcommand 'NOPE'. Try HELP COMMAND."),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_redis(bench: Bench, words: str, text: str) -> None:
    assert bench.call("COMMAND", *words.split()) == f"-ERR {text}\r\n".encode()


def test_json_has_the_same(bench: Bench) -> None:
    bench.call("OUTPUT", "json")
    reply = bench.call("COMMAND", "INFO", "ttl", "nope").partition(b"\r\n")[2]
    content = json.loads(reply)
    assert content["commands"] == [
        {
            "arity": 3,
            "categories": ["read", "keyspace", "fast"],
            "first_key": 1,
            "flags": ["readonly", "fast"],
            "last_key": 1,
            "name": "ttl",
            "step": 1,
        },
        None,
    ]
    count = json.loads(bench.call("COMMAND", "COUNT").partition(b"\r\n")[2])
    assert count["count"] == len(all_records())
