"""The server's listening sockets: the plain port or unix socket, and the TLS port.

Both are bound before the data is loaded. The TLS port follows CONFIG SET tls-port.
"""

import asyncio
import socket
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from urllib.parse import urlencode

from tile38py import errors
from tile38py.config import Config
from tile38py.config.properties import (
    TLS_AUTH_CLIENTS,
    TLS_CERT_FILE,
    TLS_KEY_FILE,
    TLS_PORT,
    TLS_REPLICATION,
)
from tile38py.errors import StartError
from tile38py.server.listener import address_text, address_url, bind_tcp, bind_unix, port_of
from tile38py.server.logs import Log
from tile38py.server.options import Options
from tile38py.server.tls_connection import TlsDependencies, TlsProtocol
from tile38py.server.tls_contexts import SETTING_PREFIX

MakeProtocol = Callable[[], asyncio.Protocol]
Announce = Callable[[Sequence[str]], None]


class Listeners:
    """The listening sockets of a server."""

    def __init__(self, options: Options, config: Config, announce: Announce, log: Log) -> None:
        """Bind the sockets and announce their addresses. Raises StartError."""
        self._host = options.host
        self._config = config
        self._announce = announce
        self._log = log
        self.plain = _bind_plain(options)
        self.tls = self._bind_tls()
        if self.plain is None and self.tls is None:
            raise StartError("no port to listen on: --port is 0, and --tls-port isn't set")
        self._servers: dict[socket.socket, asyncio.Server] = {}
        self._tasks: asyncio.TaskGroup | None = None
        announce(self.urls)

    @property
    def first(self) -> socket.socket:
        """The socket by which programs on this machine should reach the server."""
        found = self.plain or self.tls
        assert found is not None
        return found

    @property
    def all(self) -> list[socket.socket]:
        """All sockets."""
        return [found for found in (self.plain, self.tls) if found is not None]

    @property
    def exposed(self) -> list[socket.socket]:
        """The sockets at which no certificate is asked for."""
        needs_certificate = self._config.get(TLS_AUTH_CLIENTS) == "yes"
        return [found for found in self.all if found is not self.tls or not needs_certificate]

    @property
    def urls(self) -> list[str]:
        """The addresses of all sockets, for programs on this machine.

        Behind that of the TLS port stand the files of a certificate, if clients need one.
        """
        plain = [] if self.plain is None else [address_url(self.plain)]
        tls = [] if self.tls is None else [f"{address_url(self.tls, is_tls=True)}{self._files()}"]
        return plain + tls

    @property
    def replication_port(self) -> int:
        """The port that a follower announces to its leader. As in Redis, tls-replication decides.

        Sentinel reaches the follower on it, with TLS if and only if it has tls-replication, too.
        """
        is_tls = self._config.get(TLS_REPLICATION)
        found = self.tls if is_tls else self.plain
        return port_of(found) if found is not None else port_of(self.first)

    async def serve(
        self, tasks: asyncio.TaskGroup, make_protocol: MakeProtocol, tls: TlsDependencies
    ) -> None:
        """Accept connections from now on."""
        self._tasks = tasks
        self._make_protocol, self._tls = make_protocol, tls
        for found in self.all:
            await self._accept(found)
        self._config.add_check(self._change_tls)

    def close(self) -> None:
        """Accept no more connections. Those that are open live on."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        make = self._make_protocol
        if listener is self.tls:
            dependencies = self._tls

            def make_tls() -> TlsProtocol:
                return TlsProtocol(dependencies, make)

            server = await loop.create_server(make_tls, sock=listener)
            if listener is not self.tls:  # CONFIG SET tls-port again, meanwhile
                server.close()
                return
            self._servers[listener] = server
            self._log.info("Ready to accept TLS connections at %s", address_text(listener))
            return
        if listener.family == socket.AF_UNIX:
            self._servers[listener] = await loop.create_unix_server(make, sock=listener)
        else:
            self._servers[listener] = await loop.create_server(make, sock=listener)
        self._log.info("Ready to accept connections at %s", address_text(listener))

    def _files(self) -> str:
        if self._config.get(TLS_AUTH_CLIENTS) != "yes":
            return ""
        certificate, key = self._config.get(TLS_CERT_FILE), self._config.get(TLS_KEY_FILE)
        files = {"cert": Path(certificate).absolute(), "key": Path(key or certificate).absolute()}
        return f"?{urlencode(files)}"

    def _bind_tls(self) -> socket.socket | None:
        port = self._config.get(TLS_PORT)
        return bind_tcp(self._host, port) if port else None

    def _change_tls(self, names: Collection[str]) -> None:
        """Listen on another TLS port, or on none. Refuses a port that can't be bound."""
        if TLS_PORT.name in names:
            self._move_tls(self._config.get(TLS_PORT))
        if any(name.startswith(SETTING_PREFIX) for name in names):
            self._announce(self.urls)

    def _move_tls(self, port: int) -> None:
        earlier = self.tls
        if port == (port_of(earlier) if earlier else 0):
            return
        if self.plain is None and not port:
            raise errors.property_refused("tls-port is the only port")
        try:
            self.tls = self._bind_tls()
        except StartError as error:
            raise errors.property_refused(str(error)) from None
        if earlier in self._servers:
            self._servers.pop(earlier).close()
        if self.tls is not None:
            assert self._tasks is not None
            self._tasks.create_task(self._accept(self.tls), name="listen on the TLS port")


def _bind_plain(options: Options) -> socket.socket | None:
    if options.socket_path:
        return bind_unix(options.socket_path)
    return bind_tcp(options.host, options.port) if options.has_plain_port else None
