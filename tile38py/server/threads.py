"""Work beside the event loop whose end is always told, whatever became of it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from tile38py.errors import as_os_error

Done = Callable[[OSError | None], None]


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
