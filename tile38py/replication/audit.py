"""Proves from time to time that our log still is the beginning of the leader's.

The leader sums up what came since the last time, on a connection of its own beside the stream.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from tile38py.following import Target
from tile38py.limits import FOLLOW_AUDIT_AGAIN_SECONDS, FOLLOW_AUDIT_SECONDS
from tile38py.replication.comparison import compared
from tile38py.replication.edges import CopyDisk, CopyFile
from tile38py.replication.link import LinkError
from tile38py.replication.prefix import Range
from tile38py.replication.surroundings import Surroundings


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
