"""What a follower says to its leader, byte by byte, and what it makes of the answers."""

import asyncio
import errno
import json
import os
from itertools import pairwise

import pytest

from tests.support.fake_disk import LOG, FakeFile, FakeFolder
from tests.support.fake_leader import FakeLeader
from tests.support.fakes import command
from tests.support.follower_world import LEADER, FollowerWorld
from tests.support.following import play, sets
from tile38py.errors import CommandError
from tile38py.interfaces.following import LeaderAddress
from tile38py.replication.leader_connection import LeaderError

HELLO = [b"server", b"replconf listening-port 7777", b"replconf ack 0"]


def test_a_new_follower_asks_for_everything() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        assert world.requests() == [[*HELLO, b"aof 0"]]
        assert world.bench.gates.caught_up_once
        assert "caught up" in world.bench.log_lines
        world.leader.append(sets(3, 5))
        await world.caught_up()
        assert world.follower.offset == len(world.leader.log)
        assert world.bench.engine.statistics()["num_objects"] == 5

    play(scenario, FakeLeader(sets(0, 3)))


def test_a_password_and_an_announced_address_are_said() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        head = [b"auth secret", b"server"]
        tail = [
            b"replconf listening-port 8888",
            b"replconf ip-address 10.0.0.1",
            b"replconf ack 0",
        ]
        aside = [b"auth secret", b"aofmd5 0 %d" % len(own), b"aofmd5 0 %d" % len(own), b"quit"]
        assert world.requests() == [[*head, *tail, b"aof %d" % len(own)], aside]

    async def prepared(world: FollowerWorld) -> None:
        world.set_password("secret")
        world.bench.config.set("replica_announce_ip", "10.0.0.1")
        world.bench.config.set("replica_announce_port", "8888")
        world.follower.follow(LEADER, world.follower.next_number())
        await scenario(world)

    own = sets(0, 2)
    leader = FakeLeader(sets(0, 9))
    leader.password = b"secret"
    play(prepared, leader, own, follows=False)


def test_an_intact_log_goes_on_in_its_file() -> None:
    async def scenario(world: FollowerWorld) -> None:
        content = world.disk.names[LOG]
        await world.caught_up()
        world.leader.cut()
        world.leader.log += sets(9, 12)
        await world.caught_up()
        assert world.disk.names[LOG] is content
        assert not world.errors

    play(scenario, FakeLeader(sets(0, 9)), sets(0, 4))


def test_sums_are_asked_for_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(sets(0, 4))
    monkeypatch.setattr("tile38py.replication.log_comparison.LEADER_DIGEST_BYTES_MAX", size - 10)

    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        pieces = [b"aofmd5 0 %d" % (size - 10), b"aofmd5 %d 10" % (size - 10)]
        assert world.requests()[1] == [*pieces, *pieces, b"quit"]

    play(scenario, FakeLeader(sets(0, 9)), sets(0, 4))


def test_a_leader_is_told_what_was_run_and_logged() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        acknowledged = world.leader.acknowledged
        assert acknowledged is not None
        await world.until(lambda: acknowledged == [len(world.leader.log)])
        world.leader.append(sets(4, 5) + sets(5, 6)[:-9])
        await world.until(lambda: acknowledged[-1] == len(sets(0, 5)))
        world.leader.append(sets(5, 6)[-9:])
        await world.until(lambda: acknowledged[-1] == len(world.leader.log))
        assert len(acknowledged) <= 4

    leader = FakeLeader(sets(0, 4))
    leader.acknowledged = []
    play(scenario, leader)


def test_a_transaction_is_run_in_one_step_however_it_arrives() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        counts = set()
        for byte in transaction:
            world.leader.append(bytes([byte]))
            await asyncio.sleep(0.01)
            counts.add(world.bench.engine.statistics()["num_objects"])
        await world.caught_up()
        counts.add(world.bench.engine.statistics()["num_objects"])
        assert counts == {4, 9}
        assert world.log == world.leader.log

    transaction = sets(4, 9).replace(b"SET", b"seT", 4)
    play(scenario, FakeLeader(sets(0, 4)))


def test_what_differs_gives_way_at_once_and_in_whole() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        assert list(world.disk.names) == [LOG]
        assert world.disk.opened == 1
        assert world.bench.engine.statistics()["num_objects"] == 9
        position = len(sets(0, 4))
        assert world.requests()[0][-1] == b"aof %d" % position

    play(scenario, FakeLeader(sets(0, 9)), sets(0, 4) + sets(0, 7, b"old"))


def test_an_empty_leader_empties_its_follower() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        assert world.log == b""
        assert world.bench.engine.statistics()["num_objects"] == 0

    play(scenario, FakeLeader(), sets(0, 4))


def test_a_cut_while_copying_goes_on_from_the_copy() -> None:
    async def scenario(world: FollowerWorld) -> None:
        leader = world.leader
        whole, leader.log = leader.log, leader.log[: len(leader.log) // 2]
        leader.facts[b"aof_size"] = b"%d" % len(whole)
        await world.until(lambda: world.follower.offset == len(leader.log))
        assert world.bench.engine.statistics()["num_objects"] == 4  # the old data
        half, leader.log = leader.log, whole
        leader.cut()
        await world.caught_up()
        assert leader.streams[-2].requests[-1] == b"aof %d" % len(half)

    # Half of ten commands of the same length ends behind the fifth.
    play(scenario, FakeLeader(sets(0, 10)), sets(0, 4, b"old"))


def test_messages_are_handed_on_and_not_logged() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        other = world.bench.new_client()
        world.bench.call("SUBSCRIBE", "news", client=other)
        world.leader.push(command(b"PUBLISH", b"news", b"hello"))
        world.leader.append(sets(1, 2))
        await world.caught_up()
        world.bench.loop.turn()
        assert b"hello" in other.taken()

    play(scenario, FakeLeader(sets(0, 1)))


def test_what_changes_nothing_is_logged_all_the_same() -> None:
    async def scenario(world: FollowerWorld) -> None:
        world.leader.append(command(b"DEL", b"k", b"nothing") + command(b"del", b"k", b"0"))
        world.leader.append(command(b"FSET", b"k", b"nothing", b"x", b"1"))
        await world.caught_up()

    play(scenario, FakeLeader(sets(0, 2)))


def test_a_command_that_fails_ends_the_session_and_is_told_once() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        world.leader.append(sets(2, 3) + command(b"bogus") + sets(3, 4))
        await world.until(lambda: len(world.leader.streams) > 6)
        assert world.errors == ["follow: unknown command 'bogus'"]
        assert world.log == sets(0, 3)

    play(scenario, FakeLeader(sets(0, 2)))


@pytest.mark.parametrize(
    ("replies", "facts", "error"),
    [
        ({b"server": b"-ERR authentication required\r\n"}, {}, "ERR authentication required"),
        ({b"server": b"-LOADING later\r\n"}, {}, "LOADING later"),
        ({b"server": b"HTTP/1.1 400 Bad Request\r\n"}, {}, "invalid reply"),
        ({b"server": b"*99999999\r\n"}, {}, "invalid reply"),
        ({b"server": b"$99999999999\r\n"}, {}, "invalid reply"),
        ({b"server": b"*x\r\n"}, {}, "invalid reply"),
        ({b"server": b"+OK\r\n"}, {}, "invalid id"),
        ({b"server": b""}, {}, "EOF"),
        ({b"server": None}, {}, "i/o timeout"),
        ({}, {b"id": b""}, "invalid id"),
        ({}, {b"aof_size": b"x"}, "invalid aof_size"),
    ],
)
def test_a_leader_that_will_not_do(
    replies: dict[bytes, bytes | None], facts: dict[bytes, bytes], error: str
) -> None:
    async def scenario(world: FollowerWorld) -> None:
        found = await world.follower.probe(LeaderAddress("leader", 1), lambda error: error)
        assert isinstance(found, CommandError)
        assert str(found) == f"cannot follow: {error}"

    leader = FakeLeader()
    leader.replies, leader.facts = replies, facts
    play(scenario, leader, follows=False)


@pytest.mark.parametrize(
    ("facts", "error"),
    [({b"id": b"us"}, "self"), ({b"following": b"other:1"}, "a follower")],
)
def test_a_server_that_cannot_lead(facts: dict[bytes, bytes], error: str) -> None:
    async def scenario(world: FollowerWorld) -> None:
        found = await world.follower.probe(LeaderAddress("leader", 1), lambda error: error)
        assert str(found) == f"cannot follow {error}"
        assert world.requests() == [[b"server"]]
        assert world.leader.streams[0].is_closed

    leader = FakeLeader()
    leader.facts = facts
    play(scenario, leader, follows=False)


def test_a_wrong_password_is_the_leaders_to_refuse() -> None:
    async def scenario(world: FollowerWorld) -> None:
        world.set_password("wrong")
        found = await world.follower.probe(LeaderAddress("leader", 1), lambda error: error)
        assert str(found) == "cannot follow: ERR invalid password"

    play(scenario, FakeLeader(), follows=False)


def test_an_unreachable_leader_is_told_once_and_tried_again() -> None:
    async def scenario(world: FollowerWorld) -> None:
        world.leader.error = LeaderError("dial tcp 127.0.0.1:1: connect: connection refused")
        world.leader.cut()
        await world.until(lambda: bool(world.errors))
        assert world.follower.offset == 0
        before = world.loop.time()
        await world.until(lambda: world.loop.time() > before + 20)
        world.leader.error = None
        await world.caught_up()
        assert world.errors == ["follow: dial tcp 127.0.0.1:1: connect: connection refused"]

    play(scenario, FakeLeader(sets(0, 1)))


def test_sessions_that_bring_nothing_lie_farther_and_farther_apart() -> None:
    async def scenario(world: FollowerWorld) -> None:
        for _ in range(2):
            await world.caught_up()
            world.leader.error = LeaderError("nobody listens")
            world.leader.cut()
            world.leader.tries.clear()
            await world.until(lambda: len(world.leader.tries) >= 10)
            pauses = [after - at for at, after in pairwise(world.leader.tries)]
            assert [round(pause) for pause in pauses] == [1, 1, 1, 1, 2, 4, 8, 8, 8]
            world.leader.error = None

    play(scenario, FakeLeader(sets(0, 1)))


def test_a_leader_that_became_a_follower_is_left_for_its_leader() -> None:
    async def scenario(world: FollowerWorld) -> None:
        head = world.leader.others["head"] = FakeLeader(sets(0, 3))
        await world.caught_up()
        world.leader.facts[b"following"] = b"head:1234"
        world.leader.cut()
        head.append(sets(3, 5))
        await world.until(lambda: world.log == head.log and world.follower.is_caught_up)
        assert world.errors == ["follow: cannot follow a follower"]
        assert world.follower.leader == LeaderAddress("head", 1234)
        assert "following new host 'head' '1234'." in world.bench.log_lines
        saved = json.loads(world.bench.settings_file.data)
        assert (saved["follow_host"], saved["follow_port"]) == ("head", 1234)

    play(scenario, FakeLeader(sets(0, 3)))


def test_a_head_that_cannot_be_saved_is_not_followed() -> None:
    async def scenario(world: FollowerWorld) -> None:
        world.leader.others["head"] = FakeLeader(sets(0, 3))
        await world.caught_up()
        world.bench.settings_file.error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        world.leader.facts[b"following"] = b"head:1234"
        world.leader.cut()
        await world.until(lambda: len(world.errors) > 1)
        assert world.errors[0] == "follow: cannot follow a follower"
        assert os.strerror(errno.ENOSPC) in world.errors[1]
        assert world.follower.leader == LEADER

    play(scenario, FakeLeader(sets(0, 3)))


def test_the_age_of_what_is_read_is_told() -> None:
    async def scenario(world: FollowerWorld) -> None:
        assert world.follower.stale_seconds == -1
        world.follower.follow(LEADER, world.follower.next_number())
        await world.caught_up()
        assert world.follower.stale_seconds == 0
        world.leader.error = LeaderError("nobody listens")
        world.leader.cut()
        before = world.loop.time()
        await world.until(lambda: world.loop.time() > before + 30)
        assert world.follower.stale_seconds == 30
        world.leader.error = None
        await world.caught_up()
        assert world.follower.stale_seconds == 0

    play(scenario, FakeLeader(sets(0, 1)), follows=False)


def test_nobody_is_followed_at_once() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.caught_up()
        world.leader.append(sets(2, 3))
        world.follower.follow(None, world.follower.next_number())
        await world.until(lambda: world.leader.streams[0].is_closed)
        assert world.log == sets(0, 2)
        assert world.bench.call("SET", "k", "own", "POINT", "1", "1") == b"+OK\r\n"

    play(scenario, FakeLeader(sets(0, 2)))


def test_a_leader_that_replaced_its_log_meanwhile_is_found_out() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.until(lambda: bool(world.errors))
        assert world.errors == ["follow: the leader's log was replaced"]
        assert world.log == sets(0, 4)
        await world.caught_up()

    class Shrinking(FakeLeader):
        def reply(self, stream: object, words: list[bytes]) -> bytes | None:
            if words[0] == b"replconf" and not self.facts:
                self.log, self.facts[b"x"] = sets(5, 9) + sets(0, 4), b""
            return super().reply(stream, words)  # type: ignore[arg-type]

    play(scenario, Shrinking(sets(0, 8)), sets(0, 4))


def test_a_leader_that_has_less_than_it_said_is_asked_again() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.until(lambda: world.follower.offset == len(world.leader.log))
        assert not world.follower.is_caught_up
        world.leader.facts.clear()
        await world.caught_up()
        assert world.errors == ["follow: i/o timeout"]

    leader = FakeLeader(sets(0, 8))
    leader.facts[b"aof_size"] = b"%d" % (2 * len(leader.log))
    play(scenario, leader)


def test_a_rewrite_of_our_own_log_does_not_hold_up_the_catching_up() -> None:
    async def scenario(world: FollowerWorld) -> None:
        await world.until(lambda: world.follower.offset == len(world.leader.log))
        file = world.disk.open()
        file.inode.data = sets(7, 8)
        world.aof.pause(lambda: None)
        world.aof.replace(file, file.size(), sync_name=None).close()
        world.aof.resume()
        world.leader.append(sets(8, 16))
        await world.until(lambda: world.follower.is_caught_up)
        assert not world.errors

    leader = FakeLeader(sets(0, 8))
    leader.facts[b"aof_size"] = b"%d" % len(sets(0, 16))
    play(scenario, leader)


def test_a_copy_that_is_interrupted_as_it_begins_leaves_no_file_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worlds: list[FollowerWorld] = []

    class Interrupting(FakeFolder):
        def create(self, suffix: str) -> FakeFile:
            worlds[0].follower.follow(None, worlds[0].follower.next_number())
            return super().create(suffix)

    async def scenario(world: FollowerWorld) -> None:
        worlds.append(world)
        world.follower.follow(LEADER, world.follower.next_number())
        await world.until(lambda: f"create {LOG}-resync" in world.disk.operations)
        await world.until(lambda: list(world.disk.names) == [LOG])
        assert world.disk.opened == 1

    monkeypatch.setattr("tests.support.follower_world.FakeFolder", Interrupting)
    play(scenario, FakeLeader(sets(0, 8)), sets(0, 4, b"old"), follows=False)
