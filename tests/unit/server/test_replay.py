"""The log at the start: torn ends, errors, commands of the future, the oldest form."""

import io
import logging
from pathlib import Path

import pytest

from tests.support.fakes import FakeClock, FakeProcess, command
from tile38py._engine import Engine
from tile38py.errors import StartError
from tile38py.server.logs import VERBOSE, make_log
from tile38py.server.memory_budget import MemoryBudget
from tile38py.server.options import Options
from tile38py.server.replay import Replay

SET = command(b"SET", b"fleet", b"a", b"POINT", b"1", b"2")
HOOK = command(b"SETHOOK", b"h", b"http://a", b"NEARBY", b"f", b"FENCE", b"POINT", b"1", b"1", b"1")


class ReplayFixture:
    """The replay of a server's start on a directory."""

    def __init__(self, directory: Path, *, keeps_log: bool = True) -> None:
        self.engine = Engine()
        self.lines = io.StringIO()
        options = Options(directory=directory, keeps_log=keeps_log)
        log = make_log(VERBOSE, handlers=[logging.StreamHandler(self.lines)])
        self.budget = MemoryBudget(FakeProcess())
        self.replay = Replay(options, self.engine, clock=FakeClock(), budget=self.budget, log=log)

    @property
    def objects(self) -> int:
        """The number of objects."""
        return self.engine.statistics()["num_objects"]


def write_log(directory: Path, data: bytes) -> Path:
    path = directory / "appendonly.aof"
    path.write_bytes(data)
    return path


def test_a_whole_log_stays_as_it_is(tmp_path: Path) -> None:
    path = write_log(tmp_path, SET * 2)
    start = ReplayFixture(tmp_path)
    start.replay.run()
    assert (start.objects, start.replay.size) == (1, 2 * len(SET))
    assert path.read_bytes() == SET * 2
    assert "AOF loaded 2 commands" in start.lines.getvalue()
    start.replay.close()


def test_a_torn_end_is_cut_and_kept(tmp_path: Path) -> None:
    path = write_log(tmp_path, SET + SET[:-2])
    start = ReplayFixture(tmp_path)
    start.replay.run()
    assert path.read_bytes() == SET
    kept = tmp_path / "appendonly.aof.cut-20231114T221320.000Z"
    assert kept.read_bytes() == SET[:-2]
    lines = start.lines.getvalue()
    assert f"[WARN] Truncating {len(SET) - 2} bytes due to an incomplete command" in lines
    assert str(kept) in lines
    start.replay.close()


def test_a_log_cut_at_any_byte_keeps_every_whole_command_and_every_byte(tmp_path: Path) -> None:
    whole = SET + SET.replace(b"\r\na\r\n", b"\r\nb\r\n") + HOOK
    ends = [0, len(SET), 2 * len(SET), len(whole)]
    for size in range(len(whole) + 1):
        folder = tmp_path / str(size)
        folder.mkdir()
        path = write_log(folder, whole[:size])
        start = ReplayFixture(folder)
        start.replay.run()
        start.replay.close()
        commands = sum(end <= size for end in ends[1:])
        assert path.read_bytes() == whole[: ends[commands]]
        assert start.objects == min(commands, 2)
        kept = b"".join(file.read_bytes() for file in folder.glob("*.cut-*"))
        assert path.read_bytes() + kept == whole[:size]


@pytest.mark.parametrize(
    "strange",
    [
        b"\x00" * 50 + b"garbage\xff\xfe\r\n" + SET,
        b"REDIS0011\xfa\x09redis-ver\x057.0.15\r\n",
        command(b"SELECT", b"0") + command(b"SET", b"k", b"v"),
        command(b"GEOADD", b"k", b"1", b"2", b"v"),
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\r\n",
    ],
)
def test_what_no_tile38_wrote_stops_the_start_and_stays(tmp_path: Path, strange: bytes) -> None:
    path = write_log(tmp_path, SET + strange)
    start = ReplayFixture(tmp_path)
    with pytest.raises(StartError):
        start.replay.run()
    start.replay.close()
    assert path.read_bytes() == SET + strange
    assert [file.name for file in tmp_path.iterdir()] == ["appendonly.aof"]


def test_a_damaged_log_stays_as_it_is(tmp_path: Path) -> None:
    path = write_log(tmp_path, SET + b"*1\r\n+x\r\n" + SET)
    start = ReplayFixture(tmp_path)
    with pytest.raises(StartError, match=r"Protocol error: expected '\$', got '\+'"):
        start.replay.run()
    assert path.read_bytes() == SET + b"*1\r\n+x\r\n" + SET
    assert "AOF loaded" in start.lines.getvalue()
    start.replay.close()


def test_a_cancelled_replay_changes_nothing(tmp_path: Path) -> None:
    path = write_log(tmp_path, SET[:-1])
    start = ReplayFixture(tmp_path)
    start.replay.cancel()
    with pytest.raises(StartError):
        start.replay.run()
    assert path.read_bytes() == SET[:-1]
    start.replay.close()


def test_without_a_log_nothing_is_read_or_made(tmp_path: Path) -> None:
    start = ReplayFixture(tmp_path, keeps_log=False)
    start.replay.run()
    start.replay.close()
    assert start.replay.file is None
    assert not list(tmp_path.iterdir())


def test_the_oldest_form_is_converted(tmp_path: Path) -> None:
    text = b"set fleet a point 1 2"
    size = len(text).to_bytes(4, "little")
    (tmp_path / "aof").write_bytes(size + text + size + b"\0")
    start = ReplayFixture(tmp_path)
    start.replay.run()
    assert start.objects == 1
    assert "[WARN] Migrating aof to new format" in start.lines.getvalue()
    start.replay.close()


def test_a_log_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "appendonly.aof").mkdir()
    with pytest.raises(StartError, match="is a directory"):
        ReplayFixture(tmp_path)
