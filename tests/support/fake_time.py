"""An event loop whose time jumps to the next timer as soon as nothing else is left to do."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")
START_NS = 1_700_000_000_000_000_000


class JumpingSelector(selectors.EpollSelector):
    """Waits for nothing: adds what it should have waited to the loop's time."""

    passed_seconds = 0.0

    def select(  # type: ignore[explicit-any] # a key's data may be anything
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now."""
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout:
            self.passed_seconds += timeout
        return ready


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """The loop; also the clock, in both senses."""

    def __init__(self) -> None:
        """A loop at second 0."""
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds, as timers count them."""
        return self._jumping.passed_seconds

    def monotonic_ns(self) -> int:
        """Nanoseconds of the same."""
        return round(self.time() * 1e9) + 1

    def now_ns(self) -> int:
        """Nanoseconds since 1970."""
        return START_NS + self.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._jumping.passed_seconds += seconds


def fake_clock() -> FakeTimeLoop:
    """The clock of the running test."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FakeTimeLoop)
    return loop


def run_in_fake_time(test: Coroutine[object, object, Result]) -> Result:
    """Run a test in a loop of its own."""
    with asyncio.Runner(loop_factory=FakeTimeLoop) as runner:
        return runner.run(test)
