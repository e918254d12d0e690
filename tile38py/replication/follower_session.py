"""Sessions with one leader: where to continue, the stream, full copies, backoff.

While our log is the beginning of the leader's, the stream is run as it arrives. Otherwise a full
copy is built beside our data, which is still served, and replaces them in one step when it has
all that the leader had at the beginning of the session. A copy outlives the session, so that it
is completed even if the connection breaks again and again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial

from tile38py._engine import Discarded, Followed, ParsedPiece
from tile38py.errors import reason_of
from tile38py.interfaces.following import LeaderAddress
from tile38py.limits import (
    FOLLOW_BACKOFF_COUNT_STEADY,
    FOLLOW_BACKOFF_SECONDS,
    FOLLOW_BACKOFF_SECONDS_MAX,
    FOLLOW_COPY_BYTES,
    FOLLOW_DISK_BACKOFF_SECONDS,
    FOLLOW_LONG_BYTES_MIN,
    FOLLOW_SLICE_BYTES,
    FOLLOW_STALL_SECONDS_MAX,
    SECOND_NS,
)
from tile38py.replication.acknowledgements import Acknowledger
from tile38py.replication.dependencies import (
    FollowerDependencies,
    FollowerIdentity,
    wait_until_done,
)
from tile38py.replication.follower_status import FollowerStatus
from tile38py.replication.full_copy import DiskError, FullCopy, create_copy, shorten_copy
from tile38py.replication.handshake import (
    IneligibleError,
    announce,
    head_of_chain,
    introduce,
    open_authenticated_connection,
    request_log,
    takes_acknowledgements,
)
from tile38py.replication.leader_connection import LeaderClosedError, LeaderConnection, LeaderError
from tile38py.replication.log_comparison import (
    HEAD_BYTES,
    ByteRange,
    LogAudit,
    LogComparison,
    open_comparison,
)
from tile38py.replication.stream_buffer import StreamBuffer

COPIED_BYTES_MIN = 1024 * 1024  # a shorter log is run in place while we have no data


class FollowerSession:
    """Follows one leader until it is cancelled, one session after the other."""

    def __init__(
        self,
        dependencies: FollowerDependencies,
        leader: LeaderAddress,
        status: FollowerStatus,
        *,
        tasks: asyncio.TaskGroup,
        redirect: Callable[[LeaderAddress], None],
    ) -> None:
        self._dependencies = dependencies
        self._leader = leader
        self._status = status
        self._tasks = tasks
        self._redirect = redirect  # follows another leader instead, which cancels this
        self._copy: FullCopy | None = None
        # Bytes of the leader's log that were run. Ours may have another size after an AOFSHRINK.
        self._received = 0
        self._leader_size = 0  # of the leader's log when the session began
        self._last_error = ""  # the last one that was logged
        self._fruitless_count = 0  # sessions in a row that received nothing
        self._acknowledges = False  # whether the leader takes acknowledgements
        self._resume_ns_min = 0  # monotonic time of the next reconnect without backoff

    async def run(self) -> None:
        """Follow until cancelled."""
        try:
            while True:
                seconds = await self._follow_once()
                await asyncio.sleep(seconds)
        finally:
            self._discard()

    async def _follow_once(self) -> float:
        """Run one session. Return the backoff before the next one."""
        connector, clock = self._dependencies.connector, self._dependencies.clock
        is_clean_end = False
        try:
            identity = self._dependencies.identity()
            async with open_authenticated_connection(
                connector, self._leader, identity
            ) as connection:
                self._leader_size = await introduce(connection, identity)
                await self._receive(connection, identity)
        except LeaderClosedError:
            # A leader that rewrote its log ends its streams in this way.
            is_clean_end = self._status.has_session_caught_up
        except DiskError as error:
            self._discard()
            self._report_error(str(error))
            return FOLLOW_DISK_BACKOFF_SECONDS
        except IneligibleError as error:
            self._report_error(str(error))
            await self._redirect_to_head(error.leader)
        except LeaderError as error:
            self._report_error(str(error))
        finally:
            self._status.end_session(clock.monotonic_ns(), resumes=is_clean_end)
        self._fruitless_count += 1
        return self._resume_seconds() if is_clean_end else backoff_seconds(self._fruitless_count)

    def _resume_seconds(self) -> float:
        """The backoff after a clean end, in seconds: 0 for the first one in a second.

        So a leader that ends every session is asked as often as one that is down.
        """
        now_ns = self._dependencies.clock.monotonic_ns()
        start_ns = max(now_ns, self._resume_ns_min)
        self._resume_ns_min = start_ns + round(FOLLOW_BACKOFF_SECONDS * SECOND_NS)
        return (start_ns - now_ns) / SECOND_NS

    async def _redirect_to_head(self, leader: LeaderAddress | None) -> None:
        """Follow the head of the chain instead, if our leader has become a follower."""
        connector, identity = self._dependencies.connector, self._dependencies.identity()
        head = await head_of_chain(connector, identity, self._leader, leader)
        if head is not None:
            self._redirect(head)

    async def _receive(self, connection: LeaderConnection, identity: FollowerIdentity) -> None:
        self._status.offset = self._leader_size
        await self._dependencies.written()
        await self._begin(connection, identity)
        if self._copy is not None:
            await self._complete_copy(connection, self._copy)
            await self._install_copy(self._copy)
        await self._stream_audited(connection)

    async def _begin(self, connection: LeaderConnection, identity: FollowerIdentity) -> None:
        """Find the position from which to continue, and request the leader's log from there."""
        dependencies = self._dependencies
        if dependencies.disk is None:
            self._discard()
            self._copy = FullCopy(dependencies.new_engine(), None, dependencies.clock)
        async with self._comparison(identity) as comparison:
            position = 0
            if comparison is not None:
                position = await self._find_position(comparison)
            elif dependencies.disk is not None and self._leader_size >= COPIED_BYTES_MIN:
                self._discard()
                self._copy = await create_copy(dependencies, dependencies.disk, 0)
                await self._load(self._copy)
            await announce(connection, identity)
            self._acknowledges = await takes_acknowledgements(connection)
            await request_log(connection, position)
            self._received = position
            if comparison is not None and position:
                await self._confirm(comparison, position)
            self._status.proven = position

    @contextlib.asynccontextmanager
    async def _comparison(self, identity: FollowerIdentity) -> AsyncIterator[LogComparison | None]:
        """A comparison of our log, or of the copy, with the leader's; None if we have neither."""
        dependencies, copy = self._dependencies, self._copy
        disk = dependencies.disk
        size = dependencies.journal.size if copy is None else copy.size
        if disk is None or not size:
            yield None
            return
        # Our own AOFSHRINK may replace the log's file meanwhile.
        log = disk.log()
        digest = log.digest if copy is None else copy.digest
        async with open_comparison(dependencies, self._leader, identity, digest) as comparison:
            yield comparison
        if self._copy is None and disk.log() is not log:
            raise LeaderError("our own log was replaced")

    async def _find_position(self, comparison: LogComparison) -> int:
        """Keep what is equal to the leader's log, and return its size."""
        dependencies, copy = self._dependencies, self._copy
        size = dependencies.journal.size if copy is None else copy.size
        common = await comparison.prefix(size, self._leader_size)
        if common == size:
            return size
        text = "%d of %d bytes are the leader's, the rest is replaced"
        dependencies.log_info(text, common, size)
        if copy is not None:
            self._copy = await shorten_copy(dependencies, copy, common)
        else:
            assert dependencies.disk is not None
            self._copy = await create_copy(dependencies, dependencies.disk, common)
        await self._load(self._copy)
        return self._copy.size

    async def _load(self, copy: FullCopy) -> None:
        await self._dependencies.in_thread(copy.load, cancel=copy.cancel)

    async def _confirm(self, comparison: LogComparison, position: int) -> None:
        """Check that the leader didn't rewrite its log between the comparison and AOF.

        From now on it can't without closing the connection. Of our log, which was compared before,
        the last HEAD_BYTES are enough; of a copy everything is compared.
        """
        is_long = self._copy is None and position > HEAD_BYTES
        start = position - HEAD_BYTES if is_long else 0
        if self._copy is not None:
            comparison.digest = self._copy.digest
        if not await comparison.is_same(ByteRange(start, position)):
            raise LeaderError("the leader's log was replaced")

    async def _complete_copy(self, connection: LeaderConnection, copy: FullCopy) -> None:
        """Receive until the copy has all that the leader had when the session began."""
        buffer = StreamBuffer()
        self._status.offset = copy.size
        while copy.size < self._leader_size:
            piece = buffer.add(await self._read(connection, FOLLOW_COPY_BYTES))
            if piece:
                add = partial(copy.add, piece, buffer.scanned)
                followed = await self._dependencies.in_thread(add)
                buffer.consume(followed.consumed, followed.scanned)
                self._status.offset = copy.size
                self._fruitless_count = 0
                self._publish(followed)
        connection.unread(buffer.remainder())

    async def _install_copy(self, copy: FullCopy) -> None:
        """Replace our data and our log by the copy."""
        dependencies = self._dependencies
        discarded: list[Discarded] = []

        def adopt() -> None:
            discarded.append(dependencies.engine.adopt(copy.engine))
            self._copy = None
            self._received = copy.size
            self._route_events()
            dependencies.numbered.replace(dependencies.engine.take_recovered())

        if dependencies.disk is None or copy.file is None:
            adopt()
        else:
            await dependencies.in_thread(copy.sync)
            try:
                await dependencies.disk.install(copy.file, copy.size, adopt)
            except OSError as error:
                raise DiskError(reason_of(error).lower()) from error
        self._advance(0)
        for data in discarded:
            await dependencies.in_thread(data.free)

    async def _stream_audited(self, connection: LeaderConnection) -> None:
        """Run the leader's log as it arrives, and audit ours beside that."""
        dependencies = self._dependencies
        if dependencies.disk is None:
            await self._stream(connection)
            return

        def on_proven(proven: int) -> None:
            self._status.proven = proven

        audit = LogAudit(
            dependencies=dependencies,
            leader=self._leader,
            disk=dependencies.disk,
            log=dependencies.disk.log(),
            received=lambda: self._received,
            proven=self._status.proven,
            on_proven=on_proven,
            fail=connection.fail,
        )
        # A TaskGroup here would lose a FOLLOW that cancels us while its tasks end.
        auditing = self._tasks.create_task(audit.run(), name="audit the log")
        try:
            await self._stream(connection)
        finally:
            auditing.cancel()
            await wait_until_done(auditing)

    async def _stream(self, connection: LeaderConnection) -> None:
        """Run the leader's log as it arrives, and acknowledge what was run and logged."""
        acknowledger = Acknowledger(connection.acknowledge if self._acknowledges else _ignore)
        buffer = StreamBuffer()
        self._advance(0)
        try:
            while True:
                acknowledger.note(self._received)
                piece = buffer.add(await self._read(connection, FOLLOW_SLICE_BYTES))
                if len(piece) >= FOLLOW_LONG_BYTES_MIN:
                    parse = partial(self._dependencies.engine.parse_long, piece)
                    self._run(buffer, piece, await self._dependencies.in_thread(parse))
                elif piece:
                    self._run(buffer, piece)
                # Let connections run. Receive nothing more while the log can't be written.
                await asyncio.sleep(0)
                await self._dependencies.written()
        finally:
            acknowledger.close()

    def _run(self, buffer: StreamBuffer, piece: bytes, parsed: ParsedPiece | None = None) -> None:
        dependencies = self._dependencies
        now_ns = dependencies.clock.now_ns()
        followed = dependencies.engine.follow(piece, buffer.scanned, now_ns, parsed)
        buffer.consume(followed.consumed, followed.scanned)
        if followed.log:
            dependencies.journal.append(followed.log)
        self._route_events()
        self._advance(len(followed.log))
        self._publish(followed)

    async def _read(self, connection: LeaderConnection, size_max: int) -> bytes:
        """The next bytes of the stream.

        Until it is caught up, the wait has a deadline: a leader that rewrote its log before it
        began to send it may have less than it said.
        """
        if self._status.has_session_caught_up:
            return await connection.read(size_max)
        try:
            async with asyncio.timeout(FOLLOW_STALL_SECONDS_MAX):
                return await connection.read(size_max)
        except TimeoutError:
            raise LeaderError("i/o timeout") from None

    def _route_events(self) -> None:
        """Route events of live fences, and those that the leader's log has.

        All other events of hooks and channels are sent by the leader.
        """
        events = self._dependencies.engine.take_events()
        if events is not None:
            self._dependencies.router.route(events)

    def _publish(self, followed: Followed) -> None:
        for channel, message in followed.published:
            self._dependencies.router.publish(channel, message)
        if followed.error is not None:
            raise LeaderError(followed.error)

    def _advance(self, size: int) -> None:
        """Note that bytes of the leader's log were run."""
        dependencies = self._dependencies
        self._received += size
        self._status.offset = self._received
        if not self._status.has_session_caught_up and self._received >= self._leader_size:
            self._status.catch_up()
            self._last_error = ""
            self._fruitless_count = 0
            dependencies.log_info("caught up")
            if not dependencies.gates.caught_up_once:
                dependencies.gates.caught_up_once = True
                dependencies.gates.apply()

    def _report_error(self, text: str) -> None:
        """Log an error unless it is the same as the last one."""
        if text != self._last_error:
            self._last_error = text
            self._dependencies.log_error("follow: %s", text)

    def _discard(self) -> None:
        copy, self._copy = self._copy, None
        if copy is not None and copy.file is not None and self._dependencies.disk is not None:
            self._dependencies.disk.discard(copy.file)


def _ignore(position: int) -> None:
    """Acknowledge nothing: the leader is a Tile38."""
    del position


def backoff_seconds(fruitless_count: int) -> float:
    """The backoff after so many sessions in a row that received nothing."""
    steady = FOLLOW_BACKOFF_COUNT_STEADY
    doublings = min(max(fruitless_count - steady, 0), steady)
    return min(FOLLOW_BACKOFF_SECONDS * 2.0**doublings, FOLLOW_BACKOFF_SECONDS_MAX)
