"""BACKUP: its names and its replies."""

import json

import pytest

from tests.support.bench import Bench


def test_it_replies_with_the_path(bench: Bench) -> None:
    bench.call("SET", "fleet", "truck1", "STRING", "red")
    assert bench.call("BACKUP", "daily") == b"$19\r\n/data/backups/daily\r\n"
    bench.call("OUTPUT", "json")
    reply = json.loads(bench.call("BACKUP", "daily").split(b"\r\n")[1])
    assert (reply["path"], reply["size"], reply["objects"]) == ("/data/backups/daily", 57, 1)


def test_without_a_name_it_is_called_after_the_time(bench: Bench) -> None:
    bench.call("BACKUP")
    assert bench.backups.names == ["20231114T221320.000Z"]


@pytest.mark.parametrize("name", ["a", "A-1_b.c", "-x", "x" * 64])
def test_names_are_plain(bench: Bench, name: str) -> None:
    assert bench.call("BACKUP", name).startswith(b"$")


@pytest.mark.parametrize("name", ["", ".a", "..", "a/b", "a b", "é", "x" * 65, "a.part", "a\n"])
def test_other_names_are_refused(bench: Bench, name: str) -> None:
    assert bench.call("BACKUP", name).startswith(b"-ERR invalid argument '")
    assert bench.backups.names == []


def test_one_name_is_enough(bench: Bench) -> None:
    assert b"wrong number of arguments" in bench.call("BACKUP", "a", "b")
