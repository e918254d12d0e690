"""Server commands: their records, the calls that handlers get and the outcomes they return.

A handler computes; the dispatcher sends, logs and waits. Importing a family's module adds its
commands to COMMANDS.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Flag, StrEnum, auto
from itertools import takewhile
from types import MappingProxyType
from typing import Final

from tile38py._engine import CommandRecord, Engine, Simple
from tile38py.access.control import AccessControl
from tile38py.clients import Clients
from tile38py.config import Config
from tile38py.gates import Gates
from tile38py.interfaces import (
    Broadcaster,
    Client,
    Clock,
    Journal,
    LogStreams,
    Memory,
    Process,
    Role,
    Router,
    SettingsFile,
    Stopper,
)
from tile38py.interfaces.delivery import Outbox
from tile38py.interfaces.files import SyncFigures
from tile38py.interfaces.following import Following
from tile38py.interfaces.history import EventHistory
from tile38py.interfaces.rewriting import Backups, Shrinker
from tile38py.slow_log import SlowLog


class Flags(Flag):
    """Facts of a command that decide how it is treated. The engine documents and applies most."""

    WRITE = auto()
    READ = auto()
    ADMIN = auto()
    CONNECTION = auto()
    PUBSUB = auto()
    BLOCKING = auto()
    BEFORE_AUTH = auto()
    WHILE_LOADING = auto()
    NO_TIMEOUT = auto()
    HIDDEN = auto()
    NO_HTTP = auto()
    HTTP_STATUS = auto()
    SUBSCRIBES = auto()
    FORWARDED = auto()
    DEVELOPER = auto()
    INTROSPECTION = auto()
    NO_MULTI = auto()
    MULTI_CONTROL = auto()
    DANGEROUS = auto()


class Group(StrEnum):
    """The chapter of the documentation that a command belongs to."""

    FENCES = "fences"
    PUBSUB = "pubsub"
    CONNECTION = "connection"
    SERVER = "server"
    PERSISTENCE = "persistence"
    REPLICATION = "replication"
    DEVELOPER = "developer"


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the server that handlers may use."""

    engine: Engine
    clock: Clock
    config: Config
    gates: Gates
    journal: Journal
    clients: Clients
    memory: Memory
    process: Process
    settings_file: SettingsFile
    broadcaster: Broadcaster
    following: Following
    outbox: Outbox
    history: EventHistory
    router: Router
    log_streams: LogStreams
    syncs: SyncFigures
    shrinker: Shrinker
    backups: Backups
    slow_log: SlowLog
    access: AccessControl
    stop: Stopper
    log: Callable[[str], None]  # writes a line to the server's log
    started_ns: int  # monotonic time of the start
    is_http_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """A request for a handler."""

    name: str  # of the command, in upper case
    args: list[bytes]  # the words behind the name
    client: Client
    server: Services


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, in RESP and in JSON."""

    value: object  # in RESP
    members: tuple[tuple[str, object], ...] = ()  # in JSON, besides `ok` and `elapsed`


@dataclass(frozen=True, slots=True)
class Replies:
    """Several replies to one request."""

    all: list[Reply]


@dataclass(frozen=True, slots=True)
class RawReply:
    """A reply that is sent as it is, whatever the output and the framing."""

    data: bytes


@dataclass(frozen=True, slots=True)
class EngineCommands:
    """Commands that the engine runs as if the client had sent them, and the one reply."""

    commands: Iterator[list[bytes]]
    reply: Reply


@dataclass(frozen=True, slots=True)
class ThreadReply:
    """A reply that takes long: the work runs on another thread while the client waits."""

    work: Callable[[], Reply]


@dataclass(frozen=True, slots=True)
class TaskReply:
    """A reply that needs the network: begin returns a task, and the client waits for its result."""

    begin: Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class LastReply:
    """The last reply of a connection, if any, which is closed afterwards."""

    reply: Reply | RawReply | None = None
    message: str = ""  # the reason, for the server's log; not logged if empty


HandlerOutcome = Reply | Replies | RawReply | EngineCommands | ThreadReply | TaskReply | LastReply
Handler = Callable[[Call], HandlerOutcome]
OK: Final = Reply(Simple("OK"))


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its handler and its record, the only statement of its facts."""

    record: CommandRecord
    run: Handler
    flags: Flags


@dataclass(slots=True)
class CommandRegistry:
    """All server commands by upper-case name, and the handlers of live connections."""

    by_name: dict[str, Command] = field(default_factory=dict)
    live: dict[tuple[Role, str | None], Handler] = field(default_factory=dict)

    def add(self, command: Command) -> None:
        """Add a command. Names are unique."""
        assert command.record.name not in self.by_name
        self.by_name[command.record.name] = command

    def live_handler(self, role: Role, name: str) -> Handler:
        """Return the handler of a request that a live connection with this role sent."""
        return self.live.get((role, name)) or self.live[role, None]


COMMANDS: Final = CommandRegistry()
NO_SUBCOMMANDS: Final[Mapping[str, Flags]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Subjects:
    """What users' rights are checked for, besides the command."""

    keys: str = "none"
    channels: str = "none"
    subcommands: Mapping[str, Flags] = field(default_factory=dict)


NO_SUBJECTS: Final = Subjects()
SUBJECTS: Final[dict[Handler, Subjects]] = {}


def command(
    usage: str, *, arity: int, summary: str, group: Group, flags: Flags
) -> Callable[[Handler], Handler]:
    """Make a function the handler of a command.

    The usage is the name, in upper case, followed by the arguments. The arity counts all words of
    a request, those of the name too; a negative one is a minimum.
    """
    words = takewhile(lambda word: word.isalnum() and word.isupper(), usage.split(" "))
    name = " ".join(words)
    syntax = usage[len(name) :].lstrip()

    def register(run: Handler) -> Handler:
        subjects = SUBJECTS.get(run, NO_SUBJECTS)
        record = CommandRecord(
            name,
            arity=arity,
            syntax=syntax,
            summary=summary,
            group=group,
            flags=_names(flags),
            keys=subjects.keys,
            channels=subjects.channels,
            subcommands=[(word, _names(own)) for word, own in subjects.subcommands.items()],
        )
        COMMANDS.add(Command(record, run, flags))
        return run

    return register


def checked(
    *,
    keys: str = "none",
    channels: str = "none",
    subcommands: Mapping[str, Flags] = NO_SUBCOMMANDS,
) -> Callable[[Handler], Handler]:
    """Tell what users' rights are checked for, besides the command; below @command.

    Keys and channels are the names of the engine's variants. Each subcommand has ADMIN,
    CONNECTION or neither as its own flag.
    """

    def note(run: Handler) -> Handler:
        SUBJECTS[run] = Subjects(keys, channels, subcommands)
        return run

    return note


def _names(flags: Flags) -> list[str]:
    return [flag.name.lower() for flag in flags if flag.name]


def while_live(role: Role, name: str | None = None) -> Callable[[Handler], Handler]:
    """Make a function a handler of requests that live connections with this role send.

    It handles the command of that name; without a name, all commands that have no handler.
    """

    def register(run: Handler) -> Handler:
        assert (role, name) not in COMMANDS.live
        COMMANDS.live[role, name] = run
        return run

    return register
