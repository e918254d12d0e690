"""Transports: RESP, HTTP, WebSocket and streams behind one interface.

A transport parses received bytes, runs their commands and frames the replies. The connection owns
the socket, the order of replies and every wait. A connection begins with RESP and may be upgraded
to another transport: see resp, http and live.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Final, Protocol, TypeAlias

from tile38py._engine import Engine, Session
from tile38py.config import Config
from tile38py.dispatch import BackgroundWork, Dispatcher
from tile38py.interfaces import Client, Wire
from tile38py.interfaces.views import ByteData


class Then(Enum):
    """Next steps of a connection that need no values."""

    CONTINUE = auto()  # let other connections run, then call receive() without data
    ABORT = auto()  # cut the connection


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection when everything is sent. The reason is logged unless it is empty."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Replace the transport. The new one receives these bytes first."""

    transport: "Transport"
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Wait:
    """Run work off the event loop and pass its result to finish. Nothing is received meanwhile."""

    work: BackgroundWork
    finish: Callable[[object], "Outcome"]


@dataclass(slots=True)
class Step:
    """Output for the client, and what the connection does next."""

    output: ByteData = b""
    wrote: bool = False  # data changed: the output must not be sent before it is logged
    then: Wait | Close | Upgrade | Then | None = None  # None: receive more


# After bare bytes or logged replies, more is received. Nearly all requests end so. Bare bytes are
# replies of commands that changed nothing. Logged replies are replies, and the log bytes that must
# be written before they are sent.
LoggedReplies: TypeAlias = tuple[bytes, bytes]
Outcome: TypeAlias = bytes | LoggedReplies | Step
CLOSE: Final = Close()


class Transport(Protocol):
    """Parses what one client sends and frames what it is sent."""

    session: Session
    is_plain: ClassVar[bool]  # commands are parsed here, one by one, not by the session

    @property
    def wire(self) -> Wire:
        """The framing of the present request, which messages to the client will have, too."""

    def receive(self, client: Client, data: bytes, now_ns: int) -> Outcome:
        """Run the commands in data. Without data, go on with what was received before."""

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of an incomplete request."""

    def refusal(self, text: str) -> bytes:
        """An error reply in place of replies that could not be logged; the connection closes."""

    def end_of_input(self) -> Outcome:
        """The client has closed its sending side."""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Settings of HTTP and WebSocket."""

    config: Config
    is_enabled: bool = True
    fails_with_500: bool = False  # T38HTTP500ERRORS
    run_id: str = ""  # of this run of the server, in the entity tags of tiles


@dataclass(frozen=True, slots=True)
class TransportDependencies:
    """Dependencies of all transports of a server."""

    engine: Engine
    dispatcher: Dispatcher
    web: WebSettings
