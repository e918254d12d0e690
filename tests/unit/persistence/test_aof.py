"""The log: group commit, policies, and a disk that takes nothing."""

import errno
import os

import pytest

from tests.support.fake_log_file import FakeLogFile
from tests.support.fakes import FakeClient, ManualLoop
from tile38py._engine import Engine
from tile38py.interfaces.files import LoopFunctions
from tile38py.interfaces.views import ByteData
from tile38py.persistence.aof import ALWAYS, EVERYSEC, Aof
from tile38py.persistence.no_log import NoLog

FULL = os.strerror(errno.ENOSPC)


class LogFixture:
    """A log on a fake file and loop."""

    def __init__(self, data: bytes = b"") -> None:
        self.file = FakeLogFile(data)
        self.loop = ManualLoop()
        self.health: list[str | None] = []
        loop = LoopFunctions(self.loop.call_soon, self.loop.in_thread)
        self.aof = Aof(self.file, len(data), loop, self.health.append)

    def client(self) -> FakeClient:
        """Somebody who writes."""
        return FakeClient(Engine().session())

    def write(self, data: ByteData, client: FakeClient, reply: bytes = b"+OK\r\n") -> None:
        """A client's write, whose reply waits."""
        self.aof.append(data)
        self.aof.wait(client, reply, wrote=True)


@pytest.fixture
def log() -> LogFixture:
    return LogFixture()


def test_all_appends_of_a_turn_are_one_write(log: LogFixture) -> None:
    first, second = log.client(), log.client()
    log.write(b"one", first)
    log.write(b"two", second)
    assert (log.file.writes, first.sent, log.aof.size) == (0, [], 6)
    log.loop.turn()
    assert (log.file.writes, log.file.data) == (1, b"onetwo")
    assert first.sent == second.sent == [b"+OK\r\n"]
    assert not log.aof.is_dirty


def test_commits_of_two_clients_are_one_write(log: LogFixture) -> None:
    first, second = log.client(), log.client()
    assert not log.aof.commit(first, b"1", b"one")
    assert not log.aof.commit(second, b"2", b"two")
    assert (log.file.writes, first.sent, log.aof.is_dirty) == (0, [], True)
    log.loop.turn()
    assert (log.file.writes, log.file.data) == (1, b"onetwo")
    assert (first.sent, second.sent) == ([b"1"], [b"2"])


def test_a_client_that_commits_twice_in_a_row_is_alone_and_waits_for_nobody(
    log: LogFixture,
) -> None:
    client = log.client()
    log.aof.commit(client, b"1", b"one")
    assert not log.aof.commit(client, b"2", b"two")  # behind the first, which waits
    log.loop.turn()
    assert log.aof.commit(client, b"3", b"three")
    assert (log.file.data, log.aof.size, log.aof.is_dirty) == (b"onetwothree", 11, False)
    assert client.sent == [b"1", b"2"]
    assert not log.aof.commit(log.client(), b"4", b"four")


@pytest.mark.parametrize("policy", [ALWAYS, EVERYSEC])
def test_a_lone_commit_during_a_pause_or_under_always_waits(log: LogFixture, policy: str) -> None:
    client = log.client()
    log.aof.commit(client, b"1", b"one")
    log.loop.turn()
    log.aof.policy = policy
    if policy == EVERYSEC:
        log.aof.pause(lambda: None)
    assert not log.aof.commit(client, b"2", b"two")
    assert (log.file.data, log.aof.is_dirty) == (b"one", True)


def test_a_lone_commit_that_cannot_be_written_is_refused_and_written_later(
    log: LogFixture,
) -> None:
    client = log.client()
    log.aof.commit(client, b"1", b"one")
    log.loop.turn()
    log.file.room = 2
    assert not log.aof.commit(client, b"2", b"two")
    log.loop.turn()
    assert (client.sent, client.refusals, log.file.data) == ([b"1"], [FULL], b"one")
    log.file.room = None
    log.aof.tick()
    assert (log.file.data, log.aof.size) == (b"onetwo", 6)


def test_replies_that_queue_behind_a_write_keep_their_order(log: LogFixture) -> None:
    client = log.client()
    log.write(b"one", client, b"1")
    log.aof.wait(client, b"2")
    log.loop.turn()
    assert client.sent == [b"1", b"2"]


def test_everysec_syncs_once_for_what_was_written(log: LogFixture) -> None:
    log.aof.append(b"one")
    log.loop.turn()
    log.aof.tick()
    log.aof.tick()
    assert len(log.loop.threads) == 1
    log.loop.end_threads()
    assert log.file.synced == 3
    log.aof.tick()
    assert not log.loop.threads


def test_no_never_syncs(log: LogFixture) -> None:
    log.aof.policy = "no"
    log.aof.append(b"one")
    log.loop.turn()
    log.aof.tick()
    assert not log.loop.threads


def test_always_holds_replies_until_the_sync_is_done(log: LogFixture) -> None:
    log.aof.policy = ALWAYS
    first, second = log.client(), log.client()
    log.write(b"one", first)
    log.loop.turn()
    log.write(b"two", second)
    log.loop.turn()
    assert (log.file.data, first.sent) == (b"one", [])
    log.loop.end_threads()
    assert (log.file.synced, first.sent, second.sent) == (3, [b"+OK\r\n"], [])
    log.loop.turn()
    log.loop.end_threads()
    assert (log.file.synced, second.sent) == (6, [b"+OK\r\n"])
    assert not log.aof.is_dirty


def test_a_change_to_always_during_a_sync_loses_no_reply(log: LogFixture) -> None:
    client = log.client()
    log.aof.append(b"one")
    log.loop.turn()
    log.aof.tick()
    log.aof.policy = ALWAYS
    log.write(b"two", client)
    log.loop.turn()
    assert client.sent == []
    log.loop.end_threads()
    log.loop.turn()
    log.loop.end_threads()
    assert client.sent == [b"+OK\r\n"]


def test_a_change_from_always_during_a_sync_keeps_the_order(log: LogFixture) -> None:
    log.aof.policy = ALWAYS
    client = log.client()
    log.write(b"one", client, b"1")
    log.loop.turn()
    log.aof.policy = "everysec"
    log.write(b"two", client, b"2")
    log.loop.turn()
    assert client.sent == []
    log.loop.end_threads()
    log.loop.turn()
    assert client.sent == [b"1", b"2"]


def test_a_full_disk_refuses_the_writers_and_cuts_the_file(log: LogFixture) -> None:
    log.aof.append(b"good")
    log.loop.turn()
    log.file.room = 2
    writer, reader = log.client(), log.client()
    log.write(b"lost", writer)
    log.aof.wait(reader, b":1\r\n")
    log.loop.turn()
    assert (writer.sent, writer.refusals) == ([], [FULL])
    assert (reader.sent, reader.refusals) == ([b":1\r\n"], [])
    assert (log.file.data, log.health) == (b"good", [FULL])


def test_what_a_full_disk_refused_is_written_first_once_there_is_room(log: LogFixture) -> None:
    log.file.room = 0
    log.aof.append(b"one")
    log.loop.turn()
    log.aof.tick()
    assert log.file.data == b""
    log.file.room = None
    log.aof.tick()
    assert log.health == [FULL]
    log.loop.end_threads()
    assert (log.file.data, log.file.synced) == (b"one", 3)
    assert log.health == [FULL, None]
    client = log.client()
    log.write(b"two", client)
    log.loop.turn()
    assert (log.file.data, client.sent) == (b"onetwo", [b"+OK\r\n"])


def test_writes_that_come_while_the_disk_is_full_keep_their_order(log: LogFixture) -> None:
    log.file.room = 0
    log.aof.append(b"one")
    log.loop.turn()
    late = log.client()
    log.write(b"two", late)
    log.loop.turn()
    assert late.refusals == [FULL]
    log.file.room = None
    log.aof.tick()
    log.loop.end_threads()
    assert log.file.data == b"onetwo"


def test_a_second_failure_keeps_everything(log: LogFixture) -> None:
    log.file.room = 0
    log.aof.append(b"one")
    log.loop.turn()
    log.file.room = 2
    log.aof.tick()
    assert log.file.data == b""
    log.file.room = None
    log.aof.tick()
    assert log.file.data == b"one"


def test_a_failed_sync_stops_writes_until_one_succeeds(log: LogFixture) -> None:
    log.aof.append(b"one")
    log.loop.turn()
    log.file.sync_error = OSError(errno.EIO, "x")
    log.aof.tick()
    log.loop.end_threads()
    assert log.health == [os.strerror(errno.EIO)]
    log.file.sync_error = None
    log.aof.tick()
    log.loop.end_threads()
    assert (log.health[-1], log.file.data) == (None, b"one")


def test_a_failed_sync_under_always_writes_the_bytes_anew(log: LogFixture) -> None:
    log.aof.policy = ALWAYS
    client = log.client()
    log.file.sync_error = OSError(errno.EIO, "x")
    log.write(b"one", client)
    log.loop.turn()
    log.loop.end_threads()
    assert client.refusals == [os.strerror(errno.EIO)]
    assert log.file.data == b""
    log.file.sync_error = None
    log.aof.tick()
    log.loop.end_threads()
    assert (log.file.data, log.health[-1]) == (b"one", None)


def test_close_writes_and_syncs_what_waits(log: LogFixture) -> None:
    client = log.client()
    log.write(b"one", client)
    log.aof.close()
    assert (log.file.synced, client.sent) == (3, [b"+OK\r\n"])


def test_close_during_a_sync_under_always_answers_in_order(log: LogFixture) -> None:
    log.aof.policy = ALWAYS
    client = log.client()
    log.write(b"one", client, b"1")
    log.loop.turn()
    log.write(b"two", client, b"2")
    log.aof.close()
    assert (log.file.synced, client.sent) == (6, [b"1", b"2"])
    log.loop.end_threads()
    assert client.sent == [b"1", b"2"]


def test_the_size_counts_what_waits() -> None:
    log = LogFixture(b"before")
    log.aof.append(b"one")
    assert log.aof.size == 9


def test_a_server_without_a_log_is_never_dirty() -> None:
    log = NoLog()
    log.append(b"one")
    log.tick()
    log.close()
    assert (log.is_dirty, log.size, log.digest(0, 0)) == (False, 0, None)


def held(log: LogFixture) -> list[str]:
    """Hold the log; what happened is told in the list."""
    told: list[str] = []
    log.aof.pause(lambda: told.append("held"))
    return told


def test_while_held_nothing_is_written_and_replies_wait(log: LogFixture) -> None:
    client = log.client()
    assert held(log) == ["held"]
    log.write(b"one", client)
    log.loop.turn()
    assert (log.file.writes, client.sent) == (0, [])
    log.aof.resume()
    log.loop.turn()
    assert (log.file.data, client.sent) == (b"one", [b"+OK\r\n"])


def test_under_always_a_hold_waits_for_the_sync_under_way(log: LogFixture) -> None:
    log.aof.policy = ALWAYS
    first, second = log.client(), log.client()
    log.write(b"one", first)
    log.loop.turn()
    told = held(log)
    log.write(b"two", second)
    assert told == []
    log.loop.end_threads()
    log.loop.turn()
    assert (told, first.sent, second.sent) == (["held"], [b"+OK\r\n"], [])
    assert log.file.data == b"one"


def test_another_file_takes_the_place_and_gets_what_waits(log: LogFixture) -> None:
    log.aof.append(b"long before")
    log.loop.turn()
    held(log)
    client, replaced = log.client(), []
    log.aof.on_replaced(lambda: replaced.append(log.aof.size))
    log.write(b"two", client)
    other = FakeLogFile(b"short")
    names: list[str] = []
    former = log.aof.replace(other, 5, sync_name=lambda: names.append("synced"))
    log.aof.resume()
    assert (former is log.file, log.aof.file is other, replaced) == (True, True, [8])
    log.loop.turn()
    assert (other.data, log.file.data, client.sent) == (b"shorttwo", b"long before", [b"+OK\r\n"])
    log.loop.end_threads()
    assert names == ["synced"]
    log.aof.tick()
    log.loop.end_threads()
    assert (other.synced, names) == (8, ["synced"])


def test_a_name_that_could_not_be_synced_is_synced_before_anything_is_promised(
    log: LogFixture,
) -> None:
    def broken() -> None:
        raise OSError(errno.EIO, "x")

    log.aof.policy = ALWAYS
    held(log)
    log.aof.replace(FakeLogFile(), 0, sync_name=broken)
    log.aof.resume()
    client = log.client()
    log.write(b"one", client)
    log.loop.turn()
    log.loop.end_threads()
    assert (client.sent, client.refusals) == ([], [os.strerror(errno.EIO)])


def test_a_file_of_another_history_drops_what_waits_and_what_failed(log: LogFixture) -> None:
    log.file.room = 0
    log.aof.append(b"lost")
    log.loop.turn()
    client = log.client()
    log.aof.append(b"late")
    log.aof.wait(client, b"reply")
    held(log)
    other = FakeLogFile(b"theirs")
    log.aof.replace(other, 6, sync_name=None, keep_pending=False)
    log.aof.resume()
    log.loop.turn()
    assert (other.data, log.aof.size, log.aof.error) == (b"theirs", 6, None)
    assert (log.health, client.sent) == ([FULL, None], [b"reply"])


def test_the_error_of_a_sync_of_the_former_file_matters_no_more(log: LogFixture) -> None:
    log.aof.append(b"one")
    log.loop.turn()
    log.aof.tick()
    held(log)
    log.file.sync_error = OSError(errno.EBADF, "x")
    log.aof.replace(FakeLogFile(b"one"), 3, sync_name=None)
    log.aof.resume()
    log.loop.end_threads()
    assert (log.aof.error, log.health) == (None, [])


def test_a_close_while_held_promises_nothing(log: LogFixture) -> None:
    client = log.client()
    held(log)
    log.write(b"one", client)
    log.aof.close()
    assert (log.file.data, client.sent, client.refusals) == (b"", [], ["the server stops"])


def test_a_group_that_comes_during_a_recovery_is_written_too(log: LogFixture) -> None:
    log.file.room = 0
    log.aof.append(b"one")
    log.loop.turn()
    log.file.room = None
    log.aof.tick()
    log.aof.append(b"two")
    log.loop.turn()
    log.loop.end_threads()
    log.loop.end_threads()
    assert (log.file.data, log.aof.error) == (b"onetwo", None)


def test_what_a_full_disk_took_before_is_synced_all_the_same(log: LogFixture) -> None:
    log.write(b"one", log.client())
    log.loop.turn()
    log.file.room = 0
    log.write(b"two", log.client())
    log.loop.turn()
    log.aof.tick()
    log.loop.end_threads()
    assert (log.aof.error, log.file.synced) == (FULL, 3)


def test_a_close_with_a_full_disk_syncs_what_it_took(log: LogFixture) -> None:
    log.write(b"one", log.client())
    log.loop.turn()
    log.file.room = 0
    log.write(b"two", log.client())
    log.loop.turn()
    log.aof.close()
    assert log.file.synced == 3
