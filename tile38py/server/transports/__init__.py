"""Transports: the ways to speak to a client, behind one interface.

A transport turns what arrives into commands and their replies into bytes of its kind. It opens no
socket, waits for nothing and keeps no order: the connection does. A connection begins with RESP
and may be upgraded from there: see resp, http and live.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Final, Protocol, TypeAlias

from tile38py._engine import Engine, Session
from tile38py.config import Config
from tile38py.dispatch import Dispatcher, Work
from tile38py.interfaces import Client, Wire


class Then(Enum):
    """What the connection does next, where that needs no values."""

    CONTINUE = auto()  # let other connections run, then receive nothing to go on
    ABORT = auto()  # cut the connection


@dataclass(frozen=True, slots=True)
class Close:
    """Close when everything is sent; the reason is for the server's log, empty for none."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Speak by another transport, which receives these bytes first."""

    transport: "Transport"
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Wait:
    """Run this work elsewhere, then finish with its result; receive nothing before."""

    work: Work
    finish: Callable[[object], "Outcome"]


@dataclass(slots=True)
class Step:
    """The outcome of something that arrived."""

    output: bytes = b""  # for the client
    wrote: bool = False  # data changed: without a log the output must not be sent
    then: Wait | Close | Upgrade | Then | None = None  # None: wait for more to arrive


# Bare bytes are output of commands that changed nothing, with nothing to do next.
Outcome: TypeAlias = bytes | Step
CLOSE: Final = Close()


class Transport(Protocol):
    """One way to speak to a client."""

    session: Session
    is_plain: ClassVar[bool]  # commands come one by one as words, not as a stream for the session

    @property
    def wire(self) -> Wire:
        """How the present request was framed, and so how unasked messages are."""

    def receive(self, client: Client, data: bytes, now_ns: int) -> Outcome:
        """Run what arrived for a client. Without data, go on with what arrived before."""

    def refusal(self, text: str) -> bytes:
        """An error in place of replies that must not be sent, before the connection ends."""

    def end_of_input(self) -> Outcome:
        """The client sends no more, but may still listen."""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How this server treats HTTP."""

    config: Config
    is_enabled: bool = True
    fails_with_500: bool = False  # T38HTTP500ERRORS


@dataclass(frozen=True, slots=True)
class TransportDependencies:
    """What transports run commands with."""

    engine: Engine
    dispatcher: Dispatcher
    web: WebSettings
