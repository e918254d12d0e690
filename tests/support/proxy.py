"""A TCP proxy that is as bad as a network can be, at random from a seed that it prints.

It delays, sends in pieces, lets half a message through and cuts, stalls for a while, or refuses;
a connection may come to its end after one that was opened later. What passes on one keeps its order
and content, as TCP sees to it.
"""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

CONNECT_SECONDS_MAX = 5.0
RECEIVE_BYTES = 16 * 1024
POLL_SECONDS = 0.05  # how soon a thread sees that all is over


@dataclass(frozen=True, slots=True)
class Badness:
    """How often what goes wrong."""

    refused: float = 0.1  # share of connections
    held: float = 0.3  # share of connections that others may overtake
    cut: float = 0.03  # share of pieces that are the last, and only half there
    stalled: float = 0.02  # share of pieces before which nothing happens for a while
    delay_seconds_max: float = 0.005
    stall_seconds_max: float = 0.5


class Proxy:
    """Listens for connections to a port of this machine, and passes them on."""

    def __init__(self, port: int, badness: Badness | None = None, seed: int | None = None) -> None:
        self.seed = random.randrange(1_000_000_000) if seed is None else seed
        print(f"the proxy's seed: {self.seed}")
        self.cut_count = 0
        self._target_port = port
        self._badness = badness or Badness()
        self._is_healed = False
        self._is_over = threading.Event()
        self._links = 0
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(POLL_SECONDS)

    def __enter__(self) -> Self:
        """Pass on."""
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        """Cut everything."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    @property
    def port(self) -> int:
        """Where to connect to."""
        port: int = self._listener.getsockname()[1]
        return port

    def heal(self) -> None:
        """Be a good network from now on."""
        self._is_healed = True

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="proxy")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._is_over.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                self._links += 1
                chance = random.Random(f"{self.seed} {self._links}")
                self._spawn(partial(self._connect, client, chance))

    def _connect(self, client: socket.socket, chance: random.Random) -> None:
        if not self._is_healed and chance.random() < self._badness.refused:
            client.close()
            return
        if not self._is_healed and chance.random() < self._badness.held:
            self._pause(chance.random() * self._badness.stall_seconds_max)
        target = ("127.0.0.1", self._target_port)
        try:
            server = socket.create_connection(target, CONNECT_SECONDS_MAX)
        except OSError:
            client.close()
            return
        for one, other in ((client, server), (server, client)):
            one.settimeout(POLL_SECONDS)
            own_chance = random.Random(chance.random())
            self._spawn(partial(self._pass_on, one, other, own_chance))

    def _pass_on(self, source: socket.socket, target: socket.socket, chance: random.Random) -> None:
        """One direction. Whoever ends ends both."""
        with source, target, contextlib.suppress(OSError):
            while not self._is_over.is_set():
                try:
                    data = source.recv(RECEIVE_BYTES)
                except TimeoutError:
                    continue
                if not data or not self._send(target, data, chance):
                    break
            for end in (source, target):
                end.shutdown(socket.SHUT_RDWR)

    def _send(self, target: socket.socket, data: bytes, chance: random.Random) -> bool:
        """Send all, or a part and then no more."""
        while data:
            if self._is_healed:
                return self._send_all(target, data)
            self._wait(chance)
            count = chance.randint(1, len(data))
            if chance.random() < self._badness.cut:
                self.cut_count += 1
                self._send_all(target, data[: count // 2])
                return False
            if not self._send_all(target, data[:count]):
                return False
            data = data[count:]
        return True

    def _send_all(self, target: socket.socket, data: bytes) -> bool:
        rest = memoryview(data)
        while rest:
            if self._is_over.is_set():
                return False
            with contextlib.suppress(TimeoutError):
                rest = rest[target.send(rest) :]
        return True

    def _wait(self, chance: random.Random) -> None:
        badness = self._badness
        is_stalled = chance.random() < badness.stalled
        longest = badness.stall_seconds_max if is_stalled else badness.delay_seconds_max
        self._pause(chance.random() * longest)

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._is_over.is_set():
            time.sleep(min(POLL_SECONDS, self._badness.delay_seconds_max))
