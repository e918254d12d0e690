"""Thread pools, and calls on threads whose end is always reported to the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

from tile38py.errors import as_os_error
from tile38py.limits import (
    FOLLOW_THREADS_MAX,
    FOLLOWER_READ_THREADS_MAX,
    LONG_SCRIPT_THREADS_MAX,
    WORK_THREADS_MAX,
)

Done = Callable[[OSError | None], None]
Result = TypeVar("Result")


class ThreadPools:
    """The thread pools of a server, one for each kind of work that must not delay another kind."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.work = ThreadPoolExecutor(WORK_THREADS_MAX, "work")
        self.long_scripts = ThreadPoolExecutor(LONG_SCRIPT_THREADS_MAX, "script")
        self._log_reads = ThreadPoolExecutor(FOLLOWER_READ_THREADS_MAX, "log")
        self._following = ThreadPoolExecutor(FOLLOW_THREADS_MAX, "follow")

    def in_thread(self, run: Callable[[], None], done: Done) -> None:
        """Run work on files in the default pool; see the function in_thread()."""
        in_thread(self._loop, None, run, done)

    def read_log_in_thread(self, run: Callable[[], None], done: Done) -> None:
        """Read a piece of the log for a follower; see the function in_thread()."""
        in_thread(self._loop, self._log_reads, run, done)

    def run(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Start work of our own follower."""
        return self._loop.run_in_executor(self._following, work)

    def shutdown(self) -> None:
        """Wait for running work, but not for that of clients: they are gone."""
        self._log_reads.shutdown()
        self._following.shutdown()


def in_thread(
    loop: asyncio.AbstractEventLoop, pool: Executor | None, run: Callable[[], None], done: Done
) -> None:
    """Run a function on a thread of the pool, then call done on the event loop.

    done gets the OSError of the function, None if there was none. Any other exception is an
    internal error: it is logged, and done gets it as an OSError, so that nobody waits for ever.
    """

    def finished(future: asyncio.Future[None]) -> None:
        error = future.exception()
        if error is not None and not isinstance(error, OSError):
            loop.call_exception_handler({"message": "A thread failed", "exception": error})
        done(None if error is None else as_os_error(error))

    loop.run_in_executor(pool, run).add_done_callback(finished)
