"""Compares our log with the leader's: how long their common prefix is, and whether it stays so.

The leader sums up ranges of its log on a connection of its own, beside the stream.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Generator
from dataclasses import dataclass

from tile38py.interfaces.following import LeaderAddress
from tile38py.limits import (
    FOLLOW_AUDIT_AGAIN_SECONDS,
    FOLLOW_AUDIT_SECONDS,
    KIB,
    LEADER_DIGEST_BYTES_MAX,
)
from tile38py.replication.dependencies import (
    CopyDisk,
    CopyFile,
    FollowerDependencies,
    FollowerIdentity,
    wait_until_done,
)
from tile38py.replication.handshake import ask_digest, open_authenticated_connection
from tile38py.replication.leader_connection import LeaderConnection, LeaderError

HEAD_BYTES = 512 * KIB  # compared first, so that an unrelated log is detected cheaply
Digest = Callable[[int, int], str | None]


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A range of positions, the end not included."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """Bytes in the range."""
        return self.end - self.start


def common_prefix(size: int, other_size: int) -> Generator[ByteRange, bool, int]:
    """Find how many bytes are equal at the beginning of two logs.

    It yields ranges, is sent whether they are equal, and returns the number of equal bytes. The
    result is exact. Commands may have a fixed length, so logs that differed once can be equal
    again at later positions: nothing is concluded from a range that doesn't begin where the logs
    are known to be equal.
    """
    limit = min(size, other_size)
    if limit == 0:
        return 0
    equal, differing = 0, limit
    if limit > HEAD_BYTES and not (yield ByteRange(0, HEAD_BYTES)):
        differing = HEAD_BYTES
    elif (yield ByteRange(0, limit)):
        return limit  # nearly always
    elif limit > HEAD_BYTES:
        equal = HEAD_BYTES
    # From here on, the first difference is at equal or later, and before differing.
    while differing - equal > 1:
        middle = (equal + differing) // 2
        if (yield ByteRange(equal, middle)):
            equal = middle
        else:
            differing = middle
    return equal


@dataclass(slots=True)
class LogComparison:
    """A connection to the leader, and the digest of our own log."""

    dependencies: FollowerDependencies
    connection: LeaderConnection
    digest: Digest

    async def prefix(self, size: int, leader_size: int) -> int:
        """How many bytes are equal at the beginning."""
        search = common_prefix(size, leader_size)
        try:
            asked = next(search)
            while True:
                asked = search.send(await self.is_same(asked))
        except StopIteration as end:
            result = end.value
            assert isinstance(result, int)
            return result

    async def is_same(self, asked: ByteRange) -> bool:
        """Whether a range is equal. It is compared in pieces, which delay a leader little each."""
        for start in range(asked.start, asked.end, LEADER_DIGEST_BYTES_MAX):
            piece = ByteRange(start, min(start + LEADER_DIGEST_BYTES_MAX, asked.end))
            if not await self._is_piece_same(piece):
                return False
        return True

    async def _is_piece_same(self, asked: ByteRange) -> bool:
        """Whether a piece is equal. Both sides make their digests at the same time."""
        ours = self.dependencies.threads.run(lambda: self.digest(asked.start, asked.size))
        try:
            theirs = await ask_digest(self.connection, asked.start, asked.size)
            own = await asyncio.shield(ours)
        finally:
            await wait_until_done(ours)
        if own is None:
            raise LeaderError("our own log can't be read")
        return theirs == own.encode()


@contextlib.asynccontextmanager
async def open_comparison(
    dependencies: FollowerDependencies,
    leader: LeaderAddress,
    identity: FollowerIdentity,
    digest: Digest,
) -> AsyncIterator[LogComparison]:
    """Open a connection for comparing, for the length of a block."""
    async with open_authenticated_connection(
        dependencies.connector, leader, identity
    ) as connection:
        yield LogComparison(dependencies, connection, digest)
        connection.quit()


@dataclass(slots=True)
class LogAudit:
    """Proves from time to time that our log still is the beginning of the leader's.

    It belongs to one session and compares what was received since the last time. It ends when our
    own AOFSHRINK has made another log.
    """

    dependencies: FollowerDependencies
    leader: LeaderAddress
    disk: CopyDisk
    log: CopyFile
    received: Callable[[], int]  # bytes of the leader's log that were run
    proven: int  # bytes that are known to be equal
    on_proven: Callable[[int], None]  # called with the new number of those
    fail: Callable[[LeaderError], None]  # ends the stream

    async def run(self) -> None:
        """Audit until the logs differ."""
        is_alike = True
        while is_alike:
            await asyncio.sleep(FOLLOW_AUDIT_SECONDS)
            end = self.received()
            await self.dependencies.written()
            if end > self.proven and self._is_ours():
                is_alike = await self._audit(ByteRange(self.proven, end))
        self.fail(LeaderError("our log is the leader's no more"))

    async def _audit(self, asked: ByteRange) -> bool:
        if await self._is_same(asked):
            self.proven = asked.end
            self.on_proven(asked.end)
            return True
        # A leader that has just rewritten its log ends the stream, and so this, in a moment.
        await asyncio.sleep(FOLLOW_AUDIT_AGAIN_SECONDS)
        return await self._is_same(asked) or not self._is_ours()

    async def _is_same(self, asked: ByteRange) -> bool:
        """Whether a range is equal. True, too, if the leader can't be asked: the stream fails."""
        dependencies, digest = self.dependencies, self.log.digest
        identity = dependencies.identity()
        try:
            async with open_comparison(dependencies, self.leader, identity, digest) as comparison:
                return await comparison.is_same(asked)
        except LeaderError:
            return True

    def _is_ours(self) -> bool:
        return self.disk.log() is self.log
