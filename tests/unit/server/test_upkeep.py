"""When all objects are looked at for garbage in cycles."""

import gc

import pytest

from tests.support.fakes import SECOND, FakeClock, FakeOutbox
from tile38py.limits import COLLECT_SECONDS_MAX, COLLECT_WAITING_COUNT_MAX
from tile38py.server.upkeep import PARTIAL_COUNT_MIN, CycleCollector


class Looks:
    """The collector, as far as it can be watched."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.small = PARTIAL_COUNT_MIN + 1
        monkeypatch.setattr(gc, "collect", self._collect)
        monkeypatch.setattr(gc, "get_count", lambda: (0, 0, self.small))

    def _collect(self) -> int:
        self.count += 1
        return 0


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    """A collector that only counts."""
    return Looks(monkeypatch)


def test_it_looks_once_there_may_be_garbage(looks: Looks) -> None:
    clock = FakeClock()
    finder = CycleCollector(clock, FakeOutbox())
    looks.small = 0
    clock.time_ns += SECOND
    finder.tick()
    assert looks.count == 0
    looks.small = PARTIAL_COUNT_MIN + 1
    finder.tick()
    assert looks.count == 1


def test_it_waits_while_many_messages_do_but_not_for_ever(looks: Looks) -> None:
    clock, outbox = FakeClock(), FakeOutbox()
    outbox.waiting_count = COLLECT_WAITING_COUNT_MAX + 1
    finder = CycleCollector(clock, outbox)
    clock.time_ns += SECOND
    finder.tick()
    assert looks.count == 0
    clock.time_ns += int(COLLECT_SECONDS_MAX) * SECOND
    finder.tick()
    assert looks.count == 1
