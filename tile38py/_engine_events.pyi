"""Types of the engine's events. They are members of the module `_engine`."""

from typing import Final, Self, final

@final
class Events:
    """The events of commands, by kind of receiver, each list in the order of sending."""

    hooks: Final[list[HookEvent | HookChange]]
    channels: Final[list[ChannelEvent]]
    live: Final[list[LiveEvent]]

@final
class HookEvent:
    """An event for the endpoints of a hook. Invalid UTF-8 becomes surrogate escapes in names, and
    U+FFFD for each byte in keys and ids, as in messages."""

    hook: Final[str]
    key: Final[str]
    object_id: Final[str]  # empty for DROP
    detect: Final[str | None]  # "enter" and so on; None for the commands `del` and `drop`
    body: Final[bytes]  # the message, JSON

    def __new__(
        cls, hook: str, key: str, object_id: str, detect: str | None, body: bytes
    ) -> Self: ...

@final
class ChannelEvent:
    """An event for the subscribers of a channel."""

    channel: Final[bytes]
    key: Final[str]
    object_id: Final[str]
    detect: Final[str | None]
    body: Final[bytes]

@final
class LiveEvent:
    """An event for the connection that watches a live fence."""

    fence: Final[int]
    key: Final[str]
    object_id: Final[str]
    detect: Final[str | None]
    body: Final[bytes]

@final
class HookChange:
    """A hook was created, replaced, set again or deleted. The engine has its present state."""

    hook: Final[str]

@final
class QueuedEvent:
    """A hook's event in the queue. Python's garbage collector doesn't track it, so that its
    pauses don't grow with the queue."""

    number: Final[int]  # over all hooks, in the order of their writes
    queued_ns: Final[int]  # since 1970
    hook: Final[str]
    key: Final[str]
    object_id: Final[str]
    detect: Final[str | None]
    body: Final[bytes]

    @property
    def delivery_id(self) -> str:
        """The same at each attempt, and unlike that of any other event, also one of a new queue."""

    def __new__(cls, number: int, queued_ns: int, event: HookEvent) -> Self: ...
