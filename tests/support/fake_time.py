"""An event loop whose time jumps to the next timer as soon as no callback is ready."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")
START_NS = 1_700_000_000_000_000_000


class JumpingSelector(selectors.EpollSelector):
    """A selector that never waits: it adds the timeout to the loop's time instead."""

    passed_seconds = 0.0

    def select(  # type: ignore[explicit-any] # a key's data may be anything
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """Return the events that are ready now."""
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout:
            self.passed_seconds += timeout
        return ready


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """An event loop with fake time, which is also a Clock."""

    def __init__(self) -> None:
        """Create a loop at second 0."""
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the time of the loop in seconds."""
        return self._jumping.passed_seconds

    def monotonic_ns(self) -> int:
        """Return the time of the loop in nanoseconds, from 1 on."""
        return round(self.time() * 1e9) + 1

    def now_ns(self) -> int:
        """Return nanoseconds since 1970."""
        return START_NS + self.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        """Advance the time."""
        self._jumping.passed_seconds += seconds


def fake_clock() -> FakeTimeLoop:
    """Return the running loop, which is the clock of the test."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FakeTimeLoop)
    return loop


def run_in_fake_time(test: Coroutine[object, object, Result]) -> Result:
    """Run a test in a new loop with fake time."""
    with asyncio.Runner(loop_factory=FakeTimeLoop) as runner:
        return runner.run(test)
