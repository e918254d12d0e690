"""The pipeline for a batch: log what changed, run the server's command, go on, collect replies.

Names no command and waits for nothing: work that takes long is handed back to the connection.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tile38py import errors
from tile38py._engine import Batch, Close, Http, LongRead, ServerCommand, Session, Yield
from tile38py.commands.registry import COMMANDS, Call, Command, Later, Reply, Services
from tile38py.interfaces import Client
from tile38py.limits import OUTPUT_BYTES_HIGH


@dataclass(frozen=True, slots=True)
class Work:
    """Something for another thread; its result becomes reply bytes on the event loop's."""

    run: Callable[[], object]
    frame: Callable[[object], bytes]


@dataclass(slots=True)
class Progress:
    """How far a session came: what to send, whether data changed, what stands in the way."""

    replies: list[bytes] = field(default_factory=list)
    wrote: bool = False
    stop: Work | Http | Close | None = None
    has_more: bool = False  # input waits, but enough was done for one turn
    size: int = 0  # of the replies

    def add(self, reply: bytes) -> None:
        """One more piece to send."""
        self.replies.append(reply)
        self.size += len(reply)

    def stop_at(self, stop: LongRead | Http | Close | Yield | Work | None) -> None:
        """What the session stopped at, other than a command for the server."""
        match stop:
            case LongRead():
                self.stop = Work(stop.run, _bytes)
            case Yield():
                self.has_more = True
            case _:
                self.stop = stop


class Dispatcher:
    """Runs batches for all connections."""

    __slots__ = ("_commands", "_services")

    def __init__(self, services: Services, *, is_developer: bool = False) -> None:
        self._services = services
        self._commands: dict[str, Command] = {}
        for record in COMMANDS.by_name.values():
            if is_developer or not record.is_developers:
                self._commands[record.name] = record
                services.engine.register(record.name, record.access)

    def drive(self, client: Client, batch: Batch) -> Progress:
        """Go on from a batch until the session waits for input, for work or for its end."""
        progress = Progress()
        while True:
            progress.add(batch.replies)
            if batch.log:
                self._services.journal.append(batch.log)
                progress.wrote = True
            stop = batch.stop
            outcome = self._run(client, stop) if isinstance(stop, ServerCommand) else stop
            if not isinstance(outcome, bytes):
                progress.stop_at(outcome)
                return progress
            progress.add(outcome)
            progress.has_more = progress.size > OUTPUT_BYTES_HIGH
            if progress.has_more or client.is_plain or client.is_gone:
                return progress
            batch = client.session.feed(b"", self._services.clock.now_ns())

    def _run(self, client: Client, stop: ServerCommand) -> bytes | Work:
        session = client.session
        record = self._commands[stop.name]
        try:
            if not record.accepts(1 + len(stop.args)):
                raise errors.wrong_arity()
            outcome = record.run(Call(stop.name, stop.args, client, self._services))
        except errors.CommandError as error:
            return framed(session, error)
        if isinstance(outcome, Reply):
            return framed(session, outcome)
        return _deferred(session, outcome)


def _deferred(session: Session, later: Later) -> Work:
    def run() -> Reply | errors.CommandError:
        try:
            return later.work()
        except errors.CommandError as error:
            return error

    def frame(result: object) -> bytes:
        assert isinstance(result, Reply | errors.CommandError)
        return framed(session, result)

    return Work(run, frame)


def framed(session: Session, outcome: Reply | errors.CommandError) -> bytes:
    """The bytes of an answer in the session's framing."""
    match outcome:
        case Reply(value, members):
            return session.answer(value, members)
        case errors.WrongArityError():
            return session.wrong_arity()
        case _:
            return session.fail(str(outcome))


def _bytes(result: object) -> bytes:
    assert isinstance(result, bytes)
    return result
