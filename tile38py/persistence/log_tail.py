"""The end of the log's file: the bytes that are written, and the listeners that hear of them."""

from collections.abc import Callable
from typing import TypeAlias

from tile38py.interfaces.files import LogFile
from tile38py.interfaces.views import ByteData

WrittenListener: TypeAlias = Callable[[int, ByteData], None]


class LogTail:
    """The end of the log's file. Only the event loop's thread uses it."""

    def __init__(self, file: LogFile, size: int) -> None:
        self.file = file
        self.size = size  # bytes that are written completely
        self.listeners: list[WrittenListener] = []

    def write(self, data: ByteData) -> None:
        """Append data and tell the listeners. Raises OSError; a part may be written then."""
        self.file.write(data)
        self.note(data)

    def note(self, data: ByteData) -> None:
        """Tell the listeners of data that another thread has appended."""
        position = self.size
        self.size += len(data)
        for listener in self.listeners:
            listener(position, data)

    def cut(self) -> None:
        """Remove the part of its data that a failed write has left. Raises OSError."""
        self.file.truncate(self.size)

    def sync_function(self, sync_name: Callable[[], None] | None) -> Callable[[], None]:
        """A function that syncs the present file, and its name if that isn't synced yet."""
        file = self.file

        def sync() -> None:
            file.sync()
            if sync_name is not None:
                sync_name()

        return sync
