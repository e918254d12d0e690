"""Types of the engine's events. They are members of the module `_engine`."""

from typing import Final, Self, final

@final
class Events:
    """The events of commands, by kind of receiver, each list in the order of sending."""

    hooks: Final[list[HookEvent | HookChange | HookProgress]]
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
    sequence: Final[int]  # the event's number; 0 for a hook without SEQUENCE
    began_ns: Final[int]  # the time of the hook's first event, since 1970
    made_ns: Final[int]  # the time of a numbered event, since 1970

    def __new__(
        cls,
        hook: str,
        key: str,
        object_id: str,
        detect: str | None,
        body: bytes,
        *,
        numbering: tuple[int, int, int] = (0, 0, 0),  # sequence, began_ns, made_ns
    ) -> Self: ...

@final
class ChannelEvent:
    """An event for the subscribers of a channel."""

    channel: Final[bytes]
    key: Final[str]
    object_id: Final[str]
    detect: Final[str | None]
    body: Final[bytes]
    sequence: Final[int]  # the same as of hooks' events
    began_ns: Final[int]
    made_ns: Final[int]

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
class HookProgress:
    """The events of a hook up to a number are delivered, by another server."""

    hook: Final[str]
    sequence: Final[int]

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
    sequence: Final[int]  # as of the event
    began_ns: Final[int]

    @property
    def delivery_id(self) -> str:
        """The same at each attempt, and unlike that of any other event, also one of a new queue."""

    def __new__(cls, number: int, queued_ns: int, event: HookEvent) -> Self: ...
