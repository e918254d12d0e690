"""One session with a leader after the other: where to continue, the stream, what becomes of it.

As long as our log is the beginning of the leader's, the stream is run as it comes. Otherwise a
copy is built beside our data, which goes on being served, and takes their place in one step once
it has all that the leader had when it was asked. A copy outlives the session, so that a line that
breaks again and again still gets there.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tile38py._engine import Discarded, Followed
from tile38py.errors import reason_of
from tile38py.interfaces.following import Target
from tile38py.limits import (
    FOLLOW_COPY_BYTES,
    FOLLOW_DISK_PAUSE_SECONDS,
    FOLLOW_PAUSE_COUNT_STEADY,
    FOLLOW_PAUSE_SECONDS,
    FOLLOW_PAUSE_SECONDS_MAX,
    FOLLOW_SLICE_BYTES,
    FOLLOW_STALL_SECONDS_MAX,
)
from tile38py.replication.dependencies import Surroundings, Us, ended
from tile38py.replication.full_copy import DiskError, Staging
from tile38py.replication.handshake import (
    IneligibleError,
    announce,
    authenticated,
    head_of_chain,
    introduce,
    request_log,
)
from tile38py.replication.link import EndError, Link, LinkError
from tile38py.replication.log_comparison import HEAD_BYTES, Audit, Comparison, Range, compared
from tile38py.replication.stream_buffer import Pieces

if TYPE_CHECKING:
    from tile38py.replication.dependencies import CopyFile

COPIED_BYTES_MIN = 1024 * 1024  # less is run in place when we have nothing yet


@dataclass(slots=True)
class Status:
    """How far we are with the leader."""

    is_caught_up: bool = False
    offset: int = 0
    proven: int = 0  # bytes of our log that were compared with the leader's
    left_ns: int | None = None  # monotonic; when it last was caught up, if it was and is not

    def lose(self, now_ns: int) -> None:
        """The session is over."""
        if self.is_caught_up:
            self.is_caught_up, self.left_ns = False, now_ns
        self.offset = 0


class Session:
    """Follows one leader, until it is cancelled."""

    def __init__(
        self,
        surroundings: Surroundings,
        target: Target,
        status: Status,
        *,
        tasks: asyncio.TaskGroup,
        turn: Callable[[Target], None],
    ) -> None:
        self._around = surroundings
        self._target = target
        self._status = status
        self._tasks = tasks
        self._turn = turn  # have another leader followed, which ends this
        self._staging: Staging | None = None
        # Bytes of the leader's log that were run. Ours may have another size after an AOFSHRINK.
        self._received = 0
        self._goal = 0  # the size of the leader's log when it was asked
        self._told = ""  # the last error that was logged
        self._vain_count = 0  # sessions in a row that brought nothing

    async def run(self) -> None:
        """Follow for ever."""
        try:
            while True:
                seconds = await self._follow_once()
                await asyncio.sleep(seconds)
        finally:
            self._discard()

    async def _follow_once(self) -> float:
        """One session; how long to pause behind it."""
        self._status.lose(self._around.clock.monotonic_ns())
        try:
            us = self._around.us()
            async with authenticated(self._around.dial, self._target, us) as link:
                self._goal = await introduce(link, us)
                await self._receive(link, us)
        except EndError:
            pass
        except DiskError as error:
            # What the copy's data has, its file may lack.
            self._discard()
            self._complain(str(error))
            return FOLLOW_DISK_PAUSE_SECONDS
        except IneligibleError as error:
            self._complain(str(error))
            await self._find_head(error.leader)
        except LinkError as error:
            self._complain(str(error))
        finally:
            self._status.lose(self._around.clock.monotonic_ns())
        self._vain_count += 1
        return pause_seconds(self._vain_count)

    async def _find_head(self, leader: Target | None) -> None:
        """Turn to who leads at present, if our leader has become its follower."""
        around = self._around
        head = await head_of_chain(around.dial, around.us(), self._target, leader)
        if head is not None:
            self._turn(head)

    async def _receive(self, link: Link, us: Us) -> None:
        self._status.offset = self._goal
        await self._around.written()
        await self._begin(link, us)
        if self._staging is not None:
            await self._fill(link, self._staging)
            await self._swap(self._staging)
        await self._stream_audited(link)

    async def _begin(self, link: Link, us: Us) -> None:
        """Find where to continue, and have the leader's log sent from there on."""
        if self._around.disk is None:
            self._discard()
            self._staging = Staging(self._around.new_engine(), None, self._around.clock)
        async with self._comparison(us) as comparison:
            position = 0
            if comparison is not None:
                position = await self._prepare(comparison)
            elif self._around.disk is not None and self._goal >= COPIED_BYTES_MIN:
                await self._start_copy(0)
            await announce(link, us)
            await request_log(link, position)
            self._received = position
            if comparison is not None and position:
                await self._confirm(comparison, position)
            self._status.proven = position

    @contextlib.asynccontextmanager
    async def _comparison(self, us: Us) -> AsyncIterator[Comparison | None]:
        """What can be compared, if there is anything."""
        disk, staging = self._around.disk, self._staging
        size = self._around.journal.size if staging is None else staging.size
        if disk is None or not size:
            yield None
            return
        # An AOFSHRINK of ours may put another file in the log's place meanwhile.
        log = disk.log()
        digest = log.digest if staging is None else staging.digest
        async with compared(self._around, self._target, us, digest) as comparison:
            yield comparison
        if self._staging is None and disk.log() is not log:
            raise LinkError("our own log was replaced")

    async def _prepare(self, comparison: Comparison) -> int:
        """Keep what is equal; the position behind it."""
        staging = self._staging
        size = self._around.journal.size if staging is None else staging.size
        common = await comparison.prefix(size, self._goal)
        if common == size:
            return size
        self._around.inform("%d of %d bytes are the leader's, the rest is replaced", common, size)
        if staging is None:
            return await self._start_copy(common)
        return await self._cut_copy(staging, common)

    async def _start_copy(self, common: int) -> int:
        """A copy that begins with what our log has of the leader's."""
        disk = self._around.disk
        assert disk is not None
        self._discard()
        created: list[CopyFile] = []
        try:
            await self._around.in_thread(lambda: created.append(disk.create(common)))
        except OSError as error:
            raise DiskError(reason_of(error).lower()) from error
        except asyncio.CancelledError:
            # Its lock would keep every later copy out.
            for file in created:
                disk.discard(file)
            raise
        self._staging = Staging(self._around.new_engine(), created[0], self._around.clock)
        return await self._load(self._staging)

    async def _cut_copy(self, staging: Staging, common: int) -> int:
        """A copy of which only the beginning is the leader's; its data are made anew."""
        file = staging.file
        assert file is not None
        try:
            await self._around.in_thread(lambda: file.truncate(common))
        except OSError as error:
            raise DiskError(reason_of(error).lower()) from error
        self._staging = Staging(self._around.new_engine(), file, self._around.clock)
        return await self._load(self._staging)

    async def _load(self, staging: Staging) -> int:
        await self._around.in_thread(staging.load, hurry=staging.cancel)
        return staging.size

    async def _confirm(self, comparison: Comparison, position: int) -> None:
        """See that the leader didn't rewrite its log after we compared and before it sent it.

        From here on it can't without closing the connection. What was long ago found to be ours
        is trusted but for its end; a copy that begins is worth the whole sum.
        """
        is_long = self._staging is None and position > HEAD_BYTES
        start = position - HEAD_BYTES if is_long else 0
        if self._staging is not None:
            comparison.digest = self._staging.digest
        if not await comparison.is_same(Range(start, position)):
            raise LinkError("the leader's log was replaced")

    async def _fill(self, link: Link, staging: Staging) -> None:
        """Receive until the copy has all that the leader had."""
        pieces = Pieces()
        self._status.offset = staging.size
        while staging.size < self._goal:
            piece = pieces.add(await self._read(link, FOLLOW_COPY_BYTES))
            if piece:
                followed = await self._around.in_thread(partial(staging.take, piece))
                pieces.ran(followed.consumed)
                self._status.offset = staging.size
                self._vain_count = 0
                self._publish(followed)
        link.put_back(pieces.rest())

    async def _swap(self, staging: Staging) -> None:
        """The copy takes the place of our data and our log."""
        around = self._around
        discarded: list[Discarded] = []

        def adopt() -> None:
            discarded.append(around.engine.adopt(staging.engine))
            self._staging = None
            self._received = staging.size
            self._tell()

        if around.disk is None or staging.file is None:
            adopt()
        else:
            await around.in_thread(staging.sync)
            try:
                await around.disk.install(staging.file, staging.size, adopt)
            except OSError as error:
                raise DiskError(reason_of(error).lower()) from error
        self._advance(0)
        for data in discarded:
            await around.in_thread(data.free)

    async def _stream_audited(self, link: Link) -> None:
        """Run the leader's log as it comes, and see now and then that ours is still the same."""
        around = self._around
        if around.disk is None:
            await self._stream(link)
            return

        def tell(proven: int) -> None:
            self._status.proven = proven

        audit = Audit(
            surroundings=around,
            target=self._target,
            disk=around.disk,
            log=around.disk.log(),
            received=lambda: self._received,
            proven=self._status.proven,
            tell=tell,
            fail=link.fail,
        )
        # A group of tasks here would lose a FOLLOW that ends us while they end.
        auditing = self._tasks.create_task(audit.run(), name="audit the log")
        try:
            await self._stream(link)
        finally:
            auditing.cancel()
            await ended(auditing)

    async def _stream(self, link: Link) -> None:
        """Run the leader's log as it comes."""
        around = self._around
        pieces = Pieces()
        self._advance(0)
        while True:
            piece = pieces.add(await self._read(link, FOLLOW_SLICE_BYTES))
            if not piece:
                continue
            followed = around.engine.follow(piece, around.clock.now_ns())
            pieces.ran(followed.consumed)
            if followed.log:
                around.journal.append(followed.log)
            self._tell()
            self._advance(len(followed.log))
            self._publish(followed)
            # Others have their turn, and what can't be written isn't received.
            await asyncio.sleep(0)
            await around.written()

    async def _read(self, link: Link, size_max: int) -> bytes:
        """What comes next.

        Not waited for for ever while we lack what the leader said that it has: if it rewrote its
        log before it began to send it, it may have less now.
        """
        if self._status.is_caught_up:
            return await link.read(size_max)
        try:
            async with asyncio.timeout(FOLLOW_STALL_SECONDS_MAX):
                return await link.read(size_max)
        except TimeoutError:
            raise LinkError("i/o timeout") from None

    def _tell(self) -> None:
        """Send live fences what they found; the leader sends what hooks and channels did."""
        events = self._around.engine.take_events()
        if events is not None:
            self._around.router.route(events)

    def _publish(self, followed: Followed) -> None:
        for channel, message in followed.published:
            self._around.router.publish(channel, message)
        if followed.error is not None:
            raise LinkError(followed.error)

    def _advance(self, size: int) -> None:
        """So many bytes more were run."""
        around = self._around
        self._received += size
        self._status.offset = self._received
        if not self._status.is_caught_up and self._received >= self._goal:
            self._status.is_caught_up, self._status.left_ns = True, None
            self._told = ""
            self._vain_count = 0
            around.inform("caught up")
            if not around.gates.caught_up_once:
                around.gates.caught_up_once = True
                around.gates.apply()

    def _complain(self, text: str) -> None:
        """Log an error, but not the same every second."""
        if text != self._told:
            self._told = text
            self._around.complain("follow: %s", text)

    def _discard(self) -> None:
        staging, self._staging = self._staging, None
        if staging is not None and staging.file is not None and self._around.disk is not None:
            self._around.disk.discard(staging.file)


def pause_seconds(vain_count: int) -> float:
    """How long to pause after so many sessions in a row that brought nothing."""
    doublings = min(max(vain_count - FOLLOW_PAUSE_COUNT_STEADY, 0), FOLLOW_PAUSE_COUNT_STEADY)
    return min(FOLLOW_PAUSE_SECONDS * 2.0**doublings, FOLLOW_PAUSE_SECONDS_MAX)
