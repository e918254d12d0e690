"""How far two logs are equal, found by comparing sums of ranges. Asks; doesn't sum up itself.

The answer is exact. Commands may have a fixed length, so that logs which differed once can be
equal again at later positions: nothing is concluded from a range that doesn't begin where the
logs are known to be equal.
"""

from collections.abc import Generator
from dataclasses import dataclass

from tile38py.limits import KIB

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
