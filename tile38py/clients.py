"""The connections of the process. Doesn't open or close any."""

from collections.abc import Callable, Iterator

from tile38py.interfaces import Client


class Clients:
    """All connections by id, and how many there have been."""

    __slots__ = ("_by_id", "_emptied", "count_max", "received")

    def __init__(self, count_max: int) -> None:
        self.count_max = count_max
        self.received = 0
        self._by_id: dict[int, Client] = {}
        self._emptied: Callable[[], None] | None = None

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Client]:
        # Ids are given in rising order and dictionaries keep the order of insertion.
        return iter(list(self._by_id.values()))

    @property
    def is_full(self) -> bool:
        """Whether the bound is reached."""
        return len(self._by_id) >= self.count_max

    def next_id(self) -> int:
        """Count a connection and give it its number."""
        self.received += 1
        return self.received

    def add(self, client: Client) -> None:
        """A connection that will be served."""
        self._by_id[client.client_id] = client

    def remove(self, client: Client) -> None:
        """A connection that is gone; it need not have been added."""
        self._by_id.pop(client.client_id, None)
        if self._emptied is not None and not self._by_id:
            self._emptied()

    def on_empty(self, emptied: Callable[[], None]) -> None:
        """Have a function called when nobody is there (any more)."""
        self._emptied = emptied
        if not self._by_id:
            emptied()

    def replicas(self) -> list[Client]:
        """Those that announced themselves with REPLCONF."""
        return [client for client in self._by_id.values() if client.replica_port]
