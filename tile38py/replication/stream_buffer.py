"""The leader's stream between its arrival and its being run. Doesn't run it."""

import re

from tile38py.limits import FOLLOW_COMMAND_BYTES_MAX, KIB
from tile38py.replication.link import LinkError

GAUGED_BYTES_MIN = 64 * KIB  # an incomplete command of less is simply parsed again
HEADER_BYTES_MAX = 16
HEADER = re.compile(rb"([*$])([0-9]{1,10})\r\n")


class Gauge:
    """How many bytes a command needs, found while they arrive without looking at any twice."""

    def __init__(self) -> None:
        self._position = 0
        self._left: int | None = None  # arguments of which the length isn't known yet

    def needed(self, data: bytes | bytearray) -> int:
        """The command at the head of the data can't be complete with fewer bytes than these."""
        while self._left != 0:
            head = data[self._position : self._position + HEADER_BYTES_MAX]
            match = HEADER.match(head)
            if match is None:
                # Either more is needed, or it is for the parser to complain.
                is_cut = b"\n" not in head and len(head) < HEADER_BYTES_MAX
                return len(data) + 1 if is_cut else 0
            number = int(match[2])
            self._position += match.end()
            if self._left is None:
                self._left = number
            else:
                self._position += number + 2
                self._left -= 1
            if self._position > len(data):
                break
        return self._position


class Pieces:
    """What came and wasn't run."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._gauge = Gauge()
        self._needed = 0

    def add(self, data: bytes) -> bytes:
        """More of the stream: what is worth running now, nothing while a command is incomplete."""
        if not self._data:
            self._data += data
            return data
        self._data += data
        if len(self._data) > FOLLOW_COMMAND_BYTES_MAX:
            raise LinkError("a command is too large")
        if self._needed and len(self._data) >= self._needed:
            self._needed = self._gauge.needed(self._data)
        return bytes(self._data) if len(self._data) >= self._needed else b""

    def rest(self) -> bytes:
        """What is left."""
        return bytes(self._data)

    def ran(self, consumed: int) -> None:
        """So much of that was run."""
        del self._data[:consumed]
        self._gauge = Gauge()
        self._needed = 0
        if len(self._data) >= GAUGED_BYTES_MIN:
            self._needed = self._gauge.needed(self._data)
