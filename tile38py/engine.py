"""The database in process: the server's engine without the server.

Owns the conversion of Python arguments. What commands mean is the engine's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from tile38py import _engine, errors
from tile38py.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tile38py.interfaces import Clock

Argument: TypeAlias = "str | bytes | int | float"
# A reply in Python: text (bytes where it isn't UTF-8), a whole number, None, or a list of these.
Value: TypeAlias = "str | bytes | int | list[Value] | None"


class GeoJSON(str):
    """GeoJSON text of a reply. Is a `str`, and what shapely and geopandas take for a geometry."""

    __slots__ = ()

    @property
    def __geo_interface__(self) -> dict[str, object]:
        """The geometry, or the Feature or FeatureCollection, as nested dicts and lists."""
        value: dict[str, object] = json.loads(self)
        return value


class Engine:
    """A geospatial database in this process.

    Takes the data commands of the server. It isn't thread-safe in its order: commands of several
    threads run one after the other, in any order. Nothing is written to disk, and objects whose
    time is over go when `expire` is called.
    """

    __slots__ = ("_clock", "_core")

    def __init__(self, *, require_valid: bool = False, clock: Clock | None = None) -> None:
        """With `require_valid`, GeoJSON has to lie within ±180, ±90 degrees."""
        self._core = _engine.Engine(require_valid=require_valid)
        self._clock = clock or SystemClock()

    def execute(self, command: str, *args: Argument) -> Value:
        """Run a command, such as `execute("SET", "fleet", "truck1", "POINT", 33.5, -112.2)`.

        Numbers are passed with all their digits. Raises `errors.CommandError` with the text
        that a client of the server would see.
        """
        words = [encode(word) for word in (command, *args)]
        try:
            value, _ = self._core.execute(words, self._clock.now_ns())
        except ValueError as error:
            raise errors.CommandError(str(error)) from None
        return mark(value)

    def snapshot(self) -> Engine:
        """A copy in constant time that later changes don't touch; writes to it are refused."""
        copy = Engine.__new__(Engine)
        copy._core = self._core.snapshot()
        copy._clock = self._clock
        return copy

    def expire(self, count_max: int = 1_000_000) -> int:
        """Remove objects whose time is over, so many at most; returns how many there were."""
        _, count = self._core.expire(self._clock.now_ns(), count_max)
        return count

    def load(self, log: Iterable[bytes]) -> int:
        """Run the commands of a log, given in pieces; returns how many there were.

        Raises `errors.CommandError` where a server would refuse to start.
        """
        rest, count = b"", 0
        for piece in log:
            rest += piece
            loaded = self._core.load(rest, self._clock.now_ns())
            if loaded.error is not None:
                raise errors.CommandError(loaded.error)
            rest, count = rest[loaded.consumed :], count + loaded.commands
        return count


def encode(word: Argument) -> bytes:
    """An argument as the engine takes it."""
    if isinstance(word, bytes):
        return word
    return word.encode() if isinstance(word, str) else repr(word).encode()


def mark(value: Value) -> Value:
    """The same value, with GeoJSON text marked as such."""
    if isinstance(value, list):
        return [mark(item) for item in value]
    if isinstance(value, str) and value.startswith('{"type":'):
        return GeoJSON(value)
    return value
