"""The health check of the image: sends HEALTHZ to the server of a data directory.

The address comes from the data directory, where the server announces it, so no option of the
server has to be repeated. The exit code is 0 if the server is healthy, else 1 with a line on
stderr.
"""

import os
import socket
import ssl
import sys
from typing import Final, NoReturn
from urllib.parse import parse_qs, urlsplit

from tile38py.cli.server_options import UsageError, parse
from tile38py.persistence.data_folder import announced

USAGE: Final = "Usage: tile38py-health [-d path]\n"
SECONDS_MAX: Final = 2.0  # to connect, and for each read of the reply
REPLY_BYTES_MAX: Final = 4096
HEALTHZ: Final = b"*1\r\n$7\r\nHEALTHZ\r\n"
# Addresses of all interfaces, and the loopback address that stands for each.
WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class UnhealthyError(Exception):
    """The server isn't healthy; the text says why."""


def main(words: list[str] | None = None) -> NoReturn:
    """Check the server of the data directory that the command line names."""
    try:
        options = parse(sys.argv[1:] if words is None else words, os.environ)
        check(announced(options.directory))
    except UsageError as error:
        sys.exit(f"{error}\n{USAGE}")
    except (OSError, UnhealthyError) as error:
        sys.exit(f"unhealthy: {error}")
    sys.exit(0)


def check(addresses: list[str]) -> None:
    """Send HEALTHZ to a server's first address. Raises UnhealthyError, OSError."""
    if not addresses:
        raise UnhealthyError("the server doesn't listen yet")
    with _connect(addresses[0]) as connection:
        connection.sendall(HEALTHZ)
        reply = _reply(connection)
    # With `-o json` connections begin with JSON output, so this reply is JSON, too.
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
    return _encrypted(connection, url.query) if url.scheme == "tls" else connection


def _encrypted(connection: socket.socket, files: str) -> socket.socket:
    """Start TLS without checks: this is the local machine, and its certificate names another.

    If clients need a certificate, the address names the files of the server's own.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if named := parse_qs(files):
        # Without a password, OpenSSL would ask for the key's on the terminal.
        context.load_cert_chain(named["cert"][0], named["key"][0], password="")
    return context.wrap_socket(connection)


def _reply(connection: socket.socket) -> bytes:
    """Read a reply: a single line, or a bulk string's two lines."""
    reply = b""
    while reply.count(b"\r\n") < (2 if reply.startswith(b"$") else 1):
        data = connection.recv(REPLY_BYTES_MAX)
        reply += data
        if not data or len(reply) > REPLY_BYTES_MAX:
            break
    return reply
