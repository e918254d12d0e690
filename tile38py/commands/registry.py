"""Server commands: their records, what they are given and what they return.

A handler computes; sending, logging and waiting are the pipeline's. Importing a family's module
adds its commands to COMMANDS.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from enum import Flag, StrEnum, auto
from itertools import takewhile
from typing import Final

from tile38py._engine import CommandRecord, Engine, Simple
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
from tile38py.interfaces.following import Following
from tile38py.interfaces.rewriting import Backups, Shrinker
from tile38py.slow_log import SlowLog


class Flags(Flag):
    """How a command is treated; the engine documents each and applies most of them."""

    NONE = 0
    WRITE = auto()
    READ = auto()
    ADMIN = auto()
    CONNECTION = auto()
    PUBSUB = auto()
    BLOCKING = auto()
    BEFORE_AUTH = auto()
    WHILE_LOADING = auto()
    STALE_OK = auto()
    NO_TIMEOUT = auto()
    HIDDEN = auto()
    NO_HTTP = auto()
    HTTP_STATUS = auto()
    SUBSCRIBES = auto()
    FORWARDED = auto()
    DEVELOPER = auto()
    INTROSPECTION = auto()


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
    """What handlers may ask for."""

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
    router: Router
    log_streams: LogStreams
    shrinker: Shrinker
    backups: Backups
    slow_log: SlowLog
    stop: Stopper
    log: Callable[[str], None]  # a line in the server's log
    started_ns: int  # monotonic
    is_http_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    name: str  # upper case
    args: list[bytes]  # what follows the name
    client: Client
    server: Services


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: the value is RESP's, the members are JSON's."""

    value: object
    members: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Replies:
    """Several answers to one request."""

    all: list[Reply]


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is the same in every output and has no frame."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Writes:
    """Commands of the engine to be run, as if the client had sent them, and the one answer."""

    commands: Iterator[list[bytes]]
    reply: Reply


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that takes long: the work runs on another thread, the client waits."""

    work: Callable[[], Reply]


@dataclass(frozen=True, slots=True)
class Awaited:
    """An answer for which somebody else has to be asked: begin gives its task, the client waits."""

    begin: Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class End:
    """The last answer, if there is one, before the connection closes."""

    reply: Reply | Raw | None = None
    message: str = ""  # for the server's log


Outcome = Reply | Replies | Raw | Writes | Later | Awaited | End
Handler = Callable[[Call], Outcome]
OK: Final = Reply(Simple("OK"))


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its handler: the only statement of its facts."""

    record: CommandRecord
    run: Handler
    flags: Flags


@dataclass(slots=True)
class Registry:
    """Commands by upper-case name."""

    by_name: dict[str, Command] = field(default_factory=dict)
    live: dict[tuple[Role, str | None], Handler] = field(default_factory=dict)

    def add(self, command: Command) -> None:
        """Add one; names are unique."""
        assert command.record.name not in self.by_name
        self.by_name[command.record.name] = command

    def live_handler(self, role: Role, name: str) -> Handler:
        """Return what answers a request of a connection that listens to this."""
        return self.live.get((role, name)) or self.live[role, None]


COMMANDS: Final = Registry()


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
        record = CommandRecord(
            name,
            arity=arity,
            syntax=syntax,
            summary=summary,
            group=group,
            flags=[flag.name.lower() for flag in flags if flag.name],
            keys="none",
        )
        COMMANDS.add(Command(record, run, flags))
        return run

    return register


def while_live(role: Role, name: str | None = None) -> Callable[[Handler], Handler]:
    """Make a function the handler of requests of connections that listen to this.

    With a name only of that command; without one of all that have no handler of their own.
    """

    def register(run: Handler) -> Handler:
        assert (role, name) not in COMMANDS.live
        COMMANDS.live[role, name] = run
        return run

    return register
