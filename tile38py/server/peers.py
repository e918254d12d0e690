"""Peers of connections: their addresses, TCP keep-alive, and which of them are refused."""

import asyncio
import socket
from dataclasses import dataclass
from typing import Final, cast

from tile38py import errors
from tile38py.access.user import DEFAULT_USER
from tile38py.clients import Clients
from tile38py.config import Config
from tile38py.config.properties import KEEPALIVE, PROTECTED_MODE
from tile38py.gates import Gates

KEEPALIVE_SECONDS_MAX: Final = 32767  # the largest that Linux takes
UNIX_PREFIX: Final = "@"
LOCAL_PREFIXES: Final = ("127.0.0.1:", "[::1]:", UNIX_PREFIX)
LOCAL_HOSTS: Final = ("", "127.0.0.1", "::1", "localhost")
DENIED: Final = (
    b"-DENIED Tile38 is running in protected mode because protected mode is enabled, no bind "
    b"address was specified, no authentication password is requested to clients. In this mode "
    b"connections are only accepted from the loopback interface. To connect from other computers, "
    b"do one of these on the computer, or in the container, where the server runs: 1) Set a "
    b"password: send 'CONFIG SET requirepass ...' and then 'CONFIG REWRITE' to make the change "
    b"permanent. 2) Start the server with '-h' and the one address that only trusted computers "
    b"reach. 3) If no other computer reaches the port, disable protected mode: send "
    b"'CONFIG SET protected-mode no' and then 'CONFIG REWRITE', or start the server with "
    b"'--protected-mode no'.\r\n"
)


@dataclass(frozen=True, slots=True)
class ConnectionFilter:
    """Refuses new connections: too many clients, or protected mode. Settings may change."""

    config: Config
    clients: Clients
    gates: Gates
    host: str = ""
    is_protected: bool = False  # --protected-mode

    def refusal(self, address: str) -> bytes:
        """The error for a new client that is refused; empty if it is admitted."""
        try:
            self._check_count()
        except errors.CommandError as error:
            return b"-ERR %b\r\n" % str(error).encode()
        if self.is_protecting and not address.startswith(LOCAL_PREFIXES):
            return DENIED
        return b""

    def _check_count(self) -> None:
        if self.clients.is_full:
            self.clients.counts.rejected += 1
            raise errors.too_many_clients()
        self.clients.admit(DEFAULT_USER)

    @property
    def is_protecting(self) -> bool:
        """Whether protected mode refuses remote clients with the present settings."""
        return (
            self.is_protected
            and self.host in LOCAL_HOSTS
            and self.config.get(PROTECTED_MODE)
            and not self.gates.requires_password
        )


def address_of(transport: asyncio.BaseTransport, client_id: int) -> str:
    """The peer's address as text. For unix sockets, which have none, it is the client's id."""
    peer: object = transport.get_extra_info("peername")
    if not isinstance(peer, tuple):
        return f"{UNIX_PREFIX}{client_id}"
    host, port = str(peer[0]), int(peer[1])
    # A dual-stack socket reports IPv4 peers as mapped IPv6 addresses.
    host = host.removeprefix("::ffff:") if "." in host else host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def host_of(address: str) -> str:
    """The host of a peer's address; the whole address for a unix socket."""
    return address.rpartition(":")[0] or address


def keep_alive(transport: asyncio.BaseTransport, config: Config) -> None:
    """Set TCP keep-alive, which detects a vanished peer, to the seconds of `keepalive`; 0 = off."""
    connection = cast("socket.socket | None", transport.get_extra_info("socket"))
    if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    seconds = min(config.get(KEEPALIVE), KEEPALIVE_SECONDS_MAX)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(seconds > 0))
    if seconds:
        for option in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):
            if hasattr(socket, option):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
