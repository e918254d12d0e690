"""Listening sockets. They are bound before the data is loaded."""

import contextlib
import errno
import os
import socket
import stat
from pathlib import Path

from tile38py.errors import StartError, reason_of
from tile38py.limits import ACCEPT_BACKLOG_COUNT

PROBE_SECONDS = 1.0


def bind_tcp(host: str, port: int) -> socket.socket:
    """Bind a socket to a host, or to all interfaces of both families. Raises StartError."""
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        if host:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            # Names such as localhost have addresses of both families; IPv4 is what clients try.
            family, _, _, _, address = min(infos, key=lambda info: info[0] != socket.AF_INET)
            return socket.create_server(address[:2], family=family, backlog=ACCEPT_BACKLOG_COUNT)
        return _all_interfaces(port)
    except OSError as error:
        reason = reason_of(error).lower()
        raise StartError(f"listen tcp {shown}: bind: {reason}") from error
    except OverflowError as error:
        raise StartError(f"listen tcp {shown}: invalid port") from error


def _all_interfaces(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(
                ("", port),
                family=socket.AF_INET6,
                backlog=ACCEPT_BACKLOG_COUNT,
                dualstack_ipv6=True,
            )
        except OSError as error:
            # IPv6 may be compiled in but switched off.
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise
    return socket.create_server(("", port), backlog=ACCEPT_BACKLOG_COUNT)


def bind_unix(path: str) -> socket.socket:
    """Bind a unix socket. A socket that a dead server left is replaced; no other file is."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_dead(Path(path))
        listener.bind(path)
        listener.listen(ACCEPT_BACKLOG_COUNT)
    except OSError as error:
        listener.close()
        reason = reason_of(error).lower()
        raise StartError(f"listen unix {path}: bind: {reason}") from error
    return listener


def _remove_dead(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(PROBE_SECONDS)
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
                return
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def port_of(listener: socket.socket) -> int:
    """The port of a listener; 0 for a unix socket."""
    if listener.family == socket.AF_UNIX:
        return 0
    port: int = listener.getsockname()[1]
    return port


def address_text(listener: socket.socket) -> str:
    """Where it listens, for the log."""
    name: object = listener.getsockname()
    if not isinstance(name, tuple):
        return str(name)
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address_url(listener: socket.socket, *, is_tls: bool = False) -> str:
    """Where it listens, for programs: `tcp://127.0.0.1:9851`, `tls://…`, `unix:///run/tile38`."""
    scheme = "unix" if listener.family == socket.AF_UNIX else "tls" if is_tls else "tcp"
    return f"{scheme}://{address_text(listener)}"
