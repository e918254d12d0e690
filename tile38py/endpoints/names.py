"""Host name resolution: one lookup at a time per host and port, each on a thread of its own.

The system's lookup can't be cancelled: with a dead name server it occupies its thread for long,
and the event loop's pool has few threads.
"""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from tile38py.limits import ENDPOINT_NAMES_COUNT_MAX

Place: TypeAlias = tuple[socket.AddressFamily, str, int]  # family, address, port
LookUp: TypeAlias = Callable[[str, int], Sequence[Place]]


def look_up(host: str, port: int) -> Sequence[Place]:
    """Resolve a host name by the system."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, str(where[0]), port) for family, _, _, _, where in found]


class Names:
    """Resolves host names."""

    def __init__(self, look_up: LookUp = look_up) -> None:
        self._look_up = look_up
        self._pending: dict[tuple[str, int], asyncio.Future[Sequence[Place]]] = {}

    async def find(self, host: str, port: int = 0) -> Sequence[Place]:
        """Return a host's addresses. Raises OSError if there are none or too many lookups run."""
        if is_address(host):
            return look_up(host, port)
        pending = self._pending.get((host, port))
        if pending is None:
            if len(self._pending) >= ENDPOINT_NAMES_COUNT_MAX:
                raise OSError("too many names are being looked up")
            pending = self._begin(host, port)
        return await asyncio.shield(pending)

    def _begin(self, host: str, port: int) -> asyncio.Future[Sequence[Place]]:
        loop = asyncio.get_running_loop()
        pending: asyncio.Future[Sequence[Place]] = loop.create_future()
        self._pending[host, port] = pending
        end = partial(self._end, host, port)

        def run() -> None:
            found: Sequence[Place] | OSError
            try:
                found = self._look_up(host, port)
            except OSError as error:
                found = error
            try:
                loop.call_soon_threadsafe(end, found)
            except RuntimeError:
                return  # the loop has ended meanwhile

        # A daemon thread: a dead name server must not delay the end of the process.
        threading.Thread(target=run, name="endpoint name", daemon=True).start()
        return pending

    def _end(self, host: str, port: int, found: Sequence[Place] | OSError) -> None:
        pending = self._pending.pop((host, port))
        if isinstance(found, OSError):
            pending.set_exception(found)
            pending.exception()  # read here, since all who asked may be cancelled
        else:
            pending.set_result(found)


def is_address(host: str) -> bool:
    """Whether a host is an IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
