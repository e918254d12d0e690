"""Syncs of the log are counted with their durations."""

from tests.support.fakes import SECOND, FakeClock, ManualLoop
from tile38py.interfaces.files import SyncFigures
from tile38py.server.sync_timer import SyncTimer


def test_syncs_are_counted_with_their_durations_and_failures() -> None:
    clock, loop, ended = FakeClock(), ManualLoop(), list[OSError | None]()
    timer = SyncTimer(loop.in_thread, clock)
    failure = OSError(5, "Input/output error")

    def sync() -> None:
        clock.time_ns += 2 * SECOND

    def fail() -> None:
        clock.time_ns += SECOND
        raise failure

    for run in (sync, fail):
        timer(run, ended.append)
        loop.end_threads()
    assert ended == [None, failure]
    assert timer.figures == SyncFigures(count=2, failed_count=1, took_ns=3 * SECOND)
