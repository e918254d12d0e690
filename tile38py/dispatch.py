"""The pipeline for a batch: log what changed, run the server's command, go on, collect replies.

Names no command and waits for nothing: work that takes long is handed back to the connection.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tile38py import errors
from tile38py._engine import (
    Batch,
    Close,
    Http,
    Live,
    LongRead,
    ServerCommand,
    Session,
    Yield,
    shorten,
)
from tile38py.commands.registry import (
    COMMANDS,
    Awaited,
    Call,
    Command,
    End,
    Flags,
    Later,
    Outcome,
    Raw,
    Replies,
    Reply,
    Services,
    Writes,
)
from tile38py.interfaces import Client
from tile38py.limits import OUTPUT_BYTES_HIGH

Answer = Reply | Replies | Raw | Writes | End | errors.CommandError


@dataclass(frozen=True, slots=True)
class Work:
    """Something for another thread; its result becomes reply bytes on the event loop's."""

    run: Callable[[], object]
    frame: Callable[[object], bytes]
    is_task: bool = False  # run begins a task on the event loop instead


@dataclass(slots=True)
class Progress:
    """How far a session came: what to send, whether data changed, what stands in the way."""

    replies: list[bytes] = field(default_factory=list)
    wrote: bool = False
    stop: Work | Http | Close | End | None = None
    has_more: bool = False  # input waits, but enough was done for one turn
    size: int = 0  # of the replies

    def add(self, reply: bytes) -> None:
        """One more piece to send."""
        self.replies.append(reply)
        self.size += len(reply)

    def stop_at(self, stop: Http | Close | Yield | None) -> None:
        """What the session stopped at, other than a command for the server."""
        match stop:
            case Yield():
                self.has_more = True
            case _:
                self.stop = stop


@dataclass(slots=True)
class Span:
    """When work was handed over, begun and done."""

    handed_ns: int
    began_ns: int = 0
    done_ns: int = 0


class Dispatcher:
    """Runs batches for all connections."""

    __slots__ = ("_commands", "_services")

    def __init__(self, services: Services, *, is_developer: bool = False) -> None:
        self._services = services
        self._commands: dict[str, Command] = {}
        for name, command in COMMANDS.by_name.items():
            if is_developer or Flags.DEVELOPER not in command.flags:
                self._commands[name] = command
                services.engine.register(command.record)

    def drive(self, client: Client, batch: Batch) -> Progress:
        """Go on from a batch until the session waits for input, for work or for its end."""
        progress = Progress()
        while True:
            progress.add(batch.replies)
            self._take(client, batch, progress)
            match batch.stop:
                case ServerCommand() as command:
                    progress.stop = self._run(client, command, progress)
                case Live(id=fence):
                    self._services.broadcaster.watch(client, fence)
                case LongRead() as read:
                    work = Work(read.run, _bytes)
                    progress.stop = self._timed(client, read.args, work)
                case stop:
                    progress.stop_at(stop)
                    return progress
            progress.has_more = progress.size > OUTPUT_BYTES_HIGH
            if progress.stop or progress.has_more or client.is_plain or client.is_gone:
                return progress
            batch = client.session.feed(b"", self._services.clock.now_ns())

    def _take(self, client: Client, batch: Batch, progress: Progress) -> None:
        """Log what changed and tell those who listen."""
        if batch.log:
            self._services.journal.append(batch.log)
            progress.wrote = True
        if batch.monitored:
            self._show(client, batch.monitored)
        if batch.events is not None:
            self._services.router.route(batch.events)
        for args, took_ns, waited_ns in batch.slow:
            self._services.slow_log.add(
                client,
                args,
                ended_ns=self._services.clock.now_ns(),
                took_ns=took_ns,
                waited_ns=waited_ns,
            )
        for reason in batch.refused_urls:
            self._services.log(f"SETHOOK: an endpoint was refused: {reason}")

    def _run(self, client: Client, stop: ServerCommand, progress: Progress) -> Work | End | None:
        """Run one command; what stands in the way of more."""
        session, span = client.session, self._span()
        is_live = client.listener is not None
        words = [stop.name.encode()]
        if is_live or Flags.HIDDEN not in self._commands[stop.name].flags:
            words += stop.args
        outcome = self._outcome(client, stop)
        if stop.shown and not isinstance(outcome, errors.WrongArityError):
            self._show(client, [stop.shown])
        match outcome:
            case Later():
                return self._timed(client, words, _deferred(session, outcome))
            case Awaited(begin):
                return self._timed(client, words, Work(begin, _framing(session), is_task=True))
        self._answer(client, outcome, progress)
        if not is_live:
            self._measure(client, words, span)
        return outcome if isinstance(outcome, End) else None

    def _answer(self, client: Client, outcome: Answer, progress: Progress) -> None:
        session = client.session
        match outcome:
            case Replies(replies):
                for reply in replies:
                    progress.add(framed(session, reply))
            case Writes(commands, reply):
                inner = self._services.engine.session()
                inner.authenticated = True
                for words in commands:
                    self._take(client, inner.run(words, self._services.clock.now_ns()), progress)
                progress.add(framed(session, reply))
            case End(None):
                pass
            case End(reply) if reply is not None:
                progress.add(framed(session, reply))
            case Reply() | Raw() | errors.CommandError():
                progress.add(framed(session, outcome))

    def _span(self) -> Span:
        now_ns = self._services.clock.monotonic_ns()
        return Span(now_ns, now_ns)

    def _timed(self, client: Client, words: list[bytes], work: Work) -> Work:
        """The same work, with what it takes and what it waits for its turn counted."""
        span = self._span()
        now_ns = self._services.clock.monotonic_ns

        def run() -> object:
            span.began_ns = now_ns()
            result = work.run()
            span.done_ns = 0 if work.is_task else now_ns()
            return result

        def frame(result: object) -> bytes:
            self._measure(client, words, span)
            return work.frame(result)

        return Work(run, frame, work.is_task)

    def _measure(self, client: Client, words: list[bytes], span: Span) -> None:
        services = self._services
        took_ns = (span.done_ns or services.clock.monotonic_ns()) - span.began_ns
        services.engine.record(words[0].decode("ascii", "replace"), took_ns)
        if services.slow_log.is_slow(took_ns):
            services.slow_log.add(
                client,
                shorten(words),
                ended_ns=services.clock.now_ns(),
                took_ns=took_ns,
                waited_ns=span.began_ns - span.handed_ns,
            )

    def _outcome(self, client: Client, stop: ServerCommand) -> Outcome | errors.CommandError:
        call = Call(stop.name, stop.args, client, self._services)
        try:
            if client.listener is not None:
                return COMMANDS.live_handler(client.listener.role, stop.name)(call)
            return self._commands[stop.name].run(call)
        except errors.CommandError as error:
            return error

    def _show(self, client: Client, commands: list[bytes]) -> None:
        now_ns = self._services.clock.now_ns()
        self._services.router.show(client.address, commands, now_ns)


def _deferred(session: Session, later: Later) -> Work:
    def run() -> Reply | errors.CommandError:
        try:
            return later.work()
        except errors.CommandError as error:
            return error

    return Work(run, _framing(session))


def _framing(session: Session) -> Callable[[object], bytes]:
    def frame(result: object) -> bytes:
        assert isinstance(result, Reply | errors.CommandError)
        return framed(session, result)

    return frame


def framed(session: Session, outcome: Reply | Raw | errors.CommandError) -> bytes:
    """The bytes of an answer in the session's framing."""
    match outcome:
        case Raw(data):
            return data
        case Reply(value, members):
            return session.answer(value, members)
        case errors.WrongArityError():
            return session.wrong_arity()
        case _:
            return session.fail(str(outcome))


def _bytes(result: object) -> bytes:
    assert isinstance(result, bytes)
    return result
