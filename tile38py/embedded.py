"""The engine as a library: commands in, replies as Python values out.

Keeps nothing on disk, opens no port and starts no thread, unlike a server.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Self

from tile38py import _engine
from tile38py.clock import SystemClock
from tile38py.limits import EXPIRE_COUNT_MAX, FENCE_UPKEEP_COUNT_MAX
from tile38py.time_zones import utc_offset_seconds

# A reply: a text, bytes that aren't UTF-8, a number, a list of replies, or None.
Reply = str | bytes | int | list["Reply"] | None


class GeoJSON(str):
    """The text of a reply that may be GeoJSON: a str that shapely and geopandas can read."""

    __slots__ = ()

    @property
    def __geo_interface__(self) -> dict[str, object]:
        """The geometry, Feature or FeatureCollection as nested dicts and lists.

        Raises AttributeError, as if there were no such attribute, for any other text.
        """
        try:
            value = json.loads(self)
        except ValueError as error:
            raise AttributeError(str(error)) from None
        if not isinstance(value, dict) or "type" not in value:
            raise AttributeError("the text isn't GeoJSON")
        return value


class Engine:
    """A database in memory, and all commands that read or change it."""

    __slots__ = ("_clock", "_engine", "_is_snapshot")

    def __init__(self, *, require_valid: bool = False) -> None:
        """Create an empty database. With require_valid, it refuses invalid geometries."""
        self._engine = _engine.Engine(require_valid=require_valid)
        self._engine.check_endpoints(_check_endpoint)
        self._engine.set_time_zones(utc_offset_seconds)
        self._clock = SystemClock()
        self._is_snapshot = False

    def execute(self, *words: str | bytes | float) -> Reply:
        """Run a command, given as the words that a client would send, and return its reply.

        True is sent as `true`. A text that may be GeoJSON is returned as GeoJSON, which is a str.
        Raises ValueError with the text of an error reply. May be called from several threads. The
        next command removes expired objects.
        """
        now_ns = self._clock.now_ns()
        if not self._is_snapshot:
            while self._engine.expire(now_ns, EXPIRE_COUNT_MAX)[1] == EXPIRE_COUNT_MAX:
                pass
            self._engine.run_fence_upkeep(now_ns, FENCE_UPKEEP_COUNT_MAX)
        reply, _log = self._engine.execute([_encoded(word) for word in words], now_ns)
        return _marked(reply)

    def snapshot(self) -> Self:
        """Return a snapshot in constant time. It refuses writes, and nothing in it expires."""
        copy = type(self)()
        copy._engine = self._engine.snapshot()
        copy._is_snapshot = True
        return copy


def _check_endpoint(url: bytes) -> _engine.EndpointRefusal | None:
    return _checker()(url)


@cache
def _checker() -> Callable[[bytes], _engine.EndpointRefusal | None]:
    """Return the server's check of endpoint URLs, although the engine alone sends nothing."""
    # Only programs that set hooks need this import.
    from tile38py.endpoints.checker import EndpointChecker
    from tile38py.endpoints.registry import Registry

    return EndpointChecker(Registry(), requires_clients=False)


def _marked(reply: Reply) -> Reply:
    if isinstance(reply, list):
        return [_marked(item) for item in reply]
    return GeoJSON(reply) if isinstance(reply, str) and reply.startswith("{") else reply


def _encoded(word: str | bytes | float) -> bytes:
    if isinstance(word, bytes):
        return word
    text = str(word).lower() if isinstance(word, bool) else str(word)
    return text.encode("utf-8", "surrogateescape")
