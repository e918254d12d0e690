"""The pipeline for batches: log changes, run server commands, collect replies.

It names no command and never waits: long work is returned to the connection.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from typing import Final

from tile38py import errors
from tile38py._engine import (
    Batch,
    Close,
    Http,
    LargeWrite,
    Live,
    ReadUnit,
    ServerCommand,
    Session,
    Yield,
    shorten,
)
from tile38py.access.refusals import AccessRefusal
from tile38py.clients import client_line
from tile38py.commands.registry import (
    COMMANDS,
    Call,
    Command,
    EngineCommands,
    Flags,
    HandlerOutcome,
    LastReply,
    RawReply,
    Replies,
    Reply,
    Services,
    TaskReply,
    ThreadReply,
)
from tile38py.interfaces import Client
from tile38py.interfaces.views import ByteData
from tile38py.limits import OUTPUT_BYTES_HIGH, SLICE_COMMANDS_COUNT_MAX

ImmediateOutcome = Reply | Replies | RawReply | LastReply | errors.CommandError


class WorkKind(Enum):
    """Ways in which background work is run."""

    THREAD = auto()  # run() is called on another thread and returns the result
    SCRIPT = auto()  # the same; run() runs scripts, which may take long
    READS = auto()  # the unit runs in the pool of native threads; run() runs it at once
    WRITE = auto()  # as THREAD; frame() changes data, so that its result waits for the log
    TASK = auto()  # run() returns a task
    TIME_SLICES = auto()  # run() returns an iterator; each step is one time slice of the event loop


ON_THREADS: Final = frozenset({WorkKind.THREAD, WorkKind.SCRIPT})


@dataclass(frozen=True, slots=True)
class BackgroundWork:
    """Work beside other connections, and the framing of its result on the event loop's thread."""

    run: Callable[[], object]
    frame: Callable[[object], ByteData]
    kind: WorkKind = WorkKind.THREAD
    cancel: Callable[[], None] | None = None  # lets run() end soon: nobody waits for its result
    unit: ReadUnit | None = None  # of READS


@dataclass(slots=True)
class RunResult:
    """The result of running a session's input until it has to stop."""

    replies: list[bytes] = field(default_factory=list)
    wrote: bool = False
    # None: more input is needed, or has_more
    stop: BackgroundWork | Http | Close | LastReply | None = None
    has_more: bool = False  # input is left, but the time slice is used up
    size: int = 0  # bytes of the replies

    def add(self, reply: bytes) -> None:
        """Add a reply."""
        self.replies.append(reply)
        self.size += len(reply)

    def stop_at(self, stop: Http | Close | Yield | None) -> None:
        """Set the stop of a batch that isn't a server command."""
        match stop:
            case Yield():
                self.has_more = True
            case _:
                self.stop = stop


@dataclass(slots=True)
class WorkTiming:
    """Monotonic times at which work was submitted, started and done."""

    submitted_ns: int
    started_ns: int = 0
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

    @property
    def services(self) -> Services:
        """The parts of the server that commands use."""
        return self._services

    def drive(self, client: Client, batch: Batch) -> RunResult:
        """Run a session's input from a batch on, until it needs more input or work, or ends."""
        result = RunResult()
        while True:
            result.add(batch.replies)
            self._process(client, batch, result)
            match batch.stop:
                case ServerCommand() as command:
                    result.stop = self._run(client, command, result)
                case Live(id=fence):
                    self._services.broadcaster.watch(client, fence)
                case ReadUnit() as unit:
                    result.stop = BackgroundWork(
                        unit.run,
                        partial(self._finish_reads, client, unit),
                        WorkKind.SCRIPT if unit.runs_scripts else WorkKind.READS,
                        unit.cancel,
                        unit,
                    )
                case LargeWrite() as write:
                    apply = partial(self._apply, client, write)
                    result.stop = BackgroundWork(write.parse, apply, WorkKind.WRITE)
                case stop:
                    result.stop_at(stop)
                    return result
            result.has_more = result.size > OUTPUT_BYTES_HIGH
            is_enough = client.is_gone or result.has_more or client.is_plain
            # Nothing may run between the commands of a transaction, even if one ends the client.
            if result.stop or (is_enough and not client.session.in_transaction):
                return result
            batch = client.session.feed(b"", self._services.clock.now_ns())

    def _process(self, client: Client, batch: Batch, result: RunResult) -> None:
        """Append the log of a batch; pass on its events, MONITOR lines and slow commands."""
        # The log of a transaction comes at its end, and its messages wait for that.
        if batch.log or client.session.in_transaction:
            self._services.journal.append(batch.log)
            result.wrote = True
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
        self._note_denied(client, batch.denied)
        for reason in batch.refused_urls:
            self._services.log(f"SETHOOK: an endpoint was refused: {reason}")

    def _finish_reads(self, client: Client, unit: ReadUnit, _: object) -> ByteData:
        """Take the results of a unit that has run; return the replies."""
        replies, batch = client.session.finish_reads(unit)
        self._process(client, batch, RunResult())
        return replies

    def _apply(self, client: Client, write: LargeWrite, parsed: object) -> bytes:
        """Apply a write whose geometry is parsed."""
        del parsed
        batch = write.apply(client.session, self._services.clock.now_ns())
        self._process(client, batch, RunResult())
        return batch.replies

    def _note_denied(self, client: Client, denied: list[tuple[str, str, bytes, bytes]]) -> None:
        """Add requests that were refused for want of a right to ACL LOG."""
        for reason, context, what, user in denied:
            now_ns = self._services.clock.now_ns()
            refusal = AccessRefusal(reason, context, what, user)
            self._services.access.refusals.add(refusal, client_line(client, now_ns), now_ns)

    def _run(
        self, client: Client, stop: ServerCommand, result: RunResult
    ) -> BackgroundWork | LastReply | None:
        """Run a server command; return the work or the end that stops the session, if any."""
        session, timing = client.session, self._start_timing()
        is_live = session.live
        words = [stop.name.encode()]
        if is_live or Flags.HIDDEN not in self._commands[stop.name].flags:
            words += stop.args
        outcome = self._outcome(client, stop)
        if stop.shown and not isinstance(outcome, errors.WrongArityError):
            self._show(client, [(False, stop.shown)])
        match outcome:
            case ThreadReply():
                return self._timed(client, words, _deferred(session, outcome))
            case TaskReply(begin):
                work = BackgroundWork(begin, _framing(session), WorkKind.TASK)
                return self._timed(client, words, work)
            case EngineCommands(commands, reply):
                slices = partial(self._run_slices, client, commands)
                work = BackgroundWork(
                    slices, lambda _: framed(session, reply), WorkKind.TIME_SLICES
                )
                return self._timed(client, words, work)
        self._answer(client, outcome, result)
        if not is_live:
            self._measure(client, words, timing)
        return outcome if isinstance(outcome, LastReply) else None

    def _answer(self, client: Client, outcome: ImmediateOutcome, result: RunResult) -> None:
        session = client.session
        match outcome:
            case Replies(replies):
                for reply in replies:
                    result.add(framed(session, reply))
            case LastReply(None):
                pass
            case LastReply(reply) if reply is not None:
                result.add(framed(session, reply))
            case Reply() | RawReply() | errors.CommandError():
                result.add(framed(session, outcome))

    def _run_slices(self, client: Client, commands: Iterator[list[bytes]]) -> Iterator[None]:
        """Run commands of a handler, some in each step. Their replies are dropped."""
        session = self._services.engine.session()
        session.log_in(client.session.user)
        for count, words in enumerate(commands, 1):
            batch = session.run(words, self._services.clock.now_ns())
            self._process(client, batch, RunResult())
            if count % SLICE_COMMANDS_COUNT_MAX == 0:
                yield

    def _start_timing(self) -> WorkTiming:
        now_ns = self._services.clock.monotonic_ns()
        return WorkTiming(now_ns, now_ns)

    def _timed(self, client: Client, words: list[bytes], work: BackgroundWork) -> BackgroundWork:
        """Wrap work so that its duration and its waiting time are recorded."""
        timing = self._start_timing()
        now_ns = self._services.clock.monotonic_ns

        def run() -> object:
            timing.started_ns = now_ns()
            result = work.run()
            timing.done_ns = now_ns() if work.kind in ON_THREADS else 0
            return result

        def frame(result: object) -> ByteData:
            self._measure(client, words, timing)
            return work.frame(result)

        return BackgroundWork(run, frame, work.kind, work.cancel)

    def _measure(self, client: Client, words: list[bytes], timing: WorkTiming) -> None:
        services = self._services
        took_ns = (timing.done_ns or services.clock.monotonic_ns()) - timing.started_ns
        services.engine.record(words[0].decode("ascii", "replace"), took_ns)
        if services.slow_log.is_slow(took_ns):
            services.slow_log.add(
                client,
                shorten(words),
                ended_ns=services.clock.now_ns(),
                took_ns=took_ns,
                waited_ns=timing.started_ns - timing.submitted_ns,
            )

    def _outcome(self, client: Client, stop: ServerCommand) -> HandlerOutcome | errors.CommandError:
        call = Call(stop.name, stop.args, client, self._services)
        try:
            if client.session.live and client.listener is not None:
                return COMMANDS.live_handler(client.listener.role, stop.name)(call)
            return self._commands[stop.name].run(call)
        except errors.CommandError as error:
            return error

    def _show(self, client: Client, commands: list[tuple[bool, bytes]]) -> None:
        now_ns = self._services.clock.now_ns()
        for by_script, shown in commands:
            address = "lua" if by_script else client.address
            self._services.router.show(address, [shown], now_ns)


def _deferred(session: Session, reply: ThreadReply) -> BackgroundWork:
    def run() -> Reply | errors.CommandError:
        try:
            return reply.work()
        except errors.CommandError as error:
            return error

    return BackgroundWork(run, _framing(session))


def _framing(session: Session) -> Callable[[object], bytes]:
    def frame(result: object) -> bytes:
        assert isinstance(result, Reply | errors.CommandError)
        return framed(session, result)

    return frame


def framed(session: Session, outcome: Reply | RawReply | errors.CommandError) -> bytes:
    """Return the bytes of a reply in the session's framing."""
    match outcome:
        case RawReply(data):
            return data
        case Reply(value, members):
            return session.answer(value, members)
        case errors.WrongArityError():
            return session.wrong_arity()
        case _:
            return session.fail(str(outcome))
