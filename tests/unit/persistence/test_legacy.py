"""Conversion of the oldest log form."""

import struct
from pathlib import Path

import pytest

from tests.support.fakes import command
from tile38py.errors import StartError
from tile38py.persistence.legacy import is_needed, migrate, split_record


def record(text: bytes) -> bytes:
    size = struct.pack("<I", len(text))
    return size + text + size + b"\0"


def test_records_become_commands(tmp_path: Path) -> None:
    old = tmp_path / "aof"
    old.write_bytes(record(b"set k a point 1 2") + record(b"del k a"))
    assert is_needed(tmp_path)
    migrate(tmp_path)
    expected = command(b"set", b"k", b"a", b"point", b"1", b"2") + command(b"del", b"k", b"a")
    assert (tmp_path / "appendonly.aof").read_bytes() == expected
    assert old.exists()
    assert not is_needed(tmp_path)


def test_a_newer_log_that_a_crash_left_renamed_away_goes_before_the_old_one(
    tmp_path: Path,
) -> None:
    (tmp_path / "aof").write_bytes(record(b"set k a point 1 2"))
    (tmp_path / "appendonly.aof-bak").write_bytes(command(b"DROP", b"k"))
    assert not is_needed(tmp_path)


def test_two_spaces_are_an_empty_argument_and_a_brace_takes_the_rest() -> None:
    assert split_record(b"a  b") == [b"a", b"", b"b"]
    assert split_record(b'set k o {"a": 1} x') == [b"set", b"k", b"o", b'{"a": 1} x']


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (record(b"del k a")[:-1], "unexpected EOF"),
        (b"\1\0", "unexpected EOF"),
        (record(b"del k a")[:-1] + b"\1", "corrupted aof file"),
        (b"\xff\xff\xff\xff", "corrupted aof file"),
    ],
)
def test_damage_stops_the_start(tmp_path: Path, data: bytes, text: str) -> None:
    (tmp_path / "aof").write_bytes(data)
    with pytest.raises(StartError, match=text):
        migrate(tmp_path)
    assert not (tmp_path / "appendonly.aof").exists()
