"""Compares our log with the leader's, over a connection of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from tile38py.following import Target
from tile38py.limits import LINK_DIGEST_BYTES_MAX
from tile38py.replication.handshake import Us, ask_digest, authenticated
from tile38py.replication.link import Link, LinkError
from tile38py.replication.prefix import Range, common_prefix
from tile38py.replication.surroundings import Surroundings, ended

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
            theirs = await ask_digest(self.link, asked)
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
