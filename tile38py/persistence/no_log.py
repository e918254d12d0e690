"""The log of a server without a log (--appendonly no): accepts everything, writes nothing."""

from collections.abc import Callable

from tile38py.interfaces import Waiter
from tile38py.interfaces.views import ByteData
from tile38py.persistence.aof import EVERYSEC


class NoLog:
    """A log that keeps nothing. It has the interface of Aof."""

    is_enabled = False
    is_dirty = False
    holds_reads = False
    error: str | None = None
    size = size_written = 0
    policy = EVERYSEC

    def append(self, data: ByteData) -> None:
        """Discard the data."""

    def commit(self, waiter: Waiter, replies: bytes, log: bytes) -> bool:
        """Return True: there is nothing to wait for."""
        del waiter, replies, log
        return True

    def wait(
        self, waiter: Waiter, replies: ByteData = b"", *, wrote: bool = False, is_last: bool = False
    ) -> None:
        """Never called: is_dirty is never set."""
        raise AssertionError

    def tick(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def close_file(self) -> None:
        """Do nothing."""

    def read(self, position: int, size: int) -> bytes:
        """Return nothing."""
        return b""

    def on_written(self, listener: Callable[[int, ByteData], None]) -> None:
        """Never call the function: nothing is written."""

    def on_replaced(self, replaced: Callable[[], None]) -> None:
        """Never call the function: nothing is replaced."""

    def digest(self, position: int, size: int) -> str | None:
        """Return None: there is no range."""
        return None
