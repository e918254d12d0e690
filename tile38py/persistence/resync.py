"""Files of a full copy of a leader's log, and its installation in place of our own log."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from tile38py.interfaces.files import InThread, LogFile, LogFolder
from tile38py.limits import COPY_CHUNK_BYTES
from tile38py.persistence.aof import Aof

RESYNC_SUFFIX = "-resync"


class RewriteCanceller(Protocol):
    """Cancels rewrites of our own log, which replace the log's file, too."""

    def cancel(self, then: Callable[[], None]) -> None:
        """Cancel a running rewrite, then call a function."""


class ResyncDisk:
    """The file of a copy, beside the log. There is one copy at a time."""

    def __init__(
        self, journal: Aof, folder: LogFolder, rewriting: RewriteCanceller, in_thread: InThread
    ) -> None:
        self._journal = journal
        self._folder = folder
        self._rewriting = rewriting
        self._in_thread = in_thread

    def log(self) -> LogFile:
        """The file of our log at present."""
        return self._journal.file

    def create(self, prefix: int) -> LogFile:
        """A new file that begins with so many bytes of our log. Any thread."""
        file = self._folder.create(RESYNC_SUFFIX)
        try:
            copy_prefix(self._journal.file, file, prefix)
        except OSError:
            self.discard(file)
            raise
        return file

    async def install(self, file: LogFile, size: int, adopt: Callable[[], None]) -> None:
        """Make a file the log and call adopt, with nothing between the two.

        It takes one rename, so a crash leaves the old log or the new one. A running rewrite is
        cancelled and pending bytes are dropped: both belong to the old log. If the caller is
        cancelled, either everything was done or nothing.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def swap() -> None:
            if done.cancelled() or self._is_rewriting(pause):
                self._journal.resume()
                return
            try:
                self._folder.put_in_place(RESYNC_SUFFIX)
            except OSError as error:
                self._journal.resume()
                done.set_exception(error)
                return
            former = self._journal.replace(
                file, size, sync_name=self._folder.sync, keep_pending=False
            )
            adopt()
            self._journal.resume()
            done.set_result(None)
            self._in_thread(former.close, lambda _error: None)

        def pause() -> None:
            if not done.cancelled():
                self._journal.pause(swap)

        self._rewriting.cancel(pause)
        await done

    def _is_rewriting(self, then: Callable[[], None]) -> bool:
        """Whether a rewrite started before the pause began; if so, it is cancelled, too."""
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
        """Remove a file; None: remove one that a crash may have left."""
        if file is not None:
            file.close()
        with contextlib.suppress(OSError):
            self._folder.remove(RESYNC_SUFFIX)


def copy_prefix(source: LogFile, target: LogFile, size: int) -> None:
    """Copy so many bytes from the beginning of a file."""
    position = 0
    while position < size:
        part = source.read(position, min(size - position, COPY_CHUNK_BYTES))
        if not part:
            raise OSError(0, "the log is shorter than it was")
        target.write(part)
        position += len(part)
