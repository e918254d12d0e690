"""Closes idle connections, those whose requests take too long to arrive, and slow readers."""

from dataclasses import dataclass, field

from tile38py.clients import Clients
from tile38py.config import Config
from tile38py.config.output_limits import CLIENT_OUTPUT_BUFFER_LIMIT, OutputLimits
from tile38py.config.properties import REQUEST_TIMEOUT, TIMEOUT
from tile38py.interfaces import Client, Clock, Role
from tile38py.limits import (
    CLIENT_SWEEP_COUNT_MAX,
    CLOSE_SECONDS_MAX,
    REQUEST_BYTES_RATE_MIN,
    SECOND_NS,
)


@dataclass(slots=True)
class Suspects:
    """Connections in a state that may last for some time only, by id."""

    # With an incomplete request: how many requests were complete before it, and since when.
    incomplete: dict[int, tuple[int, int]] = field(default_factory=dict)
    # About to close: the bytes that the client hasn't taken, and since when.
    closing: dict[int, tuple[int, int]] = field(default_factory=dict)
    # Above their soft output limit: since when.
    above_soft: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SweepLimits:
    """The settings of a sweep."""

    idle_ns: int  # 0 = no limit
    request_ns: int  # 0 = no limit
    output: OutputLimits


class ClientSweeper:
    """Checks all connections, once a second. Live ones and those that wait for us aren't idle."""

    def __init__(self, clients: Clients, config: Config, clock: Clock) -> None:
        self._clients = clients
        self._config = config
        self._clock = clock
        self._rest: list[Client] = []  # connections that the sweep under way has yet to check
        self._earlier, self._found = Suspects(), Suspects()

    def sweep(self) -> bool:
        """Check some connections and close what is over its time; return whether more are left."""
        if not self._rest:
            self._rest = list(self._clients)
            self._earlier, self._found = self._found, Suspects()
        limits = SweepLimits(
            self._config.get(TIMEOUT) * SECOND_NS,
            self._config.get(REQUEST_TIMEOUT) * SECOND_NS,
            self._config.get(CLIENT_OUTPUT_BUFFER_LIMIT),
        )
        now_ns = self._clock.now_ns()
        for client in self._rest[:CLIENT_SWEEP_COUNT_MAX]:
            self._check(client, limits, now_ns)
        del self._rest[:CLIENT_SWEEP_COUNT_MAX]
        return bool(self._rest)

    def _check(self, client: Client, limits: SweepLimits, now_ns: int) -> None:
        if client.is_gone:
            return
        if client.unsent:
            self._check_output(client, limits.output, now_ns)
        if client.is_busy:
            if client.is_closing:
                self._check_closing(client, now_ns)
        elif client.listener is None:
            self._check_input(client, limits, now_ns)

    def _check_output(self, client: Client, limits: OutputLimits, now_ns: int) -> None:
        """Cut a connection that was above its soft output limit for too long."""
        listener = client.listener
        if listener is not None and listener.role is Role.FOLLOWER:
            return
        limit = limits.normal if listener is None else limits.pubsub
        size = client.unsent + (listener.waiting_bytes if listener is not None else 0)
        if not limit.soft_bytes or size <= limit.soft_bytes:
            return
        since_ns = self._earlier.above_soft.get(client.client_id, now_ns)
        if now_ns - since_ns > limit.soft_seconds * SECOND_NS:
            self._clients.counts.flooded += 1
            client.kill()
        else:
            self._found.above_soft[client.client_id] = since_ns

    def _check_closing(self, client: Client, now_ns: int) -> None:
        """Cut a connection that is about to close and takes nothing of its last replies."""
        left = client.unsent
        before, since_ns = self._earlier.closing.get(client.client_id, (left, now_ns))
        if before == left and now_ns - since_ns > CLOSE_SECONDS_MAX * SECOND_NS:
            self._clients.counts.flooded += 1
            client.kill()
        else:
            self._found.closing[client.client_id] = left, since_ns if before == left else now_ns

    def _check_input(self, client: Client, limits: SweepLimits, now_ns: int) -> None:
        """Close a connection that is idle, or whose request takes too long to arrive."""
        if limits.idle_ns and now_ns - client.active_ns > limits.idle_ns:
            self._clients.counts.idle += 1
            client.finish()
            return
        size = client.unfinished_bytes
        if not (size and limits.request_ns):
            return
        count = client.session.request_count
        before, since_ns = self._earlier.incomplete.get(client.client_id, (count, now_ns))
        if before != count:
            since_ns = now_ns
        # A large request has the time for its bytes besides.
        time_ns = limits.request_ns + size * SECOND_NS // REQUEST_BYTES_RATE_MIN
        if now_ns - since_ns > time_ns:
            self._clients.counts.slow += 1
            client.time_out()
        else:
            self._found.incomplete[client.client_id] = count, since_ns
