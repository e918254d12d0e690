"""Work beside the event loop whose end is always told, whatever became of it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

from tile38py.errors import as_os_error
from tile38py.limits import (
    FOLLOW_THREADS_MAX,
    FOLLOWER_READ_THREADS_MAX,
    LONG_READ_THREADS_MAX,
)

Done = Callable[[OSError | None], None]
Result = TypeVar("Result")


class ThreadPools:
    """The threads of a server: pools of their own for work that must not hold up other work."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.long_reads = ThreadPoolExecutor(LONG_READ_THREADS_MAX, "read")
        self._log_reads = ThreadPoolExecutor(FOLLOWER_READ_THREADS_MAX, "log")
        self._following = ThreadPoolExecutor(FOLLOW_THREADS_MAX, "follow")

    def in_thread(self, run: Callable[[], None], done: Done) -> None:
        """Run something for the log's files, then done on the event loop, as in_thread() does."""
        in_thread(self._loop, None, run, done)

    def read_log_in_thread(self, run: Callable[[], None], done: Done) -> None:
        """The same for a piece of the log that a follower is sent."""
        in_thread(self._loop, self._log_reads, run, done)

    def run(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Begin something for our own following of a leader."""
        return self._loop.run_in_executor(self._following, work)

    def shutdown(self) -> None:
        """Wait for what runs, but for long reads: nobody is there to hear of those."""
        self._log_reads.shutdown()
        self._following.shutdown()


def in_thread(
    loop: asyncio.AbstractEventLoop, pool: Executor | None, run: Callable[[], None], done: Done
) -> None:
    """Run a function on a thread of the pool, then done here, with its error or None.

    What isn't an error of the system is a fault of ours. It is logged as such; who waits is told
    that the work failed, so that nothing is held up or believed to go on for ever.
    """

    def finished(future: asyncio.Future[None]) -> None:
        error = future.exception()
        if error is not None and not isinstance(error, OSError):
            loop.call_exception_handler({"message": "A thread failed", "exception": error})
        done(None if error is None else as_os_error(error))

    loop.run_in_executor(pool, run).add_done_callback(finished)
