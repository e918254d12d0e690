"""Functions that a connection calls instead of its transport's receive(), for a while.

They are functions, since a bound method would be a cycle: each lost connection would wait for the
garbage collector.
"""

from typing import Final, Protocol, cast

from tile38py.interfaces import Client
from tile38py.limits import LIMITED_PIECE_BYTES, SECOND_NS
from tile38py.server.connection_dependencies import ConnectionDependencies
from tile38py.server.peers import host_of
from tile38py.server.transports import CLOSE, Outcome, Step, Transport

TLS_HANDSHAKE_RECORD: Final = 0x16  # the first byte of a TLS connection
# An alert: the handshake failed. Clients of TLS report it, and understand no other reply.
TLS_ALERT: Final = b"\x15\x03\x01\x00\x02\x02\x28"


class Receiver(Client, Protocol):
    """The part of a connection that is used here."""

    dependencies: ConnectionDependencies
    transport: Transport

    def begin(self, data: bytes, now_ns: int) -> Outcome:
        """Receive the first bytes."""

    def hold(self, data: bytes, seconds: float) -> None:
        """Run data later."""


def receive_first(client: Client, data: bytes, now_ns: int) -> Outcome:
    """Receive the first bytes. A client that speaks TLS has the wrong port."""
    connection = cast("Receiver", client)
    if data and data[0] == TLS_HANDSHAKE_RECORD:
        connection.dependencies.report(host_of(connection.address), "TLS on a port without TLS")
        return Step(TLS_ALERT, then=CLOSE)
    return connection.begin(data, now_ns)


def receive_limited(client: Client, data: bytes, now_ns: int) -> Outcome:
    """Run a piece of data, or nothing while the user has sent too many requests.

    The rest waits, and reading pauses: the client waits as for a slow server.
    """
    connection, user = cast("Receiver", client), client.session.user
    limiter = connection.dependencies.limiter
    wait_ns = limiter.wait_ns(user, now_ns)
    if wait_ns:
        connection.dependencies.clients.counts.pauses += 1
        connection.hold(data, wait_ns / SECOND_NS)
        return b""
    count = connection.session.request_count
    outcome = connection.transport.receive(client, data[:LIMITED_PIECE_BYTES], now_ns)
    limiter.charge(user, connection.session.request_count - count, now_ns)
    if len(data) > LIMITED_PIECE_BYTES:
        connection.hold(data[LIMITED_PIECE_BYTES:], 0)
    return outcome


def discard(client: Client, data: bytes, now_ns: int) -> bytes:
    """Discard data: the connection is about to end."""
    del client, data, now_ns
    return b""
