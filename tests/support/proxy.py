"""A TCP proxy that injects network faults, at random from a seed that it prints.

It refuses and holds connections; it delays, splits, stalls and truncates the bytes that it passes
on. As in TCP, the bytes of a connection keep their order and content.
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
POLL_SECONDS = 0.05  # in which a thread notices the end of the proxy


@dataclass(frozen=True, slots=True)
class FaultRates:
    """Rates of the faults, and bounds of the delays."""

    refused: float = 0.1  # share of connections
    held: float = 0.3  # share of connections that are delayed, so that later ones overtake them
    cut: float = 0.03  # share of pieces that are truncated, after which the connection is cut
    stalled: float = 0.02  # share of pieces that are delayed up to stall_seconds_max
    delay_seconds_max: float = 0.005
    stall_seconds_max: float = 0.5


class Proxy:
    """Accepts connections and forwards them to a port of this machine."""

    def __init__(
        self, port: int, fault_rates: FaultRates | None = None, seed: int | None = None
    ) -> None:
        self.seed = random.randrange(1_000_000_000) if seed is None else seed
        print(f"the proxy's seed: {self.seed}")
        self.cut_count = 0
        self._target_port = port
        self._fault_rates = fault_rates or FaultRates()
        self._is_healed = False
        self._is_over = threading.Event()
        self._links = 0
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(POLL_SECONDS)

    def __enter__(self) -> Self:
        """Accept connections."""
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        """Cut all connections."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    @property
    def port(self) -> int:
        """The port of the proxy."""
        port: int = self._listener.getsockname()[1]
        return port

    def heal(self) -> None:
        """Inject no faults from now on."""
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
        if not self._is_healed and chance.random() < self._fault_rates.refused:
            client.close()
            return
        if not self._is_healed and chance.random() < self._fault_rates.held:
            self._pause(chance.random() * self._fault_rates.stall_seconds_max)
        target = ("127.0.0.1", self._target_port)
        try:
            server = socket.create_connection(target, CONNECT_SECONDS_MAX)
        except OSError:
            client.close()
            return
        for end in (client, server):  # both, before a thread can close them
            end.settimeout(POLL_SECONDS)
        for one, other in ((client, server), (server, client)):
            own_chance = random.Random(chance.random())
            self._spawn(partial(self._pass_on, one, other, own_chance))

    def _pass_on(self, source: socket.socket, target: socket.socket, chance: random.Random) -> None:
        """Forward one direction of a connection; at its end close both directions."""
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
        """Send bytes; return False if the connection has to be cut after a part of them."""
        while data:
            if self._is_healed:
                return self._send_all(target, data)
            self._wait(chance)
            count = chance.randint(1, len(data))
            if chance.random() < self._fault_rates.cut:
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
        rates = self._fault_rates
        is_stalled = chance.random() < rates.stalled
        longest = rates.stall_seconds_max if is_stalled else rates.delay_seconds_max
        self._pause(chance.random() * longest)

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._is_over.is_set():
            time.sleep(min(POLL_SECONDS, self._fault_rates.delay_seconds_max))
