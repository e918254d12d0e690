"""Clients that record their acknowledged writes, for tests that crash a server."""

import threading
from typing import Self

from tests.support.process import ServerProcess
from tests.support.resp import CLOSED, TIMEOUT, Connection

PIPELINE = 16


class RecordingWriter:
    """A client that stores ids 0, 1, 2 … in a key of its own and records acknowledged writes."""

    def __init__(self, key: str, first: int = 0) -> None:
        """Begin with the first id that isn't stored."""
        self.key = key
        self.acknowledged = first
        self.refused = ""  # the first error reply

    def run(self, connection: Connection) -> None:
        """Write until the connection ends."""
        while not self.refused:
            numbers = range(self.acknowledged, self.acknowledged + PIPELINE)
            batch = [("SET", self.key, number, "STRING", f"value {number}") for number in numbers]
            for reply in connection.call_many(batch):
                if reply in {CLOSED, TIMEOUT}:
                    return
                if reply != "+OK":
                    self.refused = str(reply)
                    return
                self.acknowledged += 1

    def missing(self, connection: Connection) -> list[int]:
        """Return the acknowledged ids that a server doesn't have."""
        reply = connection.call("SCAN", self.key, "LIMIT", 10_000_000, "IDS")
        assert isinstance(reply, list), reply
        found = set(map(str, reply[1]))
        return [number for number in range(self.acknowledged) if f"$ {number}" not in found]


class WriterThreads:
    """Writers on threads of their own, for the length of a block that ends the server."""

    def __init__(self, server: ServerProcess, writers: list[RecordingWriter]) -> None:
        """Prepare the threads; entering the block starts them."""
        self.writers = writers
        self._server = server
        self.threads = [
            threading.Thread(target=self._run, args=(server, writer), name=writer.key)
            for writer in writers
        ]

    def __enter__(self) -> Self:
        """Start all writers."""
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait until all writers have ended, because the server has."""
        if kind is not None:
            self._server.kill()  # the block failed before it ended the server
        for thread in self.threads:
            thread.join()

    @property
    def acknowledged(self) -> int:
        """The number of acknowledged writes of all writers."""
        return sum(writer.acknowledged for writer in self.writers)

    @staticmethod
    def _run(server: ServerProcess, writer: RecordingWriter) -> None:
        try:
            with server.connect() as connection:
                writer.run(connection)
        except ConnectionError:
            pass  # the server was killed
