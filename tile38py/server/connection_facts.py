"""Facts about a connection: the client's identity, times, framing, and state."""

import asyncio

from tile38py._engine import Session
from tile38py.interfaces import Wire
from tile38py.server.connection_state import GONE, HALF_CLOSED, State
from tile38py.server.transports import Transport


class ConnectionFacts(asyncio.Protocol):
    """The part of a connection that holds facts about its client. It does nothing."""

    __slots__ = (
        "_state", "active_ns", "address", "client_id", "created_ns", "is_plain", "library", "name",
        "replica_ip", "replica_port", "session", "transport",
    )  # fmt: skip

    session: Session
    transport: Transport
    is_plain: bool

    def __init__(self, client_id: int, now_ns: int) -> None:
        self.client_id = client_id
        self.address = ""
        self.name = b""
        self.library: dict[str, bytes] = {}
        self.created_ns = self.active_ns = now_ns
        self.replica_port = 0
        self.replica_ip = ""
        self._state = State.OPEN

    @property
    def is_input_ended(self) -> bool:
        """Whether the client sends nothing more."""
        return self._state is not State.OPEN

    @property
    def is_closing(self) -> bool:
        """Whether the last reply is on its way."""
        return self._state is State.CLOSING

    @property
    def is_gone(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._state is GONE

    @property
    def _is_open(self) -> bool:
        return self._state in {State.OPEN, HALF_CLOSED}

    @property
    def wire(self) -> Wire:
        """The framing of the present request."""
        return self.transport.wire

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of an incomplete request."""
        return self.transport.unfinished_bytes
