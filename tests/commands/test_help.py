"""HELP: a line for each command."""

import json

from tests.support.bench import Bench
from tests.support.records import all_records
from tests.support.resp import parse_reply, plain


def lines(bench: Bench, *words: str) -> list[str]:
    parsed = parse_reply(bench.call("HELP", *words))
    assert parsed is not None
    reply = plain(parsed[0])
    assert isinstance(reply, list)
    return [str(line) for line in reply]


def test_help_shows_every_command(bench: Bench) -> None:
    assert len(lines(bench)) == len(all_records())


def test_help_shows_the_arguments_of_one_command(bench: Bench) -> None:
    assert lines(bench, "expire") == ["EXPIRE key id seconds: Set how long an object lives"]
    assert lines(bench, "config", "get") == ["CONFIG GET pattern: Get settings"]
    assert [line.split(" ")[1] for line in lines(bench, "CONFIG")] == ["GET", "REWRITE:", "SET"]


def test_help_shows_the_commands_of_a_group(bench: Bench) -> None:
    names = [line.split(" ")[0].rstrip(":") for line in lines(bench, "@search")]
    assert names == ["INTERSECTS", "NEARBY", "SCAN", "SEARCH", "TEST", "WITHIN"]


def test_help_for_an_unknown_command_is_an_error(bench: Bench) -> None:
    assert bench.call("HELP", "nope") == b"-ERR unknown command 'nope'\r\n"


def test_help_in_json_has_the_parts(bench: Bench) -> None:
    bench.call("OUTPUT", "json")
    reply = json.loads(bench.call("HELP", "ttl").partition(b"\r\n")[2])
    assert reply["commands"] == [
        {
            "arguments": "key id",
            "group": "keyspace",
            "name": "TTL",
            "summary": "Get how long an object will live",
        }
    ]
