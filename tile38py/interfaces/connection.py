"""Interfaces of a connection, for commands and for what sends messages. No implementation."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from tile38py._engine import Session


class Wire(Enum):
    """The framing of a connection's replies and messages."""

    RESP = auto()  # also for inline commands
    NATIVE = auto()
    WEBSOCKET = auto()
    HTTP = auto()  # HTTP/1.0, without chunks
    CHUNKED_HTTP = auto()
    EVENT_STREAM = auto()  # Server-Sent Events over HTTP/1.0
    CHUNKED_EVENT_STREAM = auto()


class Role(Enum):
    """The kinds of live connections."""

    SUBSCRIBER = auto()
    MONITOR = auto()
    FENCE = auto()
    FOLLOWER = auto()


class Listener(Protocol):
    """The sender of a live connection's messages; replies pass through it to keep their order."""

    role: Role
    waiting_bytes: int  # of queued messages, whose memory other connections may share

    @property
    def is_exclusive(self) -> bool:
        """Whether the connection has no ordinary commands beside its messages."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is queued, so that replies needn't pass through it."""

    def send(self, replies: bytes, *, is_last: bool) -> None:
        """Send replies behind the messages that were published before; close after the last."""

    def pause(self) -> None:
        """Queue messages: the write buffer is above its high-water mark."""

    def resume(self) -> None:
        """Send queued messages: the write buffer is below its low-water mark."""

    def close(self) -> None:
        """Release everything: the connection is gone, or ordinary again."""


class Subscriber(Listener, Protocol):
    """The listener of a connection that may subscribe to channels."""

    fences: list[int]  # the live fences of the connection, by their numbers

    @property
    def is_used(self) -> bool:
        """Whether anything is subscribed, watched or monitored."""

    def names(self, *, is_pattern: bool) -> list[bytes]:
        """The subscribed channels or patterns, in their order."""

    def add(self, name: bytes, *, is_pattern: bool) -> int:
        """Subscribe to a channel or pattern; return the number of subscriptions."""

    def add_from(self, name: bytes, position: int) -> tuple[Callable[[], None], int]:
        """Subscribe to a channel from a number on.

        Return the function that begins to send, and the number of subscriptions.
        """

    def remove(self, name: bytes | None, *, is_pattern: bool) -> int:
        """Unsubscribe, None: from nothing; return the number of subscriptions left."""

    def remove_all(self) -> None:
        """End all subscriptions, live fences and monitoring."""


class Client(Protocol):
    """A connection, as commands and listeners use it."""

    client_id: int
    address: str
    name: bytes
    library: dict[str, bytes]  # of the client, by option of CLIENT SETINFO
    session: Session
    created_ns: int
    active_ns: int  # when data was last received
    replica_port: int  # as REPLCONF announced it; 0 = the client isn't a follower
    replica_ip: str
    is_plain: bool  # it speaks HTTP or WebSocket: one command, one reply
    listener: Listener | None  # None unless the connection is live

    @property
    def is_gone(self) -> bool:
        """Whether nothing can be sent any more."""

    @property
    def is_input_ended(self) -> bool:
        """Whether the client sends nothing more: it is gone, or has closed its sending side."""

    @property
    def wire(self) -> Wire:
        """The framing of the present request, which replies and messages will have, too."""

    @property
    def unsent(self) -> int:
        """Bytes in the write buffer."""

    @property
    def is_busy(self) -> bool:
        """Whether requests wait for the server: for work, the log, its own slow reading."""

    @property
    def is_closing(self) -> bool:
        """Whether the last reply is on its way."""

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of an incomplete request."""

    def time_out(self) -> None:
        """Close with an error: a request takes too long to arrive."""

    def limit(self) -> None:
        """Note that a rate limit was set or removed."""

    def listen(self, listener: Listener) -> None:
        """Become live: the listener sends replies from now on, in order with its messages."""

    def leave(self) -> None:
        """Become an ordinary connection again: nothing more is sent to it unasked."""

    def write(self, data: bytes) -> None:
        """Write to the socket now; only for the listener."""

    def shut(self) -> None:
        """Close when the write buffer is sent; only for the listener."""

    def kill(self) -> None:
        """Close at once. What is not sent is lost."""

    def finish(self) -> None:
        """Close after the replies that are due."""
