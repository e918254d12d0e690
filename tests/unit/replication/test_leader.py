"""Streams of the log over fakes: any lag, slow and stuck followers, messages, what ends them."""

import random

import pytest

from tests.support.fakes import command
from tests.support.log_follower import LeaderHarness, StreamClient, message
from tile38py._engine import Engine
from tile38py.interfaces import StreamProgress
from tile38py.limits import (
    FOLLOWER_MESSAGES_BYTES_MAX,
    FOLLOWER_PIECE_BYTES,
    FOLLOWER_STUCK_SECONDS_MAX,
)
from tile38py.persistence.aof import ALWAYS

PIECE = FOLLOWER_PIECE_BYTES


@pytest.fixture
def scene() -> LeaderHarness:
    return LeaderHarness()


def test_the_whole_log_comes_and_then_what_is_written(scene: LeaderHarness) -> None:
    scene.write(b"abc", b"def")
    follower = scene.follow(0)
    scene.settle()
    assert follower.received == b"+OK\r\nabcdef"
    scene.aof.append(b"ghi")
    assert follower.received == b"+OK\r\nabcdef"
    scene.loop.turn()
    assert follower.received == b"+OK\r\nabcdefghi"
    assert not scene.loop.threads


@pytest.mark.parametrize("position", range(7))
def test_a_stream_begins_at_any_byte(scene: LeaderHarness, position: int) -> None:
    scene.write(b"abcdef")
    follower = scene.follow(position)
    scene.settle()
    assert follower.received == b"+OK\r\n" + b"abcdef"[position:]


def test_a_stream_may_begin_at_what_waits_to_be_written(scene: LeaderHarness) -> None:
    scene.aof.append(b"abcdef")
    follower = scene.follow(4)
    scene.settle()
    assert follower.received == b"+OK\r\nef"


def test_a_stuck_follower_costs_one_piece(scene: LeaderHarness) -> None:
    scene.write(bytes(5 * PIECE))
    follower = scene.follow(0)
    follower.takes = False
    scene.settle()
    for _ in range(20):
        scene.write(bytes(PIECE))
        scene.settle()
    assert follower.client.unsent <= PIECE + len(b"+OK\r\n")
    assert not scene.loop.threads
    follower.takes = True
    follower.drain()
    scene.settle()
    assert len(follower.received) == len(b"+OK\r\n") + 25 * PIECE


def test_what_is_larger_than_a_piece_is_read_from_the_file(scene: LeaderHarness) -> None:
    follower = scene.follow(0)
    scene.write(b"x" * (3 * PIECE))
    assert follower.received == b"+OK\r\n"
    scene.settle()
    assert follower.received == b"+OK\r\n" + b"x" * (3 * PIECE)


def test_a_message_goes_behind_what_was_logged_before_it(scene: LeaderHarness) -> None:
    follower = scene.follow(0)
    scene.aof.append(b"set1")
    scene.leader.publish(b"c", b"1")
    scene.aof.append(b"set2")
    scene.leader.publish(b"c", b"2")
    assert follower.received == b"+OK\r\n"
    scene.settle()
    assert follower.received == b"+OK\r\nset1" + message(b"1") + b"set2" + message(b"2")
    scene.leader.publish(b"c", b"3")
    assert follower.received.endswith(b"set2" + message(b"2") + message(b"3"))


def test_messages_are_not_counted_in_positions(scene: LeaderHarness) -> None:
    follower = scene.follow(0)
    scene.leader.publish(b"c", b"1")
    scene.write(b"set1")
    scene.settle()
    assert scene.progress(follower).offset == 4
    assert scene.aof.size == 4


def test_messages_at_any_lag_stand_between_commands() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(30):
        _random_run(chance)


def _random_run(chance: random.Random) -> None:
    scene = LeaderHarness(ALWAYS if chance.random() < 0.5 else "everysec")
    scene.write(*(command(b"OLD", b"x" * chance.randrange(100)) for _ in range(5)))
    start = chance.randrange(scene.aof.size + 1)
    follower = scene.follow(start)
    expected = b"+OK\r\n" + scene.file.data[start:]
    for number in range(200):
        match chance.randrange(7):
            case 0:
                follower.takes = not follower.takes
            case 1:
                scene.leader.publish(b"c", b"%d" % number)
                expected += message(b"%d" % number)
            case 2:
                scene.loop.turn()
            case 3:
                scene.loop.end_threads()
            case 4:
                follower.drain()
            case _:
                size = chance.choice((10, 1000, PIECE))
                words = command(b"SET", b"%d" % number, b"x" * chance.randrange(size))
                scene.aof.append(words)
                expected += words
    follower.takes = True
    follower.drain()
    scene.settle()
    assert follower.received == expected


def test_messages_that_wait_are_bounded_and_counted(scene: LeaderHarness) -> None:
    follower = scene.follow(0)
    follower.client.listening.pause()
    text = b"x" * (FOLLOWER_MESSAGES_BYTES_MAX // 10)
    for _ in range(12):
        scene.leader.publish(b"c", text)
    assert scene.leader.dropped_count == 3
    assert scene.warnings == ["127.0.0.1:5001 lags, messages to it are dropped"]
    follower.client.listening.resume()
    assert follower.received == b"+OK\r\n" + 9 * message(text)


def test_a_message_of_any_size_goes_at_once_to_who_takes_it(scene: LeaderHarness) -> None:
    follower = scene.follow(0)
    text = b"x" * (FOLLOWER_MESSAGES_BYTES_MAX + 1)
    scene.leader.publish(b"c", text)
    assert follower.received == b"+OK\r\n" + message(text)


def test_a_follower_that_takes_nothing_for_long_is_cut(scene: LeaderHarness) -> None:
    follower, other = scene.follow(0), scene.follow(0)
    follower.takes = False
    scene.write(bytes(PIECE))
    scene.settle()
    scene.pass_seconds(FOLLOWER_STUCK_SECONDS_MAX - 1)
    assert not follower.is_cut()
    scene.pass_seconds(2)
    assert follower.is_cut()
    assert not other.is_cut()
    assert scene.warnings == [
        "Follower 127.0.0.1:5001 takes nothing of the log for 60 s, connection cut"
    ]
    assert scene.leader.count == 1


def test_a_slow_follower_is_not_cut(scene: LeaderHarness) -> None:
    follower = scene.follow(0)
    follower.takes = False
    scene.write(bytes(PIECE))
    scene.settle()
    for _ in range(5):
        scene.pass_seconds(FOLLOWER_STUCK_SECONDS_MAX - 1)
        follower.take(1000)
    assert not follower.is_cut()


def test_an_idle_follower_is_not_cut(scene: LeaderHarness) -> None:
    follower = scene.follow(0)
    scene.pass_seconds(10 * FOLLOWER_STUCK_SECONDS_MAX)
    assert not follower.is_cut()


def test_another_log_ends_all_streams(scene: LeaderHarness) -> None:
    followers = [scene.follow(0), scene.follow(0)]
    scene.write(bytes(2 * PIECE))
    scene.leader.cut_all()
    assert all(follower.is_cut() for follower in followers)
    scene.settle()
    assert [follower.received for follower in followers] == [b"+OK\r\n"] * 2
    assert scene.leader.count == 0


def test_bytes_of_a_failed_sync_are_sent_once() -> None:
    scene = LeaderHarness(ALWAYS)
    follower = scene.follow(0)
    scene.file.sync_error = OSError(5, "I/O error")
    scene.aof.append(b"abc")
    scene.settle()
    assert scene.file.data == b""
    assert follower.received == b"+OK\r\nabc"
    scene.file.sync_error = None
    scene.aof.tick()
    scene.settle()
    scene.write(b"def")
    scene.settle()
    assert scene.file.data == b"abcdef"
    assert follower.received == b"+OK\r\nabcdef"


def test_nothing_is_sent_that_the_disk_did_not_take(scene: LeaderHarness) -> None:
    follower = scene.follow(0)
    scene.file.room = 2
    scene.write(b"abc")
    scene.leader.publish(b"c", b"1")
    scene.settle()
    assert follower.received == b"+OK\r\n"
    scene.file.room = None
    scene.aof.tick()
    scene.settle()
    assert follower.received == b"+OK\r\nabc" + message(b"1")


def test_a_log_that_cannot_be_read_ends_the_stream(scene: LeaderHarness) -> None:
    scene.write(b"abc")
    follower = scene.follow(0)
    scene.file.data = b""
    scene.settle()
    assert follower.is_cut()
    assert "can't be sent the log: it ends before 3" in scene.warnings[0]


def test_a_stream_that_is_to_end_sends_all_before(scene: LeaderHarness) -> None:
    scene.write(bytes(3 * PIECE))
    follower = scene.follow(0)
    follower.client.listening.send(b"", is_last=True)
    assert not follower.is_cut()
    scene.settle()
    assert follower.is_cut()
    assert len(follower.received) == len(b"+OK\r\n") + 3 * PIECE


def test_the_reply_comes_first_also_behind_replies_that_wait(scene: LeaderHarness) -> None:
    scene.write(b"abc")
    client = StreamClient(Engine().session())
    scene.aof.append(b"def")
    scene.leader.attach(client, 0)
    client.listening.send(b"+PONG\r\n", is_last=False)
    scene.settle()
    assert client.pushed == [b"+PONG\r\n"]
    client.listening.send(b"+OK\r\n", is_last=False)
    scene.settle()
    assert b"".join(client.pushed) == b"+PONG\r\n+OK\r\nabcdef"


def test_progress_is_what_left_and_since_when_something_waits(scene: LeaderHarness) -> None:
    follower = scene.follow(0)
    scene.write(b"abcdef")
    assert scene.progress(follower) == StreamProgress(6, 0, 0)
    scene.pass_seconds(5)
    follower.takes = False
    scene.write(b"ghi")
    assert scene.progress(follower) == StreamProgress(6, 0, 0)
    scene.pass_seconds(7)
    assert scene.progress(follower) == StreamProgress(6, 7, 0)
    assert scene.leader.lag_seconds_max() == 7
    follower.drain()
    assert scene.progress(follower) == StreamProgress(9, 0, 0)
    assert scene.leader.progress(StreamClient(Engine().session(), 9)) is None
