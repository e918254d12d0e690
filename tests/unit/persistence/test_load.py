"""Replay: pieces, torn ends, what stops it."""

import pytest

from tests.support.fakes import SECOND, FakeClock, command
from tile38py._engine import Engine
from tile38py.errors import StartError
from tile38py.limits import LOAD_CHUNK_BYTES
from tile38py.persistence.load import Loader, LoadProgress

SET = command(b"SET", b"fleet", b"a", b"POINT", b"1", b"2")


class MemorySource:
    """A log in memory, whose reading takes a second each."""

    def __init__(self, data: bytes, clock: FakeClock) -> None:
        self.data = data
        self.clock = clock

    def size(self) -> int:
        """All of it."""
        return len(self.data)

    def read(self, position: int, size: int) -> bytes:
        """A part."""
        self.clock.time_ns += SECOND
        return self.data[position : position + size]


def load(data: bytes, engine: Engine | None = None) -> tuple[LoadProgress, list[str]]:
    clock = FakeClock()
    reports: list[str] = []
    loader = Loader(
        engine or Engine(), clock, lambda progress: reports.append(progress.progress_text())
    )
    return loader.load(MemorySource(data, clock)), reports


def test_commands_are_run() -> None:
    engine = Engine()
    progress, _ = load(SET * 3, engine)
    assert (progress.commands, progress.consumed, progress.torn) == (3, 3 * len(SET), 0)
    assert engine.statistics()["num_objects"] == 1


def test_a_torn_end_is_told() -> None:
    progress, _ = load(SET + SET[:-3])
    assert (progress.error, progress.torn) == (None, len(SET) - 3)


def test_commands_larger_than_a_piece_are_put_together() -> None:
    large = command(b"SET", b"fleet", b"b", b"STRING", b"x" * (5 * LOAD_CHUNK_BYTES))
    engine = Engine()
    progress, _ = load(SET + large + SET, engine)
    assert (progress.torn, engine.statistics()["num_objects"]) == (0, 2)


def test_an_unknown_command_is_an_error() -> None:
    progress, _ = load(SET + b"bogus x\r\n" + SET)
    assert progress.error == "unknown command 'bogus'"


def test_progress_is_reported_each_second() -> None:
    large = command(b"SET", b"fleet", b"b", b"STRING", b"x" * (LOAD_CHUNK_BYTES - 100))
    _, reports = load(large * 2)
    assert len(reports) == 2
    assert reports[0].startswith("AOF loading: ")


def test_a_cancelled_load_ends() -> None:
    clock = FakeClock()
    loader = Loader(Engine(), clock, lambda _: None)
    loader.cancel()
    with pytest.raises(StartError):
        loader.load(MemorySource(SET, clock))


def test_the_summary_has_tile38s_form() -> None:
    progress = LoadProgress(10, consumed=17_563_648, commands=300_000, elapsed_ns=1_460_000_000)
    assert progress.summary_text() == "AOF loaded 300000 commands: 1.46s, 205479/s, 11 MB/s"


def test_more_than_1024_of_a_unit_steps_up() -> None:
    assert LoadProgress(1, consumed=1024, elapsed_ns=SECOND).rate_text() == "0/s, 1024 bytes/s"
    assert LoadProgress(1, consumed=1025, elapsed_ns=SECOND).rate_text() == "0/s, 1 KB/s"
