"""A RESP2 client over a plain socket, for tests. Knows no command, and returns replies as text.

A text begins with the type of the reply: "+OK", "-ERR text", ":1", "$ text", "$-1". An array is a
list.
"""

import contextlib
import socket
import time
from collections.abc import Iterable, Sequence
from typing import Self, TypeAlias

Reply: TypeAlias = "str | list[Reply]"
Address: TypeAlias = tuple[str, int]

TIMEOUT, CLOSED = "(timeout)", "(closed)"
RAW_FIRST_BYTE_SECONDS = 1.0  # for a raw read to get the first byte
RAW_QUIET_SECONDS = 0.15  # without a byte; then a raw read ends
CLOSE_SECONDS = 0.5  # for the server to close its side
RECEIVE_BYTES = 1 << 16
RESP3_LISTS = {
    b"%": 2,
    b">": 1,
}  # by the kind of a collection, the items that each count stands for


def decode(data: bytes) -> str:
    """Decode bytes; those that aren't UTF-8 become lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Encode a text that decode() returned."""
    return text.encode("utf-8", "surrogateescape")


def encode_command(words: Sequence[bytes]) -> bytes:
    """Encode a command as a RESP2 array."""
    bulks = (b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
    return b"*%d\r\n" % len(words) + b"".join(bulks)


def encode_words(words: Iterable[str | bytes | float]) -> bytes:
    """Encode a command of words of any type as a RESP2 array."""
    return encode_command([as_bytes(word) for word in words])


def parse_reply(data: bytes, start: int = 0, *, is_resp3: bool = False) -> tuple[Reply, int] | None:
    """Parse the reply at a position; return it and its end, None if it is incomplete.

    Of RESP3, a map is returned as the list of its names and values, a push as a list, and nil as
    that of RESP2.
    """
    end = data.find(b"\r\n", start)
    if end < 0:
        return None
    kind, text, start = data[start : start + 1], data[start + 1 : end], end + 2
    if is_resp3 and kind in RESP3_LISTS:
        kind, text = b"*", b"%d" % (int(text) * RESP3_LISTS[kind])
    elif is_resp3 and kind == b"_":
        kind, text = b"$", b"-1"
    if kind not in {b"+", b"-", b":", b"$", b"*"}:
        raise ValueError(decode(kind + text))
    if kind in {b"+", b"-", b":"} or int(text) < 0:
        return decode(kind + text), start
    if kind == b"$":
        end = start + int(text)
        return ("$ " + decode(data[start:end]), end + 2) if len(data) >= end + 2 else None
    items: list[Reply] = []
    for _ in range(int(text)):
        if (parsed := parse_reply(data, start, is_resp3=is_resp3)) is None:
            return None
        item, start = parsed
        items.append(item)
    return items, start


Value: TypeAlias = "str | int | list[Value] | None"


def plain(reply: Reply) -> Value:
    """Convert a reply to Python values."""
    if isinstance(reply, list):
        return [plain(item) for item in reply]
    if reply in {"$-1", "*-1"}:
        return None
    return int(reply[1:]) if reply.startswith(":") else reply[1:].removeprefix(" ")


class Connection:
    """A connection to a server, with a buffer of received bytes."""

    def __init__(self, address: Address, timeout_seconds: float = 10.0) -> None:
        """Open the connection."""
        self.timeout_seconds = timeout_seconds
        self.buffer = b""
        self.socket = socket.create_connection(address, timeout_seconds)

    def __enter__(self) -> Self:
        """Return the connection, which is closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.settimeout(self.timeout_seconds)
        self.socket.sendall(data)

    def call(self, *words: str | bytes | float) -> Reply:
        """Send a command and return its reply."""
        self.send(encode_words(words))
        return self.read()

    def call_many(self, commands: Sequence[Sequence[str | bytes | float]]) -> list[Reply]:
        """Send commands in one write and return their replies."""
        self.send(b"".join(map(encode_words, commands)))
        return [self.read() for _ in commands]

    def read(self, timeout_seconds: float | None = None) -> Reply:
        """Read a reply. A time-out, a closed connection and invalid data are returned as texts."""
        seconds = self.timeout_seconds if timeout_seconds is None else timeout_seconds
        deadline = time.monotonic() + seconds
        try:
            while (parsed := parse_reply(self.buffer)) is None:
                if problem := self._receive(deadline - time.monotonic()):
                    return problem
        except ValueError as error:
            return f"(not RESP2: {error})"
        reply, end = parsed
        self.buffer = self.buffer[end:]
        return reply

    def read_raw(self) -> tuple[bytes, bool]:
        """Read bytes until the server is quiet; return them and whether it closed."""
        problem = "" if self.buffer else self._receive(RAW_FIRST_BYTE_SECONDS)
        while not problem:
            problem = self._receive(RAW_QUIET_SECONDS)
        data, self.buffer = self.buffer, b""
        return data, problem == CLOSED

    def close(self) -> None:
        """Close, and wait for the server to close, which ends the subscriptions of this client."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            while not self._receive(CLOSE_SECONDS):
                pass
        self.socket.close()

    def _receive(self, timeout_seconds: float) -> str:
        """Receive bytes; return an empty text, or TIMEOUT or CLOSED if none came."""
        try:
            self.socket.settimeout(max(timeout_seconds, 0.001))
            data = self.socket.recv(RECEIVE_BYTES)
        except TimeoutError:
            return TIMEOUT
        except ConnectionError:
            return CLOSED
        self.buffer += data
        return "" if data else CLOSED


def as_bytes(word: str | bytes | float) -> bytes:
    """Encode a word of a command."""
    return word if isinstance(word, bytes) else encode(str(word))
