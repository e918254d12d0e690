"""Where a leader's log lies while it is received, and how it takes the place of our own."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from tile38py.interfaces.files import InThread, LogFile, LogFolder
from tile38py.limits import COPY_CHUNK_BYTES
from tile38py.persistence.aof import Aof

RESYNC_SUFFIX = "-resync"


class Rewriting(Protocol):
    """Whoever else may put another file in the log's place."""

    def cancel(self, then: Callable[[], None]) -> None:
        """Give up, unless it is done already; call a function when it has."""


class Resync:
    """The place beside the log. One copy at a time."""

    def __init__(
        self, journal: Aof, folder: LogFolder, rewriting: Rewriting, in_thread: InThread
    ) -> None:
        self._journal = journal
        self._folder = folder
        self._rewriting = rewriting
        self._in_thread = in_thread

    def log(self) -> LogFile:
        """The file that is our log at present."""
        return self._journal.file

    def create(self, prefix: int) -> LogFile:
        """A new one that begins with so many bytes of the log. Any thread."""
        file = self._folder.create(RESYNC_SUFFIX)
        try:
            copy(self._journal.file, file, prefix)
        except OSError:
            self.discard(file)
            raise
        return file

    async def install(self, file: LogFile, size: int, adopt: Callable[[], None]) -> None:
        """Make it the log and call adopt, with nothing between them.

        By one rename: a crash leaves the old log or the new one. What is being rewritten is given
        up, since it is of another history, as is what waits to be written. Whoever is cancelled
        here sees either all of it done or nothing.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def swap() -> None:
            if done.cancelled() or self._is_rewriting(hold):
                self._journal.go_on()
                return
            try:
                self._folder.put_in_place(RESYNC_SUFFIX)
            except OSError as error:
                self._journal.go_on()
                done.set_exception(error)
                return
            former = self._journal.replace(
                file, size, sync_name=self._folder.sync, keeps_waiting=False
            )
            adopt()
            self._journal.go_on()
            done.set_result(None)
            self._in_thread(former.close, lambda _error: None)

        def hold() -> None:
            if not done.cancelled():
                self._journal.hold(swap)

        self._rewriting.cancel(hold)
        await done

    def _is_rewriting(self, then: Callable[[], None]) -> bool:
        """Whether a rewrite began while the file came to rest; if so, it is given up, too."""
        ended: list[bool] = []

        def note() -> None:
            if ended:
                then()
            ended.append(True)

        self._rewriting.cancel(note)
        if ended:
            return False
        ended.append(False)
        return True

    def discard(self, file: LogFile | None) -> None:
        """Remove it, or what a crash left of one."""
        if file is not None:
            file.close()
        with contextlib.suppress(OSError):
            self._folder.remove(RESYNC_SUFFIX)


def copy(source: LogFile, target: LogFile, size: int) -> None:
    """Copy so many bytes from the beginning."""
    position = 0
    while position < size:
        part = source.read(position, min(size - position, COPY_CHUNK_BYTES))
        if not part:
            raise OSError(0, "the log is shorter than it was")
        target.write(part)
        position += len(part)
