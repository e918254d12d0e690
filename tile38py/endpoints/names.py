"""Names of hosts: each is looked up once at a time, however often it is asked for.

The system's own look-up can't be given up: it keeps a thread for as long as a dead name server
lets it wait, and the event loop has few. So a name that nobody answers for has one here.
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
    """Ask the system."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, str(where[0]), port) for family, _, _, _, where in found]


class Names:
    """What is being looked up."""

    def __init__(self, look_up: LookUp = look_up) -> None:
        self._look_up = look_up
        self._pending: dict[tuple[str, int], asyncio.Future[Sequence[Place]]] = {}

    async def find(self, host: str, port: int = 0) -> Sequence[Place]:
        """Where a host is. Raises OSError if nobody knows, or too many are being looked up."""
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

        # A daemon: a dead name server must not hold up the end of the process.
        threading.Thread(target=run, name="endpoint name", daemon=True).start()
        return pending

    def _end(self, host: str, port: int, found: Sequence[Place] | OSError) -> None:
        pending = self._pending.pop((host, port))
        if isinstance(found, OSError):
            pending.set_exception(found)
            pending.exception()  # whoever asked may be gone
        else:
            pending.set_result(found)


def is_address(host: str) -> bool:
    """Whether it is no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
