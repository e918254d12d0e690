"""The log of a server without a log (--appendonly no): accepts everything, writes nothing."""

from collections.abc import Callable

from tile38py.interfaces import Waiter
from tile38py.persistence.aof import EVERYSEC


class NoLog:
    """The log of a server that keeps none (--appendonly no)."""

    is_enabled = False
    is_dirty = False
    error: str | None = None
    size = size_written = 0
    policy = EVERYSEC

    def append(self, data: bytes) -> None:
        """Forget it."""

    def wait(
        self, waiter: Waiter, replies: bytes = b"", *, wrote: bool = False, is_last: bool = False
    ) -> None:
        """Nothing is ever dirty, so nobody waits."""
        raise AssertionError

    def tick(self) -> None:
        """Nothing to sync."""

    def close(self) -> None:
        """Nothing to write."""

    def release(self) -> None:
        """Nothing to close."""

    def read(self, position: int, size: int) -> bytes:
        """There is nothing to read."""
        return b""

    def on_written(self, listener: Callable[[int, bytes], None]) -> None:
        """Nothing will be."""

    def on_replaced(self, replaced: Callable[[], None]) -> None:
        """Nor will it be replaced."""

    def digest(self, position: int, size: int) -> str | None:
        """There is nothing to sum up."""
        return None
