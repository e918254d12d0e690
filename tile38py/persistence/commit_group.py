"""Groups of the log: bytes that are written together, and the replies that wait for them."""

import threading
from dataclasses import dataclass, field

from tile38py.interfaces import Waiter
from tile38py.interfaces.files import LogFile
from tile38py.interfaces.views import ByteData
from tile38py.limits import LOG_PIECE_BYTES_MIN, LOG_WRITE_BYTES_MAX

# A waiter, its replies, whether their commands changed data, whether they are its last.
HeldReplies = tuple[Waiter, ByteData, bool, bool]


@dataclass(slots=True, eq=False)
class CommitGroup:
    """Bytes appended in one iteration of the event loop, and the replies that wait for them."""

    data: list[ByteData] = field(default_factory=list)
    held: list[HeldReplies] = field(default_factory=list)

    def pieces(self) -> list[ByteData]:
        """The bytes for few writes: short ones are joined, long ones are not copied."""
        pieces: list[ByteData] = []
        short: list[ByteData] = []
        for data in self.data:
            if len(data) < LOG_PIECE_BYTES_MIN:
                short.append(data)
                continue
            if short:
                pieces.append(b"".join(short))
                short.clear()
            pieces.append(data)
        if short:
            pieces.append(b"".join(short))
        return pieces

    def release(self) -> None:
        """Send the replies."""
        for waiter, replies, _wrote, is_last in self.held:
            waiter.release(replies, is_last)

    def refuse(self, reason: str) -> None:
        """Refuse the replies of commands that changed data; send the others."""
        for waiter, replies, wrote, is_last in self.held:
            if wrote:
                waiter.refuse(replies, reason)
            else:
                waiter.release(replies, is_last)


@dataclass(slots=True, eq=False)
class ThreadWrite:
    """The write of a large group on a thread."""

    group: CommitGroup
    file: LogFile
    pieces: list[ByteData]
    is_cancelled: bool = False
    is_written: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)  # held while it writes

    def run(self) -> None:
        """Write all pieces, unless cancelled. Raises OSError."""
        with self.lock:
            if not self.is_cancelled:
                for data in self.pieces:
                    view = memoryview(data)
                    for start in range(0, len(view), LOG_WRITE_BYTES_MAX):
                        self.file.write(view[start : start + LOG_WRITE_BYTES_MAX])
                self.is_written = True

    def cancel(self) -> bool:
        """Wait for the write if it runs, else prevent it. Return whether all is written."""
        with self.lock:
            self.is_cancelled = True
            return self.is_written
