"""Types of the Rust engine's binding. The module is built from crates/python."""

from collections.abc import Callable, Sequence
from typing import Final, Self, TypeAlias, final

from tile38py._engine_access import AccessSelector as AccessSelector
from tile38py._engine_events import ChannelEvent as ChannelEvent
from tile38py._engine_events import Events as Events
from tile38py._engine_events import HookChange as HookChange
from tile38py._engine_events import HookEvent as HookEvent
from tile38py._engine_events import HookProgress as HookProgress
from tile38py._engine_events import LiveEvent as LiveEvent
from tile38py._engine_events import QueuedEvent as QueuedEvent

# A reply in Python; texts that aren't UTF-8 are bytes.
_Value: TypeAlias = str | bytes | int | list[_Value] | None

__all__ = [
    "DEBUG_BUILD",
    "AccessSelector",
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
    "HookDefinition",
    "HookEvent",
    "HookProgress",
    "Http",
    "LargeWrite",
    "Live",
    "LiveEvent",
    "LiveSnapshot",
    "Load",
    "ParsedPiece",
    "Push",
    "QueuedEvent",
    "ReadPool",
    "ReadUnit",
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
    """The data, and all commands that only read or change data."""

    def __new__(cls, *, require_valid: bool = False) -> Self: ...
    def register(self, record: CommandRecord) -> None:
        """Register a server command. Raises ValueError for unknown flags, groups and keys."""

    def commands(self) -> list[CommandRecord]:
        """Return the records of all commands, the engine's and the server's, by name."""

    def version(self, key: bytes) -> int | None: ...  # new with each change of the collection
    def keys_of(self, args: Sequence[bytes]) -> list[bytes] | None:
        """Return the keys of a request, its command's own first; None for unknown commands."""

    def set_user(self, name: bytes, selectors: Sequence[AccessSelector] | None) -> None:
        """Set the rights of a user, present sessions included; None to forbid nothing."""

    def remove_user(self, name: bytes) -> None:
        """Remove a user. Its sessions keep no right."""

    def live_keys(self, fence: int) -> list[bytes]:
        """Return the keys that a live fence watches."""

    def check_endpoints(self, checker: Callable[[bytes], EndpointRefusal | None]) -> None:
        """Set the function that checks the URLs of SETHOOK. It must not use the engine. Without
        one every URL is accepted, as are those of a log or a leader."""

    def live_start(self, fence: int) -> LiveSnapshot | None:
        """Return the first messages of a live fence, None if it has none. They are those of the
        present, and have to be sent before the events of later writes."""

    def set_time_zones(self, utc_offset: Callable[[bytes, int], int | None]) -> None:
        """Set the function that returns the seconds by which a zone is ahead of UTC at a time in
        seconds since 1970, None for an unknown zone. It must not use the engine. Without one only
        UTC is known."""

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
        write_error: str | None = None,
    ) -> None: ...
    def monitor(self, is_on: bool) -> None:
        """Start or stop reporting the executed commands in batches."""

    def load(self, data: bytes, now_ns: int) -> Load:
        """Replay a piece of a log. Doesn't raise for invalid content: see Load.error."""

    def follow(
        self, data: bytes, scanned: int, now_ns: int, parsed: ParsedPiece | None = None
    ) -> Followed:
        """Run a piece of a leader's stream. Doesn't raise for invalid content: see Followed.error.
        scanned is that of the call before if its unconsumed bytes come again, else 0. parsed is the
        result of parse_long() for the same object. Its events are those of live fences, without
        hooks and channels: see take_events()."""

    def parse_long(self, data: bytes) -> ParsedPiece:
        """Parse the geometries of the long commands in a piece of a leader's stream. Any thread."""

    def adopt(self, other: Engine) -> Discarded:
        """Move the data, hooks and channels of another engine into this one in constant time. The
        other one is left empty. Live fences and sessions of this one continue; its groups of visits
        are cleared; take_events() returns the hooks that differ. Raises ValueError for itself."""

    def expire(self, now_ns: int, count_max: int) -> tuple[bytes, int]:
        """Remove expired objects, hooks and channels; return the log bytes (none on a follower,
        whose log is its leader's) and the number removed. On a follower, follow() restores a
        removed object for a command that names it within ten seconds."""

    def run_fence_upkeep(self, now_ns: int, count_max: int) -> tuple[bytes, int]:
        """Send the messages of fences that are due without a write: timers of visits, and the ends
        of visits. Return the log bytes (none on a follower) and the number of objects."""

    def take_events(self) -> Events | None:
        """Return the events of commands outside of batches, such as load() and expire(), or None.
        The next batch returns the events that aren't taken."""

    def begin_recovery(self, stored: list[tuple[bytes, int, int]]) -> None:
        """Begin to recover the numbered events of a log that is about to be loaded, behind those
        that are stored: names with the number of the last event and the time of the first one."""

    def take_recovered(self) -> Events | None:
        """Return the recovered events of a log that was loaded or adopted; None if there are none.
        Numbers continue behind those of the log and behind the stored ones."""

    def set_delivered(self, delivered: list[tuple[bytes, int]]) -> bytes:
        """Note up to which number the events of hooks are delivered; return the log bytes."""

    def channel(self, name: bytes) -> HookDefinition | None:
        """Return the channel of a name; None if it doesn't exist."""

    def sequence(self, name: bytes) -> tuple[int, int] | None:
        """Return the number of the last event of a hook or channel, and the time of its first one
        in nanoseconds since 1970; None if its events have no numbers."""

    def hook(self, name: bytes) -> HookDefinition | None:
        """Return the hook of a name; None if it doesn't exist."""

    def hook_names(self) -> list[bytes]:
        """Return the names of all hooks, without channels, ascending."""

    def closing_hooks(self) -> list[bytes]:
        """Return the names of deleted hooks whose last messages may still be sent."""

    def close_hook(self, name: bytes) -> None:
        """Forget a deleted hook: it has no message to send."""

    def rewrite(self, now_ns: int) -> Rewrite:
        """Begin a rewrite of the log from a snapshot, in constant time."""

    def remove_live(self, fence: int) -> bool:
        """Remove a live fence; return whether it existed."""

    def set_fence_context(self, *, utc_offset: int, group_seed: bytes) -> None:
        """Set the time zone of messages, in seconds ahead of UTC, and five bytes of group ids."""

    def statistics(self) -> dict[str, int]:
        """Return num_collections, num_objects, num_points, num_strings, in_memory_size, …."""

    def record(self, command: str, took_ns: int) -> None:
        """Record the duration of a server command."""

    def enable_read_units(self, is_on: bool) -> None:
        """Let sessions stop at read units, which the server runs on other threads."""

    def set_slow_threshold(self, took_ns: int | None) -> None:
        """Report commands of this duration or more in batches; None for no command."""

    def set_server_replies(self, basic: list[str], extended: list[str]) -> None:
        """Set the replies of SERVER and SERVER EXT for scripts."""

    def set_event_window(self, milliseconds: int) -> None:
        """Let fences wait for positions with earlier event times; 0 = they don't."""

    def set_script_limit(self, milliseconds: int) -> None:
        """End scripts that may write after this time: nothing else runs meanwhile."""

    def durations(self, parts: Sequence[float]) -> list[tuple[str, int, int, list[int | None]]]:
        """Return for each command: name, count, sum in ns, and these quantiles of the last ten
        minutes in ns."""

    def count_groups(self) -> int:
        """Return the number of visits of objects to fences, in linear time."""

    def set_query_limit(self, bytes_max: int) -> None:
        """Set the largest size of an incomplete request, in bytes."""

    def bound_memory(self, bytes_max: int | None) -> bool:
        """Refuse writes while the heap is larger; return whether it is now. None = no bound."""

    def memory(self) -> tuple[int, int]:
        """Return the bytes of heap in use, and the bytes that were returned to the system."""

    def execute(self, args: Sequence[bytes], now_ns: int) -> tuple[_Value, bytes]:
        """Run a command; return its reply and log bytes. Raises ValueError for an error reply."""

    def snapshot(self) -> Engine:
        """Return a snapshot, in constant time. It refuses writes."""

@final
class CommandRecord:
    """The facts of a command. See crates/engine/src/commands/record.rs for flags, groups, keys."""

    name: Final[str]  # upper case
    arity: Final[int]  # words of a request, the name's included; negative: a minimum
    syntax: Final[str]  # of the arguments, without the name
    summary: Final[str]
    group: Final[str]
    flags: Final[list[str]]
    keys: Final[str]
    channels: Final[str]
    # Those that users' rights tell apart, and the flags that each has as its own.
    subcommands: Final[list[tuple[str, list[str]]]]

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
        channels: str,
        subcommands: Sequence[tuple[str, Sequence[str]]],
    ) -> Self: ...

@final
class EndpointRefusal:
    """The refusal of a URL in SETHOOK."""

    reason: Final[str]  # for the log
    reply: Final[str | None]  # the error text; None = that of any invalid argument

    def __new__(cls, reason: str, reply: str | None = None) -> Self: ...

@final
class Load:
    """The result of replaying a piece of a log."""

    consumed: Final[int]
    commands: Final[int]
    error: Final[str | None]
    skipped: Final[list[tuple[str, int]]]

@final
class Followed:
    """The result of running a piece of a leader's stream."""

    consumed: Final[int]
    scanned: Final[int]  # bytes behind them: complete commands of an incomplete transaction
    commands: Final[int]
    error: Final[str | None]
    # The consumed bytes, zero bytes between commands included, PUBLISH excluded.
    log: Final[bytes | memoryview]
    published: Final[list[tuple[bytes, bytes]]]  # channels and messages
    skipped: Final[list[tuple[str, int]]]

@final
class ParsedPiece:
    """The geometries of a piece's long commands, parsed before the commands run."""

@final
class Discarded:
    """The former data of an engine that adopted another's."""

    def free(self) -> None:
        """Free the memory. It may take a second: for use on a thread."""

@final
class LiveSnapshot:
    """The first messages of a live fence, read in slices."""

    def read(self, visits_max: int, bytes_max: int) -> list[bytes] | None:
        """Return the messages of the next slice, which may have none; None at the end."""

@final
class Rewrite:
    """A rewrite of the log from a snapshot, for any thread."""

    total: Final[int]  # objects, hooks and channels
    @property
    def written(self) -> int:
        """The number of objects, hooks and channels that were read."""

    def read(self, bytes_max: int) -> bytes | memoryview:
        """Return the next commands, about bytes_max of them; none at the end."""

@final
class Push:
    """An array that RESP3 sends as a push: a message, or the reply to a subscription."""

    def __new__(cls, items: list[object]) -> Self: ...

@final
class HookDefinition:
    """A hook as it was when it was looked up."""

    key: Final[bytes]
    endpoints: Final[tuple[bytes, ...]]  # in the order of the attempts
    options: Final[tuple[bytes, ...]]  # the words of SETHOOK about delivery, secrets included
    shown_options: Final[tuple[bytes, ...]]  # the same without secrets
    is_paused: Final[bool]

    def ttl(self, now_ns: int) -> int:
        """Return the whole seconds until it expires; -1 if it never does."""

@final
class Session:
    """The parser, output format, user and rights of a connection."""

    @property
    def authenticated(self) -> bool:
        """Whether the client has authenticated."""

    @property
    def user(self) -> bytes:
        """The name of the user."""

    def log_in(self, user: bytes) -> None:
        """Become a user, whose password was right."""

    def log_out(self) -> None:
        """Become the default user, not authenticated."""

    def refusal(self, args: Sequence[bytes]) -> tuple[str, bytes] | None:
        """The reason why the user may not run a request, and the command, key or channel.

        None if it may. The reasons are "command", "key" and "channel".
        """

    def may_read(self, key: bytes) -> bool:
        """Whether the user may read a key."""

    def hook_names(self) -> list[bytes]:
        """Return the names of the hooks that the user may see, without channels, ascending."""

    def hook(self, name: bytes) -> HookDefinition | None:
        """Return the hook of a name; None if it doesn't exist or the user may not see it."""

    live: bool  # True: all requests become ServerCommands, unknown commands too
    @property
    def fails_by_status(self) -> bool:
        """Whether the last command reports a failure by the status code of its HTTP reply."""

    @property
    def buffered(self) -> int: ...  # bytes of an incomplete request
    @property
    def request_count(self) -> int:
        """The number of complete requests received, refused ones included."""

    @property
    def output(self) -> str: ...
    @property
    def in_transaction(self) -> bool: ...  # EXEC has commands yet to run: nobody else may run any
    protocol: int  # the version of RESP: 2 or 3
    def reset(self) -> None:
        """Return to the state in which the connection began: output, protocol, no login."""

    @property
    def framing(self) -> str:
        """The framing of the last request: "resp" (or inline), "native", "plain"."""

    def feed(self, data: bytes, now_ns: int) -> Batch: ...
    def receive(self, data: bytes, now_ns: int) -> bytes | tuple[bytes, bytes] | Batch:
        """Run received bytes like feed(), but return only what is there in the two usual cases.

        These are bare replies of commands that changed nothing, or replies and log bytes.
        """

    def finish_reads(self, unit: ReadUnit) -> tuple[bytes | memoryview, Batch]:
        """Take the results of a unit at which the session stopped and that has run."""

    def run(self, args: Sequence[bytes], now_ns: int) -> Batch: ...
    # Runs a transaction; each reply has a line end before it. None runs if one is refused.
    def run_atomically(self, commands: Sequence[Sequence[bytes]], now_ns: int) -> Batch: ...
    def admits(self, args: Sequence[bytes]) -> bool: ...  # whether the command would run now
    def answer(self, value: object, members: Sequence[tuple[str, object]] = ...) -> bytes: ...
    def fail(self, text: str) -> bytes:
        """Return an error reply. Surrogate escapes in the text become their bytes again."""

    def wrong_arity(self) -> bytes: ...
    def frame_event(self, message: bytes) -> bytes:
        """Frame a message of a live fence for this connection."""

@final
class Batch:
    """The result of a call: replies to send, bytes to log, events, and why it stopped."""

    replies: Final[bytes]
    log: Final[bytes | memoryview]  # a view if there are many
    monitored: Final[list[tuple[bool, bytes]]]
    # Of each slow command: the arguments, the duration and the waiting time in ns.
    slow: Final[list[tuple[list[bytes], int, int]]]
    # Requests that were refused for want of a right: the reason ("command", "key" or "channel"),
    # the context ("toplevel", "multi" or "lua"), the command, key or channel, and the user.
    denied: Final[list[tuple[str, str, bytes, bytes]]]
    stop: Final[ServerCommand | ReadUnit | LargeWrite | Live | Http | Close | Yield | None]
    events: Final[Events | None]
    # The reasons of refused endpoint URLs, which replies don't contain.
    refused_urls: Final[list[str]]

@final
class ServerCommand:
    """A command that the server has to run."""

    name: Final[str]
    args: Final[list[bytes]]
    shown: Final[bytes]  # the line for MONITOR; empty without monitors

@final
class Live:
    """The connection begins to watch a live fence."""

    id: Final[int]

@final
class LargeWrite:
    """A SET with a large geometry, which any thread may parse before the session applies it."""

    def parse(self) -> None: ...  # without the GIL
    def apply(self, session: Session, now_ns: int) -> Batch: ...

@final
class ReadUnit:
    """Consecutive reads of a session. They run on a snapshot, on any thread; then the session takes
    the results.
    """

    @property
    def requests(self) -> list[list[bytes]]:
        """The arguments of each request that has to run; long ones are cut."""

    @property
    def runs_scripts(self) -> bool:
        """Whether it runs a script, or one for each object, which may take long."""

    def cancel(self) -> None:
        """Let the unit end soon, on any thread: nobody waits for its replies."""

    def run(self) -> None:
        """Run all reads without the GIL, on the present thread."""

# What is called with the error of a unit, None if there was none.
_UnitDone = Callable[[BaseException | None], None]

@final
class ReadPool:
    """Threads that run read units beside the event loop."""

    def __new__(cls, threads: int, long_threads: int) -> Self: ...
    @staticmethod
    def core_count() -> int:
        """The number of cores that this process may use."""

    def set_threads(self, count: int) -> None:
        """Change the number of threads for units that don't take long."""

    def fileno(self) -> int:
        """The descriptor that becomes readable when units are finished."""

    def submit(self, unit: ReadUnit, done: _UnitDone) -> bool:
        """Submit a unit; `collect` returns `done` when the unit is finished. Return whether to call
        `collect` soon.
        """

    def collect(self) -> tuple[list[tuple[_UnitDone, bool]], bool]:
        """Return the `done` of all finished units, each with whether a read has panicked, and
        whether no thread is free for a unit that waits: then call `help`, and `collect` again soon.
        """

    def help(self) -> None:
        """Run a unit on the present thread for a short time, if no other thread is free."""

    def stop(self) -> None:
        """Cancel all units and wait for the threads."""

@final
class Http:
    """The connection uses HTTP, from these bytes on."""

    data: Final[bytes]

@final
class Close:
    """Close the connection after the replies of the batch."""

    message: Final[str]

@final
class Yield:
    """The time slice is used up: let other connections run, then call feed() without data."""

def json_text(text: bytes) -> bytes:
    """Return a text unchanged if it is JSON, else as a JSON string."""

def shorten(args: Sequence[bytes]) -> list[bytes]:
    """Cut long arguments for the slow log."""

def split_native(text: bytes) -> list[bytes]:
    """Split command text as Tile38's native protocol does."""
