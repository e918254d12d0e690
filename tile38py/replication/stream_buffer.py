"""The buffer of a leader's stream: holds received bytes until they are run. Doesn't run them."""

import io
import re

from tile38py.limits import FOLLOW_COMMAND_BYTES_MAX, KIB
from tile38py.replication.leader_connection import LeaderError

SIZED_BYTES_MIN = 64 * KIB  # a shorter incomplete command is simply parsed again
HEADER_BYTES_MAX = 16
HEADER = re.compile(rb"([*$])([0-9]{1,10})\r\n")


class CommandSizer:
    """Finds how many bytes a command needs while they arrive, and reads no byte twice."""

    def __init__(self) -> None:
        self._position = 0
        self._arguments_left: int | None = None  # whose lengths aren't known yet

    def bytes_needed(self, data: bytes | memoryview) -> int:
        """A lower bound for the size of the command at the head of the data."""
        while self._arguments_left != 0:
            head = bytes(data[self._position : self._position + HEADER_BYTES_MAX])
            match = HEADER.match(head)
            if match is None:
                # Either more is needed, or the parser will report an error.
                is_cut = b"\n" not in head and len(head) < HEADER_BYTES_MAX
                return len(data) + 1 if is_cut else 0
            number = int(match[2])
            self._position += match.end()
            if self._arguments_left is None:
                self._arguments_left = number
            else:
                self._position += number + 2
                self._arguments_left -= 1
            if self._position > len(data):
                break
        return self._position


class StreamBuffer:
    """Bytes of the stream that were received and not run."""

    def __init__(self) -> None:
        self._data = io.BytesIO()  # getvalue() returns its buffer without a copy
        self._sizer = CommandSizer()
        self._needed = 0
        self.scanned = 0  # bytes that are complete commands of an incomplete transaction

    def add(self, data: bytes) -> bytes:
        """Add received bytes. Return bytes to run; none while the first command is incomplete."""
        is_first = self._data.tell() == 0
        self._data.write(data)
        if is_first:
            return data
        size = self._data.tell()
        if size > FOLLOW_COMMAND_BYTES_MAX:
            raise LeaderError("a command is too large")
        if self._needed and size >= self._needed:
            self._needed = self._bytes_needed()
        return self._data.getvalue() if size >= self._needed else b""

    def remainder(self) -> bytes:
        """The bytes that were not run."""
        return self._data.getvalue()

    def consume(self, size: int, scanned: int) -> None:
        """Remove bytes that were run. scanned is the engine's result: see Engine.follow."""
        if size:
            with self._data.getbuffer() as view:
                rest = bytes(view[size:])
            self._data = io.BytesIO()
            self._data.write(rest)
        self.scanned = scanned
        self._sizer = CommandSizer()
        self._needed = 0
        if self._data.tell() >= SIZED_BYTES_MIN:
            self._needed = self._bytes_needed()

    def _bytes_needed(self) -> int:
        with self._data.getbuffer() as view:
            return self._sizer.bytes_needed(view)
