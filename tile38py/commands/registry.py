"""Server commands: their records, what they are given and what they return.

A handler computes; sending, logging and waiting are the pipeline's. Importing a family's module
adds its commands to COMMANDS.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from tile38py._engine import Engine, Simple
from tile38py.clients import Clients
from tile38py.config import Config
from tile38py.following import Following
from tile38py.gates import Gates
from tile38py.interfaces import (
    Broadcaster,
    Client,
    Clock,
    Journal,
    LogStreams,
    Memory,
    Outbox,
    Process,
    Role,
    SettingsFile,
    Stopper,
)
from tile38py.interfaces.rewriting import Backups, Shrinker
from tile38py.slow_log import SlowLog


class Access(StrEnum):
    """Who may run a command and when; the engine applies it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"
    CONNECTION = "connection"
    PUBSUB = "pubsub"


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
    """The record of a command, the only statement of its facts."""

    name: str
    run: Handler
    access: Access
    summary: str
    arity: int  # with the name; negative: at least so many
    is_developers: bool = False  # exists only under --dev

    def accepts(self, count: int) -> bool:
        """Whether so many words, the name included, can be right."""
        return count == self.arity if self.arity > 0 else count >= -self.arity


@dataclass(slots=True)
class Registry:
    """Commands by upper-case name."""

    by_name: dict[str, Command] = field(default_factory=dict)
    live: dict[Role, Handler] = field(default_factory=dict)

    def add(self, record: Command) -> None:
        """Add one; names are unique."""
        assert record.name not in self.by_name
        self.by_name[record.name] = record


COMMANDS: Final = Registry()


def command(
    name: str, *, arity: int, access: Access, summary: str, developers: bool = False
) -> Callable[[Handler], Handler]:
    """Make a function the handler of a command."""

    def register(run: Handler) -> Handler:
        COMMANDS.add(Command(name, run, access, summary, arity, developers))
        return run

    return register


def while_live(role: Role) -> Callable[[Handler], Handler]:
    """Make a function the handler of all requests of connections that listen to this."""

    def register(run: Handler) -> Handler:
        assert role not in COMMANDS.live
        COMMANDS.live[role] = run
        return run

    return register
