"""Compares our log with the leader's."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Generator
from dataclasses import dataclass

from tile38py.interfaces.following import Target
from tile38py.limits import (
    FOLLOW_AUDIT_AGAIN_SECONDS,
    FOLLOW_AUDIT_SECONDS,
    KIB,
    LINK_DIGEST_BYTES_MAX,
)
from tile38py.replication.dependencies import CopyDisk, CopyFile, Surroundings, Us, ended
from tile38py.replication.handshake import ask_digest, authenticated
from tile38py.replication.link import Link, LinkError

HEAD_BYTES = 512 * KIB  # compared first, so that an unrelated log is found out cheaply


@dataclass(frozen=True, slots=True)
class Range:
    """A range of positions, the end not included."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.end - self.start


def common_prefix(size: int, other_size: int) -> Generator[Range, bool, int]:
    """Yields ranges, takes whether they are equal, returns how many bytes are."""
    limit = min(size, other_size)
    if limit == 0:
        return 0
    equal, differing = 0, limit
    if limit > HEAD_BYTES and not (yield Range(0, HEAD_BYTES)):
        differing = HEAD_BYTES
    elif (yield Range(0, limit)):
        return limit  # as it is nearly always
    elif limit > HEAD_BYTES:
        equal = HEAD_BYTES
    # From here on, the first difference is at equal or later, and before differing.
    while differing - equal > 1:
        middle = (equal + differing) // 2
        if (yield Range(equal, middle)):
            equal = middle
        else:
            differing = middle
    return equal


Digest = Callable[[int, int], str | None]


@dataclass(slots=True)
class Comparison:
    """The connection, and whose sums are compared with the leader's."""

    surroundings: Surroundings
    link: Link
    digest: Digest

    async def prefix(self, size: int, leader_size: int) -> int:
        """How many bytes are equal."""
        search = common_prefix(size, leader_size)
        try:
            asked = next(search)
            while True:
                asked = search.send(await self.is_same(asked))
        except StopIteration as end:
            result = end.value
            assert isinstance(result, int)
            return result

    async def is_same(self, asked: Range) -> bool:
        """Whether a range is equal here and there, in pieces that hold up a leader only shortly."""
        for start in range(asked.start, asked.end, LINK_DIGEST_BYTES_MAX):
            piece = Range(start, min(start + LINK_DIGEST_BYTES_MAX, asked.end))
            if not await self._is_piece_same(piece):
                return False
        return True

    async def _is_piece_same(self, asked: Range) -> bool:
        """The same for one of them. Both are summed up at once."""
        ours = self.surroundings.threads.run(lambda: self.digest(asked.start, asked.size))
        try:
            theirs = await ask_digest(self.link, asked.start, asked.size)
            own = await asyncio.shield(ours)
        finally:
            await ended(ours)
        if own is None:
            raise LinkError("our own log can't be read")
        return theirs == own.encode()


@contextlib.asynccontextmanager
async def compared(
    surroundings: Surroundings, target: Target, us: Us, digest: Digest
) -> AsyncIterator[Comparison]:
    """Comparing for the length of a block."""
    async with authenticated(surroundings.dial, target, us) as link:
        yield Comparison(surroundings, link, digest)
        link.say_goodbye()


@dataclass(slots=True)
class Audit:
    """Of one session. Nothing is audited any more once our own AOFSHRINK made another log."""

    surroundings: Surroundings
    target: Target
    disk: CopyDisk
    log: CopyFile
    received: Callable[[], int]  # bytes of the leader's log that were run
    proven: int  # bytes that are known to be the leader's
    tell: Callable[[int], None]  # that so many are
    fail: Callable[[LinkError], None]  # end the stream

    async def run(self) -> None:
        """Audit until the logs differ."""
        is_alike = True
        while is_alike:
            await asyncio.sleep(FOLLOW_AUDIT_SECONDS)
            end = self.received()
            await self.surroundings.written()
            if end > self.proven and self._is_ours():
                is_alike = await self._audit(Range(self.proven, end))
        self.fail(LinkError("our log is the leader's no more"))

    async def _audit(self, asked: Range) -> bool:
        if await self._is_same(asked):
            self.proven = asked.end
            self.tell(asked.end)
            return True
        # A leader that has just rewritten its log ends the stream, and so this, in a moment.
        await asyncio.sleep(FOLLOW_AUDIT_AGAIN_SECONDS)
        return await self._is_same(asked) or not self._is_ours()

    async def _is_same(self, asked: Range) -> bool:
        """Whether a range is equal, or can't be compared, which the stream will tell, too."""
        around = self.surroundings
        try:
            async with compared(around, self.target, around.us(), self.log.digest) as comparison:
                return await comparison.is_same(asked)
        except LinkError:
            return True

    def _is_ours(self) -> bool:
        return self.disk.log() is self.log
