"""A log that is rewritten while it is written: every order, every error, every crash."""

import errno
import os
import random

import pytest

from tests.support.fake_disk import LOG, FakeDisk, PowerLossError
from tests.support.shrinking import ShrinkHarness, load
from tile38py.persistence.aof import ALWAYS, EVERYSEC
from tile38py.persistence.shrink import duration_text

POLICIES = (ALWAYS, EVERYSEC, "no")
SEEDS = range(12)
ACTIONS = 60
SHRINK = LOG + "-shrink"


def act_at_random(world: ShrinkHarness, seed: int) -> None:
    """Writes, turns and threads in some order, with a shrink among them."""
    chance = random.Random(seed)
    start = chance.randrange(10)
    for number in range(ACTIONS):
        if number in {start, start + 30}:
            world.shrinker.start()
        world.act(chance)
    world.settle()


def operations_of(policy: str, seed: int) -> list[str]:
    world = ShrinkHarness(policy=policy)
    act_at_random(world, seed)
    return world.disk.operations


@pytest.mark.parametrize("policy", POLICIES)
def test_the_new_log_says_the_same_and_is_shorter(policy: str) -> None:
    world = ShrinkHarness(policy=policy)
    world.shrinker.start()
    world.settle()
    assert world.disk.after_kill() == {LOG: b"a=12\nb=0\n"}
    assert world.aof.size == world.aof.size_written == 9
    assert (world.infos, world.errors) == (["aof shrink ended 0.0ms"], [])
    assert world.disk.opened == 1


@pytest.mark.parametrize("policy", POLICIES)
def test_the_new_log_is_synced_with_its_name_by_the_end(policy: str) -> None:
    world = ShrinkHarness(policy=policy)
    world.shrinker.start()
    world.settle()
    assert world.disk.after_power_loss()[LOG] == b"a=12\nb=0\n"


@pytest.mark.parametrize("policy", POLICIES)
def test_writes_during_a_shrink_are_in_the_new_log(policy: str) -> None:
    world = ShrinkHarness(policy=policy)
    world.write(b"a+7")  # waits while the snapshot that has it is taken
    world.shrinker.start()
    world.write(b"a+8")
    world.settle()
    world.write(b"a+9")
    world.settle()
    assert load(world.disk.after_kill()[LOG]) == {b"a": b"12789", b"b": b"0"}
    assert world.writer.acknowledged == 3


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_of_events_leaves_the_live_state(policy: str, seed: int) -> None:
    world = ShrinkHarness(policy=policy)
    act_at_random(world, seed)
    assert load(world.disk.after_kill()[LOG]) == world.data.state
    assert world.writer.acknowledged == len(world.states) - 1
    assert world.aof.size == world.file.size()
    assert (world.disk.opened, world.errors, world.shrinker.figures.failed_count) == (1, [], 0)
    assert world.shrinker.figures.count >= 1


def crash(world: ShrinkHarness, seed: int) -> None:
    with pytest.raises(PowerLossError):
        act_at_random(world, seed)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_kill_before_any_operation_keeps_what_was_acknowledged(policy: str, seed: int) -> None:
    for number in range(len(operations_of(policy, seed))):
        world = ShrinkHarness(policy=policy)
        world.disk.stop_at = number
        crash(world, seed)
        assert world.known(world.disk.after_kill()) >= world.writer.acknowledged


@pytest.mark.parametrize("seed", SEEDS)
def test_a_loss_of_power_under_always_keeps_what_was_acknowledged(seed: int) -> None:
    for number in range(len(operations_of(ALWAYS, seed))):
        world = ShrinkHarness(policy=ALWAYS)
        world.disk.stop_at = number
        crash(world, seed)
        assert world.known(world.disk.after_power_loss()) >= world.writer.acknowledged


@pytest.mark.parametrize("seed", SEEDS)
def test_a_loss_of_power_under_everysec_keeps_what_was_synced(seed: int) -> None:
    for number in range(len(operations_of(EVERYSEC, seed))):
        world = ShrinkHarness(policy=EVERYSEC)
        world.disk.stop_at = number
        safe = 0
        chance = random.Random(seed)
        with pytest.raises(PowerLossError):
            while True:
                world.shrinker.start()
                for _ in range(10):
                    world.act(chance)
                acknowledged = world.writer.acknowledged
                world.settle()
                world.aof.tick()
                world.settle()
                safe = acknowledged
        assert world.known(world.disk.after_power_loss()) >= safe


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("seed", SEEDS)
def test_an_error_of_any_operation_loses_nothing(policy: str, number: int, seed: int) -> None:
    for at in range(len(operations_of(policy, seed))):
        world = ShrinkHarness(policy=policy)
        world.disk.fail_at, world.disk.error = at, number
        act_at_random(world, seed)
        world.aof.tick()
        world.settle()
        world.aof.tick()
        world.settle()
        assert world.aof.error is None
        assert load(world.disk.after_kill()[LOG]) == world.data.state
        assert world.aof.size == world.file.size()
        assert world.disk.opened == 1
        failed_to_remove = world.disk.operations[at].startswith("remove")
        assert failed_to_remove or set(world.disk.names) == {LOG}


def test_an_error_is_told_and_the_old_log_stays() -> None:
    world = ShrinkHarness()
    world.disk.fail_at = 1
    world.disk.error = errno.ENOSPC
    world.shrinker.start()
    world.settle()
    assert world.disk.operations[:2] == [f"create {SHRINK}", f"write {SHRINK}"]
    assert world.errors == [f"aof shrink failed: {os.strerror(errno.ENOSPC)}"]
    assert world.infos == ["aof shrink ended 0.0ms"]
    assert world.disk.after_kill() == {LOG: b"a=0\nb=0\na=1\na+2\n"}
    assert world.shrinker.figures.last_error == os.strerror(errno.ENOSPC)
    world.disk.fail_at = None
    world.shrinker.start()
    world.settle()
    figures = world.shrinker.figures
    assert (figures.last_error, figures.count, figures.failed_count) == (None, 2, 1)
    assert (figures.failed_in_a_row, figures.size_base) == (0, 9)


def test_a_fault_at_the_swap_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("no room")

    world = ShrinkHarness()
    monkeypatch.setattr("tests.support.fake_disk.FakeFolder.put_in_place", fail)
    world.shrinker.start()
    world.write(b"a+3")
    world.settle()
    assert world.errors == ["aof shrink failed: MemoryError: no room"]
    assert not world.shrinker.figures.is_running
    world.write(b"a+4")
    world.settle()
    assert world.writer.acknowledged == 2
    assert world.disk.after_kill() == {LOG: b"a=0\nb=0\na=1\na+2\na+3\na+4\n"}


def test_only_one_runs_at_a_time() -> None:
    world = ShrinkHarness()
    world.shrinker.start()
    world.shrinker.start()
    assert len(world.loop.threads) == 1
    world.settle()
    assert world.shrinker.figures.count == 1


def test_everysec_syncs_nothing_on_the_loop() -> None:
    world = ShrinkHarness()
    world.shrinker.start()
    before = len(world.disk.operations)
    while "rename" not in world.disk.operations:
        world.loop.turn()
        before = len(world.disk.operations)
        world.end_thread()
    # The last thread ended with the rewrite's sync; all behind it happened on the loop.
    on_loop = world.disk.operations[before:]
    assert on_loop[on_loop.index("rename") - 1].startswith("sync")
    assert not any(name.startswith("sync") for name in on_loop[on_loop.index("rename") :])


def test_always_holds_writers_until_the_new_log_is_safe() -> None:
    world = ShrinkHarness(policy=ALWAYS)
    world.shrinker.start()
    world.end_thread()
    world.write(b"a=9")
    world.loop.turn()
    assert world.writer.acknowledged == 0
    world.settle()
    assert world.writer.acknowledged == 1
    assert world.disk.after_power_loss() == {LOG: b"a=12\nb=0\na=9\n"}


def test_what_the_old_log_had_synced_is_safe_in_the_new_one_before_it_has_the_name() -> None:
    world = ShrinkHarness()
    world.shrinker.start()
    world.write(b"a+7")
    world.loop.turn()
    world.aof.tick()
    world.end_thread(1)  # the sync of the old log, while the snapshot is still being written
    assert load(world.disk.names[LOG].synced) == world.data.state
    while "rename" not in world.disk.operations:
        world.loop.turn()
        if world.loop.threads:
            world.end_thread()
    # The system may bring a new name to the disk whenever it likes.
    assert load(world.disk.names[LOG].synced) == world.data.state


def test_a_cancelled_shrink_leaves_the_old_log() -> None:
    world = ShrinkHarness()
    ended: list[str] = []
    world.shrinker.start()
    world.shrinker.cancel(lambda: ended.append("first"))
    assert ended == []
    world.settle()
    world.shrinker.cancel(lambda: ended.append("second"))
    assert ended == ["first", "second"]
    assert world.errors == ["aof shrink failed: cancelled"]
    assert world.disk.after_kill() == {LOG: b"a=0\nb=0\na=1\na+2\n"}
    assert world.disk.opened == 1


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_cancel_at_any_time_loses_nothing(policy: str, seed: int) -> None:
    for steps in range(0, ACTIONS, 3):
        world, chance = ShrinkHarness(policy=policy), random.Random(seed)
        world.shrinker.start()
        for _ in range(steps):
            world.act(chance)
        world.shrinker.close(lambda: None)
        world.shrinker.start()
        world.settle()
        assert not world.shrinker.figures.is_running
        assert load(world.disk.after_kill()[LOG]) == world.data.state
        assert set(world.disk.names) == {LOG}


def test_no_shrink_starts_on_a_log_that_cannot_be_written() -> None:
    world = ShrinkHarness()
    world.disk.fail_at = 0
    world.write(b"a=9")
    world.loop.turn()
    world.shrinker.start()
    assert world.errors == [f"aof shrink failed: {os.strerror(errno.EIO)}"]
    assert not world.loop.threads


def test_a_long_tail_is_copied_in_rounds_before_the_swap() -> None:
    world = ShrinkHarness()
    world.shrinker.start()
    world.write(b"a=" + b"x" * 300_000)
    world.loop.turn()
    world.end_thread()
    assert "rename" not in world.disk.operations
    world.settle()
    assert world.disk.operations.count(f"sync {SHRINK}") >= 2
    assert load(world.disk.after_kill()[LOG]) == world.data.state


def test_readers_of_positions_are_told_of_the_swap() -> None:
    world = ShrinkHarness()
    sizes: list[int] = []
    world.aof.on_replaced(lambda: sizes.append(world.aof.size))
    world.shrinker.start()
    world.settle()
    assert sizes == [9]


def test_growth_is_measured_from_a_log_that_others_put_in_place() -> None:
    world = ShrinkHarness()
    world.disk.put(b"a=1\n", "other")
    world.aof.pause(lambda: None)
    world.aof.replace(world.disk.open("other"), 4, sync_name=None, keep_pending=False)
    world.aof.resume()
    assert world.shrinker.figures.size_base == 4


def test_the_files_of_a_disk_are_what_was_synced() -> None:
    disk = FakeDisk()
    disk.put(b"one")
    file = disk.open()
    file.write(b"two")
    assert (disk.after_kill(), disk.after_power_loss()) == ({LOG: b"onetwo"}, {LOG: b"one"})
    file.sync()
    assert disk.after_power_loss() == {LOG: b"onetwo"}


def test_durations_are_short() -> None:
    assert (duration_text(111_912_345), duration_text(1_700_000_000)) == ("111.9ms", "1.7s")
