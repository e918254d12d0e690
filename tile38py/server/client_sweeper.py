"""Closes idle connections, those whose requests take too long to arrive, and slow readers."""

from tile38py.clients import Clients
from tile38py.config import Config
from tile38py.config.output_limits import CLIENT_OUTPUT_BUFFER_LIMIT
from tile38py.config.properties import REQUEST_TIMEOUT, TIMEOUT
from tile38py.interfaces import Client, Clock, Role
from tile38py.limits import CLOSE_SECONDS_MAX, REQUEST_BYTES_RATE_MIN

SECOND_NS = 10**9


class ClientSweeper:
    """Checks all connections, once a second. Live ones and those that wait for us are exempt."""

    def __init__(self, clients: Clients, config: Config, clock: Clock) -> None:
        self._clients = clients
        self._config = config
        self._clock = clock
        # For each connection with an incomplete request: how many it sent before, and since when.
        self._incomplete: dict[int, tuple[int, int]] = {}
        # For each connection about to close: the bytes that it hasn't taken, and since when.
        self._closing: dict[int, tuple[int, int]] = {}
        self._soft_since_ns: dict[int, int] = {}  # of connections above their soft output limit

    def sweep(self) -> None:
        """Close what is over its time."""
        idle_ns = self._config.get(TIMEOUT) * SECOND_NS
        request_ns = self._config.get(REQUEST_TIMEOUT) * SECOND_NS
        earlier, self._incomplete = self._incomplete, {}
        now_ns = self._clock.now_ns()
        self._check_output(now_ns)
        self._check_closing(now_ns)
        if not (idle_ns or request_ns):
            return
        for client in self._clients:
            if client.listener is not None or client.is_busy:
                continue
            if idle_ns and now_ns - client.active_ns > idle_ns:
                self._clients.counts.idle += 1
                client.finish()
            elif request_ns and (size := client.unfinished_bytes):
                began = earlier.get(client.client_id)
                self._check_request(client, began, now_ns, request_ns + _time_ns(size))

    def _check_output(self, now_ns: int) -> None:
        """Cut connections that were above their soft output limit for too long."""
        limits = self._config.get(CLIENT_OUTPUT_BUFFER_LIMIT)
        earlier, self._soft_since_ns = self._soft_since_ns, {}
        if not (limits.normal.soft_bytes or limits.pubsub.soft_bytes):
            return
        for client in self._clients:
            listener = client.listener
            if listener is not None and listener.role is Role.FOLLOWER:
                continue
            limit = limits.normal if listener is None else limits.pubsub
            size = client.unsent + (listener.waiting_bytes if listener is not None else 0)
            if not limit.soft_bytes or size <= limit.soft_bytes:
                continue
            since_ns = earlier.get(client.client_id, now_ns)
            if now_ns - since_ns > limit.soft_seconds * SECOND_NS:
                self._clients.counts.flooded += 1
                client.kill()
            else:
                self._soft_since_ns[client.client_id] = since_ns

    def _check_closing(self, now_ns: int) -> None:
        """Cut connections that are about to close and take nothing of their last replies."""
        earlier, self._closing = self._closing, {}
        for client in self._clients:
            if not client.is_closing:
                continue
            left = client.unsent
            before, since_ns = earlier.get(client.client_id, (left, now_ns))
            if before == left and now_ns - since_ns > CLOSE_SECONDS_MAX * SECOND_NS:
                self._clients.counts.flooded += 1
                client.kill()
            else:
                self._closing[client.client_id] = left, since_ns if before == left else now_ns

    def _check_request(
        self, client: Client, began: tuple[int, int] | None, now_ns: int, time_ns: int
    ) -> None:
        count = client.session.request_count
        if began is None or began[0] != count:
            began = count, now_ns
        elif now_ns - began[1] > time_ns:
            self._clients.counts.slow += 1
            client.time_out()
            return
        self._incomplete[client.client_id] = began


def _time_ns(size: int) -> int:
    """The time that a request of so many bytes may take besides request-timeout."""
    return size * SECOND_NS // REQUEST_BYTES_RATE_MIN
