"""The engine within a Python program: commands in, replies as Python values out.

Keeps nothing on disk, opens no port and starts no thread; a server does all that.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Self

from tile38py import _engine
from tile38py.clock import SystemClock
from tile38py.limits import EXPIRE_COUNT_MAX

# What a reply is: text (bytes where it isn't UTF-8), a number, a list of replies, None.
Reply = str | bytes | int | list["Reply"] | None


class GeoJSON(str):
    """Text of a reply that may be GeoJSON: a str, and what shapely and geopandas take for one."""

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
    """Data in memory and every command that reads or changes it."""

    __slots__ = ("_clock", "_engine", "_is_snapshot")

    def __init__(self, *, require_valid: bool = False) -> None:
        """Hold nothing. With require_valid, geometries that aren't valid are refused."""
        self._engine = _engine.Engine(require_valid=require_valid)
        self._engine.check_endpoints(_check_endpoint)
        self._clock = SystemClock()
        self._is_snapshot = False

    def execute(self, *words: str | bytes | float) -> Reply:
        """Run a command given as its words, as a client would send them; True is `true`.

        Text that may be GeoJSON comes as GeoJSON, which is a str. Raises ValueError with the text
        of an error reply. May be called from several threads; what has expired goes with the
        next command.
        """
        now_ns = self._clock.now_ns()
        if not self._is_snapshot:
            while self._engine.expire(now_ns, EXPIRE_COUNT_MAX)[1] == EXPIRE_COUNT_MAX:
                pass
        reply, _log = self._engine.execute([_encoded(word) for word in words], now_ns)
        return _marked(reply)

    def snapshot(self) -> Self:
        """A copy that neither changes nor time touch, made in constant time; it refuses writes."""
        copy = type(self)()
        copy._engine = self._engine.snapshot()
        copy._is_snapshot = True
        return copy


def _check_endpoint(url: bytes) -> _engine.EndpointRefusal | None:
    return _checker()(url)


@cache
def _checker() -> Callable[[bytes], _engine.EndpointRefusal | None]:
    """The check of a server: a hook that one refuses is refused here, though nothing is sent."""
    # Only programs that set hooks wait for the import.
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
