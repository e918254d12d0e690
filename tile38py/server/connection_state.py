"""The states of a connection, and the reasons for which it pauses."""

from enum import Enum, auto
from typing import Final


class State(Enum):
    """Phases of a connection, in their order."""

    OPEN = auto()
    HALF_CLOSED = auto()  # the client has closed its sending side and may wait for replies
    CLOSING = auto()  # nothing more is received; the last reply is on its way
    GONE = auto()  # nothing can be sent any more


class Pause(Enum):
    """Reasons to run no more requests of a connection for now. Several may hold at a time."""

    WORK = auto()  # another thread runs its last request
    WRITE_BUFFER = auto()  # the write buffer is above its high-water mark
    LOG = auto()  # many of its replies wait for the log
    TIME_SLICE = auto()  # its time slice is used up
    RATE = auto()  # its user has sent too many requests


NOT_PAUSED: Final[frozenset[Pause]] = frozenset()
# Every write tests for these. Looking up a member in its enum takes 0.1 µs.
HALF_CLOSED: Final = State.HALF_CLOSED
GONE: Final = State.GONE
