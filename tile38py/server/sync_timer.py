"""The duration of the log's syncs, for the metrics. Runs them on a thread; decides nothing."""

from collections.abc import Callable

from tile38py.interfaces import Clock
from tile38py.interfaces.files import InThread, SyncFigures


class SyncTimer:
    """Runs syncs on a thread and counts them."""

    def __init__(self, in_thread: InThread, clock: Clock) -> None:
        self.figures = SyncFigures()
        self._in_thread = in_thread
        self._clock = clock

    def __call__(self, run: Callable[[], None], done: Callable[[OSError | None], None]) -> None:
        """Run a sync on a thread, then call done on the event loop."""
        took_ns = 0

        def timed() -> None:
            nonlocal took_ns
            started_ns = self._clock.monotonic_ns()
            try:
                run()
            finally:
                took_ns = self._clock.monotonic_ns() - started_ns

        def counted(error: OSError | None) -> None:
            self.figures.count += 1
            self.figures.failed_count += error is not None
            self.figures.took_ns += took_ns
            done(error)

        self._in_thread(timed, counted)
