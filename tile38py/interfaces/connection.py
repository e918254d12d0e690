"""A connection as commands, listeners and the log see it. No implementation lives here."""

from enum import Enum, auto
from typing import Protocol

from tile38py._engine import Session


class Wire(Enum):
    """How a connection's bytes are framed."""

    RESP = auto()  # inline commands too
    NATIVE = auto()
    WEBSOCKET = auto()
    HTTP = auto()  # of a client that knows no chunks
    CHUNKED_HTTP = auto()


class Role(Enum):
    """What a live connection listens to."""

    SUBSCRIBER = auto()
    MONITOR = auto()
    FENCE = auto()
    FOLLOWER = auto()  # to the log


class Listener(Protocol):
    """What a live connection listens to, and what waits to be sent to it."""

    role: Role
    waiting_bytes: int  # of messages that the socket doesn't take; others may wait for the same

    def add(self, name: bytes, *, is_pattern: bool) -> int:
        """Listen to a channel or pattern; how many there are now."""

    def remove(self, name: bytes, *, is_pattern: bool) -> int:
        """Listen to it no more; how many are left."""

    def send(self, replies: bytes, *, is_last: bool) -> None:
        """Send replies behind everything that was published before; close after the last."""

    def pause(self) -> None:
        """The socket takes no more at present."""

    def resume(self) -> None:
        """The socket takes more."""

    def close(self) -> None:
        """The connection is gone."""


class Client(Protocol):
    """A connection as commands see it."""

    client_id: int
    address: str
    name: bytes
    session: Session
    created_ns: int
    active_ns: int  # when it last sent something
    replica_port: int  # what REPLCONF announced; 0 = this isn't a replica
    replica_ip: str
    is_plain: bool  # it speaks HTTP or WebSocket: one command, one reply
    listener: Listener | None  # once it is live

    @property
    def is_gone(self) -> bool:
        """Whether nothing can be sent any more."""

    @property
    def wire(self) -> Wire:
        """How its present request was framed, and so how it wants to hear."""

    @property
    def unsent(self) -> int:
        """Bytes that its socket didn't take yet."""

    def listen(self, listener: Listener) -> None:
        """Become live: from here on the listener says what is sent."""

    def write(self, data: bytes) -> None:
        """Hand bytes to the socket now; only for the listener."""

    def shut(self) -> None:
        """Close when the socket has taken what it has; only for the listener."""

    def kill(self) -> None:
        """Cut the connection at once; replies that wait are lost."""

    def finish(self) -> None:
        """Close the connection after the replies that are on the way."""
