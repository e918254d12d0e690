"""What following needs of the world: lines to the leader, threads, files. No implementation."""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class Stream(Protocol):
    """A connection to a leader. Reading may raise OSError."""

    async def read(self, size_max: int) -> bytes:
        """At least one byte, at most so many; none at the end."""

    def write(self, data: bytes) -> None:
        """Send, as soon as the network takes it."""

    def close(self) -> None:
        """Close after what was written."""


class Dial(Protocol):
    """Opens connections."""

    async def open(self, host: str, port: int) -> Stream:
        """Connect. Raises LinkError with a text for people."""


class Threads(Protocol):
    """Runs what takes long beside the event loop."""

    def run(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Begin on another thread."""


class CopyFile(Protocol):
    """A log's file. Everything may raise OSError."""

    def size(self) -> int:
        """Bytes in the file."""

    def has_room(self) -> bool:
        """Whether it is worth trying to write."""

    def close(self) -> None:
        """Give it back, once all threads are out of it."""

    def read(self, position: int, size: int) -> bytes:
        """At most so many bytes from a position on."""

    def write(self, data: bytes) -> None:
        """Append all of it."""

    def truncate(self, size: int) -> None:
        """Cut everything behind a position."""

    def sync(self) -> None:
        """Bring what is written to the disk."""

    def digest(self, position: int, size: int) -> str | None:
        """The MD5 of a range, None if it isn't all there or the file is no more."""


class CopyDisk(Protocol):
    """Where a received log lies until it takes the place of our own. May raise OSError."""

    def log(self) -> CopyFile:
        """The file that is our log at present."""

    def create(self, prefix: int) -> CopyFile:
        """A new one that begins with so many bytes of our own log. Any thread."""

    async def install(self, file: CopyFile, size: int, adopt: Callable[[], None]) -> None:
        """Make it the log and call adopt, with nothing between them; it was synced before."""

    def discard(self, file: CopyFile | None) -> None:
        """Remove it, or what a crash left of one."""
