"""The registry of client connections, and the description of one. Doesn't open or close any."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tile38py import errors
from tile38py.interfaces import Client
from tile38py.limits import SECOND_NS


@dataclass(slots=True)
class LimitCounts:
    """Counts of what limits have done since the start, for INFO and the metrics."""

    rejected: int = 0  # connections above maxclients or maxclients-per-user
    refused: int = 0  # connections whose TLS handshake failed, or that came to the wrong port
    idle: int = 0  # connections closed after `timeout`
    slow: int = 0  # connections closed after request-timeout
    pauses: int = 0  # pauses because of requests-per-second-per-user
    flooded: int = 0  # connections cut because they took no replies


def described(client: Client, now_ns: int) -> dict[str, bytes | int]:
    """Return the facts of a connection, in the order in which CLIENT LIST shows them."""
    return {
        "id": client.client_id,
        "addr": client.address.encode(),
        "name": client.name,
        "age": max(now_ns - client.created_ns, 0) // SECOND_NS,
        "idle": max(now_ns - client.active_ns, 0) // SECOND_NS,
        "user": client.session.user,
        **client.library,
    }


def client_line(client: Client, now_ns: int) -> bytes:
    """Return the line of a connection in CLIENT LIST, without its end."""
    pairs = described(client, now_ns).items()
    return b" ".join(
        b"%b=%b" % (name.encode(), b"%d" % value if isinstance(value, int) else value)
        for name, value in pairs
    )


class Clients:
    """All open connections by id, and the count of those ever received."""

    __slots__ = (
        "_by_id", "_emptied", "count_max", "counts", "encrypted", "handshakes",
        "per_user_count_max", "received",
    )  # fmt: skip

    def __init__(self, count_max: int) -> None:
        self.count_max = count_max
        self.per_user_count_max = 0  # 0 = no limit
        self.received = 0
        self.encrypted = 0  # TLS handshakes that succeeded
        self.counts = LimitCounts()
        self.handshakes = 0  # connections that are still in their TLS handshake
        self._by_id: dict[int, Client] = {}
        self._emptied: Callable[[], None] | None = None

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Client]:
        # Ascending by id: ids are assigned in that order, and dictionaries keep it. A copy, so that
        # the loop may remove clients.
        return iter(list(self._by_id.values()))

    @property
    def is_full(self) -> bool:
        """Whether the maximum number of connections is open."""
        return len(self._by_id) + self.handshakes >= self.count_max

    def admit(self, user: bytes) -> None:
        """Raise CommandError if a user has the maximum number of connections open."""
        limit = self.per_user_count_max
        if limit and sum(client.session.user == user for client in self._by_id.values()) >= limit:
            self.counts.rejected += 1
            raise errors.too_many_clients()

    def begin_handshake(self) -> bool:
        """Count a connection in its TLS handshake; return False if there are too many already."""
        if self.is_full:
            self.counts.rejected += 1
            return False
        self.handshakes += 1
        return True

    def end_handshake(self) -> None:
        """Count it no longer: it failed, or is about to be added."""
        self.handshakes -= 1

    def next_id(self) -> int:
        """Count a received connection and return its id."""
        self.received += 1
        return self.received

    def add(self, client: Client) -> None:
        """Add a connection that will be served."""
        self._by_id[client.client_id] = client

    def remove(self, client: Client) -> None:
        """Remove a closed connection, if it was added."""
        self._by_id.pop(client.client_id, None)
        if self._emptied is not None and not self._by_id:
            self._emptied()

    def on_empty(self, emptied: Callable[[], None]) -> None:
        """Call a function now if no connection is open, else when the last one is removed."""
        self._emptied = emptied
        if not self._by_id:
            emptied()

    def replicas(self) -> list[Client]:
        """The connections that sent REPLCONF listening-port."""
        return [client for client in self._by_id.values() if client.replica_port]
