"""The sweeper: removes, logs, and leaves alone what it can't log."""

from tests.support.bench import Bench
from tests.support.fakes import SECOND, command
from tile38py.expiry import ExpirySweeper
from tile38py.limits import EXPIRE_COUNT_MAX


def prepared(count: int) -> tuple[Bench, ExpirySweeper]:
    bench = Bench()
    for number in range(count):
        bench.call("SET", "fleet", f"{number:05d}", "EX", "10", "POINT", "1", "2")
    bench.fake_journal.data = b""
    bench.clock.time_ns += 11 * SECOND
    sweeper = ExpirySweeper(
        engine=bench.engine,
        clock=bench.clock,
        journal=bench.journal,
        gates=bench.gates,
        router=bench.router,
        log=bench.log_lines.append,
    )
    return bench, sweeper


def test_what_is_overdue_is_removed_and_logged() -> None:
    bench, sweeper = prepared(2)
    assert sweeper.sweep() is False
    expected = command(b"del", b"fleet", b"00000") + command(b"del", b"fleet", b"00001")
    assert bench.fake_journal.data == expected
    assert bench.log_lines == ["Expired 2 objects"]
    assert bench.engine.statistics()["num_objects"] == 0


def test_many_are_removed_in_slices() -> None:
    bench, sweeper = prepared(EXPIRE_COUNT_MAX + 1)
    assert sweeper.sweep() is True
    assert bench.engine.statistics()["num_objects"] == 1
    assert sweeper.sweep() is False


def test_nothing_is_removed_while_loading_or_without_a_log() -> None:
    bench, sweeper = prepared(1)
    bench.gates.log_error = "no space"
    assert sweeper.sweep() is False
    bench.gates.log_error = None
    bench.gates.is_loading = True
    assert sweeper.sweep() is False
    assert bench.engine.statistics()["num_objects"] == 1


def test_readonly_does_not_keep_objects_alive() -> None:
    bench, sweeper = prepared(1)
    bench.call("READONLY", "yes")
    sweeper.sweep()
    assert bench.engine.statistics()["num_objects"] == 0


def test_a_follower_removes_and_logs_nothing_until_it_is_promoted() -> None:
    bench, sweeper = prepared(2)
    bench.gates.is_following = True
    bench.gates.apply()
    sweeper.sweep()
    assert bench.fake_journal.data == b""
    assert bench.engine.statistics()["num_objects"] == 0
    bench.gates.is_following = False
    bench.gates.apply()
    bench.call("SET", "fleet", "own", "EX", "1", "POINT", "1", "2")
    bench.fake_journal.data = b""
    bench.clock.time_ns += 2 * SECOND
    sweeper.sweep()
    left_by_the_former = [command(b"del", b"fleet", b"%05d" % index) for index in range(2)]
    own = command(b"del", b"fleet", b"own")
    assert bench.fake_journal.data == b"".join([*left_by_the_former, own])
