"""The log: large groups, which a thread writes while others wait in order."""

import errno
import os

import pytest

from tests.unit.persistence.test_aof import LogFixture
from tile38py.limits import LOG_LOOP_BYTES_MAX
from tile38py.persistence.aof import ALWAYS

FULL = os.strerror(errno.ENOSPC)
LARGE = bytes(range(256)) * (LOG_LOOP_BYTES_MAX // 256) + b"end"


@pytest.fixture
def log() -> LogFixture:
    return LogFixture()


def test_a_large_group_is_written_on_a_thread_and_later_ones_wait_behind_it(
    log: LogFixture,
) -> None:
    first, second = log.client(), log.client()
    heard: list[tuple[int, int]] = []
    log.aof.on_written(lambda position, data: heard.append((position, len(data))))
    log.write(b"one", first, b"1")
    log.write(memoryview(LARGE), first, b"2")
    log.loop.turn()
    assert (log.file.data, first.sent, log.aof.is_dirty) == (b"", [], True)
    log.write(b"three", second, b"3")
    log.aof.wait(second, b"4")
    log.loop.turn()
    log.aof.flush()
    assert (log.file.data, second.sent) == (b"", [])
    log.loop.end_threads()
    assert (log.file.data, first.sent, second.sent) == (b"one" + LARGE, [b"1", b"2"], [])
    assert heard == [(0, 3), (3, len(LARGE))]
    log.loop.turn()
    assert (log.file.data[-5:], second.sent) == (b"three", [b"3", b"4"])
    assert log.aof.size == log.aof.size_written == len(LARGE) + 8
    assert not log.aof.is_dirty


def test_reads_do_not_wait_for_a_large_group_except_under_always(log: LogFixture) -> None:
    client = log.client()
    log.write(b"one", client)

    def state() -> tuple[bool, bool]:
        return log.aof.is_dirty, log.aof.holds_reads

    assert state() == (True, True)
    log.write(LARGE, client)
    assert state() == (True, False)
    log.loop.turn()
    assert state() == (True, False)
    log.aof.policy = ALWAYS
    assert state() == (True, True)
    log.loop.end_threads()
    log.loop.end_threads()
    assert state() == (False, False)


def test_a_large_group_that_does_not_fit_is_refused_and_written_later(log: LogFixture) -> None:
    first, second = log.client(), log.client()
    log.write(LARGE, first)
    log.loop.turn()
    log.write(b"more", second)
    log.file.room = 1000
    log.loop.end_threads()
    assert (first.refusals, log.file.data, log.health) == ([FULL], b"", [FULL])
    log.loop.turn()
    assert second.refusals == [FULL]
    log.file.room = None
    log.aof.tick()
    log.loop.end_threads()
    assert (log.file.data == LARGE + b"more", log.aof.error) == (True, None)


def test_always_syncs_a_large_group_before_its_replies_are_sent(log: LogFixture) -> None:
    log.aof.policy = ALWAYS
    client = log.client()
    log.write(LARGE, client)
    log.loop.turn()
    log.loop.end_threads()
    assert (log.file.synced, client.sent) == (0, [])
    log.loop.end_threads()
    assert (log.file.synced, client.sent) == (len(LARGE), [b"+OK\r\n"])


def test_a_pause_begins_when_a_large_group_is_written(log: LogFixture) -> None:
    pauses: list[int] = []
    log.aof.append(LARGE)
    log.loop.turn()
    log.aof.append(b"more")
    log.aof.pause(lambda: pauses.append(log.aof.size_written))
    assert pauses == []
    log.loop.end_threads()
    log.loop.turn()
    assert (pauses, log.aof.size_written) == ([len(LARGE)], len(LARGE))
    log.aof.resume()
    log.loop.turn()
    assert log.aof.size_written == len(LARGE) + 4


def test_a_failed_sync_beside_a_large_write_cuts_nothing_off_it(log: LogFixture) -> None:
    log.aof.append(b"one")
    log.loop.turn()
    log.aof.tick()
    log.aof.append(LARGE)
    log.loop.turn()
    sync, write = log.loop.threads
    log.file.sync_error = OSError(errno.EIO, os.strerror(errno.EIO))
    sync()
    log.aof.tick()
    log.file.sync_error = None
    write()
    assert log.file.data == b"one" + LARGE
    del log.loop.threads[:2]
    log.loop.end_threads()
    log.aof.tick()
    log.loop.end_threads()
    assert log.aof.error is None


@pytest.mark.parametrize("has_run", [False, True])
def test_a_stop_keeps_a_large_group_whether_or_not_its_thread_has_begun(
    log: LogFixture, has_run: bool
) -> None:
    first, second = log.client(), log.client()
    log.write(LARGE, first)
    log.loop.turn()
    log.write(b"more", second)
    (end,) = log.loop.threads
    if has_run:
        log.aof._thread_write.run()  # type: ignore[union-attr]
    log.aof.close()
    assert log.file.data == LARGE + b"more"
    assert first.sent == second.sent == [b"+OK\r\n"]
    end()
    assert log.file.data == LARGE + b"more"
