"""Types of the Rust engine's binding. The module is built from crates/python."""

from collections.abc import Callable, Sequence
from typing import Final, Self, TypeAlias, final

# What a reply is in Python; text that isn't UTF-8 comes as bytes.
_Value: TypeAlias = str | bytes | int | list[_Value] | None

__all__ = [
    "DEBUG_BUILD",
    "Batch",
    "ChannelEvent",
    "Close",
    "CommandRecord",
    "Discarded",
    "EndpointRefusal",
    "Engine",
    "Events",
    "Followed",
    "HookChange",
    "HookEvent",
    "Http",
    "Live",
    "LiveEvent",
    "Load",
    "LongRead",
    "QueuedEvent",
    "Rewrite",
    "ServerCommand",
    "Session",
    "Simple",
    "Yield",
    "json_text",
    "shorten",
    "split_native",
]

DEBUG_BUILD: Final[bool]

@final
class Simple:
    """A reply that RESP sends as a simple string: `+text`."""

    def __new__(cls, text: str) -> Self: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Engine:
    """The data and every command that only reads or changes data."""

    def __new__(cls, *, require_valid: bool = False) -> Self: ...
    def register(self, record: CommandRecord) -> None:
        """Announce a server command. Raises ValueError for unknown flags, groups and keys."""

    def commands(self) -> list[CommandRecord]:
        """Return the records of all commands, the engine's and the server's, by name."""

    def keys_of(self, args: Sequence[bytes]) -> list[bytes] | None:
        """Return the keys that a request names, its command's own first; None if unknown."""

    def check_endpoints(self, checker: Callable[[bytes], EndpointRefusal | None]) -> None:
        """Have a function check each URL that SETHOOK names, in place of any before. It must not
        use the engine. Without one every URL is taken, as from a log or a leader."""

    def session(self, *, framing: str = "resp", output: str = "") -> Session:
        """Open a session. framing: "resp" for a stream, "plain" for HTTP and WebSocket."""

    def set_state(
        self,
        *,
        loading: bool,
        requires_password: bool,
        following: bool,
        caught_up_once: bool,
        read_only: bool,
        out_of_memory: bool,
        write_error: str | None = None,
    ) -> None: ...
    def monitor(self, is_on: bool) -> None:
        """Have batches tell the commands that ran, or not any more."""

    def load(self, data: bytes, now_ns: int) -> Load:
        """Run log bytes. Never raises for bad content: see Load.error."""

    def follow(self, data: bytes, now_ns: int) -> Followed:
        """Run a piece of a leader's stream. Never raises for bad content: see Followed.error.
        Live fences hear of it, see take_events(); hooks and channels don't."""

    def adopt(self, other: Engine) -> Discarded:
        """Take over another engine's data, hooks and channels, in a time that doesn't depend on
        the objects, and leave it empty. Live fences and sessions of this one go on, the groups of
        visits begin anew; take_events() tells which hooks differ. Raises ValueError for itself."""

    def expire(self, now_ns: int, count_max: int) -> tuple[bytes, int]:
        """Remove overdue objects, hooks and channels: the log bytes (none on a follower, whose
        log is its leader's), the number removed. What a follower removes comes back if follow()
        brings a command that names it within ten seconds."""

    def take_events(self) -> Events | None:
        """Take the events of what ran outside of batches, in load and expire say; None if there
        are none. Those that aren't taken come with the next batch."""

    def hook_endpoints(self, name: bytes) -> tuple[bytes, ...] | None:
        """The URLs of a hook, in the order in which they are tried; None if there is none."""

    def hook_names(self) -> list[bytes]:
        """The names of all hooks, channels not among them, ascending."""

    def rewrite(self, now_ns: int) -> Rewrite:
        """Begin to write the log anew from a snapshot of now, in constant time."""

    def remove_live(self, fence: int) -> bool:
        """End a live fence; whether there was one of that number."""

    def set_fence_context(self, *, utc_offset: int, group_seed: bytes) -> None:
        """Set what messages say of time and origin: seconds ahead of UTC, five bytes."""

    def statistics(self) -> dict[str, int]:
        """num_collections, num_objects, num_points, num_strings, in_memory_size and others."""

    def record(self, command: str, took_ns: int) -> None:
        """Count a command that isn't the engine's."""

    def tell_slow(self, took_ns: int | None) -> None:
        """Have batches tell the commands that take so long; None for no command."""

    def durations(self, parts: Sequence[float]) -> list[tuple[str, int, int, list[int | None]]]:
        """Of each command: name, count, sum in ns, and what these parts took at most lately."""

    def count_groups(self) -> int:
        """How many visits of objects to fences there are. Looks at all objects that visit one."""

    def memory(self) -> tuple[int, int]:
        """Bytes on the heap; bytes that were got from the system but aren't held now."""

    def execute(self, args: Sequence[bytes], now_ns: int) -> tuple[_Value, bytes]:
        """Run one command: its reply, and the bytes for a log. Raises ValueError for an error."""

    def snapshot(self) -> Engine:
        """A copy that later changes don't touch, in constant time; it refuses writes."""

@final
class CommandRecord:
    """The facts of a command. See crates/engine/src/commands/record.rs for flags, groups, keys."""

    name: Final[str]  # upper case
    arity: Final[int]  # words of a request, the name's included; negative: a minimum
    syntax: Final[str]  # what stands behind the name
    summary: Final[str]
    group: Final[str]
    flags: Final[list[str]]
    keys: Final[str]

    def __new__(
        cls,
        name: str,
        *,
        arity: int,
        syntax: str,
        summary: str,
        group: str,
        flags: Sequence[str],
        keys: str,
    ) -> Self: ...

@final
class EndpointRefusal:
    """Why SETHOOK may not name a URL."""

    reason: Final[str]  # for the log
    reply: Final[str | None]  # the error text; None = that of any invalid argument

    def __new__(cls, reason: str, reply: str | None = None) -> Self: ...

@final
class Load:
    """What came of one piece of the log."""

    consumed: Final[int]
    commands: Final[int]
    error: Final[str | None]
    skipped: Final[list[tuple[str, int]]]

@final
class Followed:
    """What came of one piece of a leader's stream."""

    consumed: Final[int]
    commands: Final[int]
    error: Final[str | None]
    # What was consumed, as it came, zero bytes between commands too, without PUBLISH.
    log: Final[bytes]
    published: Final[list[tuple[bytes, bytes]]]  # channels and messages
    skipped: Final[list[tuple[str, int]]]

@final
class Discarded:
    """What an engine had before it adopted another's data."""

    def free(self) -> None:
        """Free the memory, which may take a second: for a thread to wait for."""

@final
class Rewrite:
    """The log being written anew, from a snapshot. Any thread may read it."""

    total: Final[int]  # objects, hooks and channels
    @property
    def written(self) -> int:
        """How many of them were read."""

    def read(self, bytes_max: int) -> bytes:
        """The next commands, about so many bytes of them; none at the end."""

@final
class Push:
    """An array that RESP3 sends as a push: a message, or the reply to a subscription."""

    def __new__(cls, items: list[object]) -> Self: ...

@final
class Session:
    """One connection's parser, output format and authentication."""

    authenticated: bool
    live: bool  # every request is handed out as a ServerCommand, known or not
    @property
    def fails_by_status(self) -> bool:
        """Whether the status code of an HTTP reply tells the failure of the last command."""

    @property
    def buffered(self) -> int:
        """Bytes that wait for the rest of their request."""

    @property
    def output(self) -> str: ...
    protocol: int  # the version of RESP: 2 or 3
    def reset(self) -> None:
        """Return to the state in which the connection began: output, protocol, no login."""

    @property
    def framing(self) -> str:
        """Of the last request: "resp" (or inline), "native", "plain"."""

    def feed(self, data: bytes, now_ns: int) -> Batch: ...
    def receive(self, data: bytes, now_ns: int) -> bytes | Batch:
        """The same, but bare replies if the batch has nothing else."""

    def run(self, args: Sequence[bytes], now_ns: int) -> Batch: ...
    def answer(self, value: object, members: Sequence[tuple[str, object]] = ...) -> bytes: ...
    def fail(self, text: str) -> bytes:
        """Bytes that the text has by surrogateescape reach the client as they were."""

    def wrong_arity(self) -> bytes: ...
    def frame_event(self, message: bytes) -> bytes:
        """A message of a live fence, framed for this connection."""

@final
class Batch:
    """What one call did: replies to send, bytes to log, and why it stopped."""

    replies: Final[bytes]
    log: Final[bytes]
    monitored: Final[list[bytes]]
    # The arguments of each command that took long, what it took and what it waited.
    slow: Final[list[tuple[list[bytes], int, int]]]
    stop: Final[ServerCommand | LongRead | Live | Http | Close | Yield | None]
    events: Final[Events | None]
    # Why endpoints' URLs were refused; replies don't say.
    refused_urls: Final[list[str]]

@final
class Events:
    """The events of some commands, by who gets them; each list is in the order to be sent."""

    hooks: Final[list[HookEvent | HookChange]]
    channels: Final[list[ChannelEvent]]
    live: Final[list[LiveEvent]]

@final
class HookEvent:
    """An event for the endpoints of a hook. Names that aren't UTF-8 come by surrogateescape, keys
    and ids as messages show them: U+FFFD for each wrong byte."""

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
    """A hook was made, replaced, set again or deleted: the engine knows what it is now."""

    hook: Final[str]

@final
class QueuedEvent:
    """A hook's event on its way to an endpoint. Garbage collection never looks at it, however
    many there are."""

    number: Final[int]  # over all hooks, in the order of their writes
    queued_ns: Final[int]  # since 1970
    hook: Final[str]
    key: Final[str]
    object_id: Final[str]
    detect: Final[str | None]
    body: Final[bytes]

    def __new__(cls, number: int, queued_ns: int, event: HookEvent) -> Self: ...

@final
class ServerCommand:
    """A command that isn't the engine's."""

    name: Final[str]
    args: Final[list[bytes]]
    shown: Final[bytes]  # as MONITOR shows it; empty unless somebody looks

@final
class Live:
    """The connection watches a live fence from here on."""

    id: Final[int]

@final
class LongRead:
    """A read that exceeded its budget, on a snapshot."""

    @property
    def args(self) -> list[bytes]:
        """The request's arguments, long ones cut."""

    def run(self) -> bytes: ...

@final
class Http:
    """The connection speaks HTTP from these bytes on."""

    data: Final[bytes]

@final
class Close:
    """Send the batch's replies, then close."""

    message: Final[str]

@final
class Yield:
    """Let other connections run first, then feed nothing to go on."""

def json_text(text: bytes) -> bytes:
    """A text as JSON: as it is if it is that already, else as a JSON string."""

def shorten(args: Sequence[bytes]) -> list[bytes]:
    """Arguments as the list of slow commands shows them, long ones cut."""

def split_native(text: bytes) -> list[bytes]:
    """Split command text as Tile38's native protocol does."""
