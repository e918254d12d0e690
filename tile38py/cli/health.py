"""The command of the image's health check: asks the server of a data directory whether it serves.

It asks where that server says that it listens, so it follows every option of the server's. Exits
with 0 if it serves, or else with 1 after a line on stderr.
"""

import os
import socket
import ssl
import sys
from typing import Final, NoReturn
from urllib.parse import urlsplit

from tile38py.cli.server_options import UsageError, parse
from tile38py.persistence.data_folder import announced

USAGE: Final = "Usage: tile38py-health [-d path]\n"
SECONDS_MAX: Final = 2.0  # for the connection and for each piece of the reply
REPLY_BYTES_MAX: Final = 4096
HEALTHZ: Final = b"*1\r\n$7\r\nHEALTHZ\r\n"
# Addresses that mean all interfaces, and where this machine finds itself behind them.
WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class UnhealthyError(Exception):
    """Why the server doesn't serve."""


def main(words: list[str] | None = None) -> NoReturn:
    """Ask the server of the data directory that the command line names."""
    try:
        options = parse(sys.argv[1:] if words is None else words, os.environ)
        check(announced(options.directory))
    except UsageError as error:
        sys.exit(f"{error}\n{USAGE}")
    except (OSError, UnhealthyError) as error:
        sys.exit(f"unhealthy: {error}")
    sys.exit(0)


def check(addresses: list[str]) -> None:
    """Ask a server at the first of its addresses. Raises UnhealthyError, OSError."""
    if not addresses:
        raise UnhealthyError("the server doesn't listen yet")
    with _connect(addresses[0]) as connection:
        connection.sendall(HEALTHZ)
        reply = _reply(connection)
    # Where connections begin with JSON, this reply is JSON, too.
    if not reply.startswith(b"+OK") and b'"ok":true' not in reply:
        raise UnhealthyError(reply.decode("utf-8", "replace").strip() or "no reply")


def _connect(address: str) -> socket.socket:
    url = urlsplit(address)
    if url.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(SECONDS_MAX)
        connection.connect(url.path)
        return connection
    host = url.hostname or ""
    connection = socket.create_connection((WILDCARDS.get(host, host), url.port or 0), SECONDS_MAX)
    return _encrypted(connection) if url.scheme == "tls" else connection


def _encrypted(connection: socket.socket) -> socket.socket:
    """TLS on a connection to this very machine, whose certificate may be for another name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection)


def _reply(connection: socket.socket) -> bytes:
    """A reply of one line, or of a line that tells its size and the next."""
    reply = b""
    while reply.count(b"\r\n") < (2 if reply.startswith(b"$") else 1):
        data = connection.recv(REPLY_BYTES_MAX)
        reply += data
        if not data or len(reply) > REPLY_BYTES_MAX:
            break
    return reply
