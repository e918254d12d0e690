"""Idle clients and slow requests are ended; live clients and those that wait are not."""

import pytest

from tests.support.bench import Bench
from tests.support.fakes import SECOND, FakeClient, command
from tile38py.limits import CLIENT_SWEEP_COUNT_MAX, MIB, REQUEST_BYTES_RATE_MIN
from tile38py.server.client_sweeper import ClientSweeper

PING = command(b"PING")


class Swept:
    """A bench, its only client and its sweeper, on a fake clock."""

    def __init__(self, **settings: str) -> None:
        self.bench = Bench()
        self.bench.config.set_all({name.replace("_", "-"): text for name, text in settings.items()})
        self.client: FakeClient = self.bench.client
        self.client.active_ns = self.bench.clock.now_ns()
        self.sweeper = ClientSweeper(self.bench.clients, self.bench.config, self.bench.clock)

    def wait(self, seconds: int) -> None:
        """Let time pass, with a sweep each second."""
        for _ in range(seconds):
            self.bench.clock.time_ns += SECOND
            self.sweeper.sweep()


def test_an_idle_client_is_closed() -> None:
    swept = Swept(timeout="10")
    swept.wait(10)
    assert swept.bench.clients.counts.idle == 0
    swept.wait(1)
    assert swept.client.is_gone
    assert swept.bench.clients.counts.idle == 1


def test_without_a_timeout_nobody_is_idle() -> None:
    swept = Swept()
    swept.wait(5000)
    assert not swept.client.is_gone


@pytest.mark.parametrize("kind", ["live", "busy"])
def test_live_clients_and_those_that_wait_stay(kind: str) -> None:
    swept = Swept(timeout="10")
    if kind == "live":
        swept.bench.call("SUBSCRIBE", "c")
    swept.client.is_busy = kind == "busy"
    swept.wait(20)
    assert not swept.client.is_gone


def test_a_request_that_takes_too_long_is_ended() -> None:
    swept = Swept(request_timeout="10")
    swept.client.unfinished_bytes = 5
    swept.wait(11)
    assert swept.bench.clients.counts.slow == 0
    swept.wait(1)
    assert swept.client.is_timed_out
    assert swept.bench.clients.counts.slow == 1


def test_a_large_request_has_the_time_for_its_bytes() -> None:
    swept = Swept(request_timeout="10")
    for _ in range(100):
        swept.client.unfinished_bytes += REQUEST_BYTES_RATE_MIN
        swept.wait(1)
    assert not swept.client.is_timed_out


def test_a_pipeline_that_is_always_cut_somewhere_is_no_slow_request() -> None:
    swept = Swept(request_timeout="10")
    swept.client.unfinished_bytes = 5
    for _ in range(100):
        swept.bench.send(PING)
        swept.wait(1)
    assert not swept.client.is_timed_out


@pytest.mark.parametrize("kind", ["normal", "pubsub"])
def test_a_client_above_its_soft_output_limit_for_too_long_is_cut(kind: str) -> None:
    swept = Swept(client_output_buffer_limit=f"{kind} 1gb 1mb 5")
    if kind == "pubsub":
        swept.bench.call("SUBSCRIBE", "c")
    swept.client.unsent = MIB + 1
    swept.wait(4)
    swept.client.unsent = MIB
    swept.wait(1)
    swept.client.unsent = MIB + 1
    swept.wait(6)
    assert swept.bench.clients.counts.flooded == 0
    swept.wait(1)
    assert swept.client.is_gone
    assert swept.bench.clients.counts.flooded == 1


def test_a_connection_that_closes_and_takes_nothing_more_is_cut() -> None:
    swept = Swept()
    swept.client.is_closing = swept.client.is_busy = True
    for unsent in (3000, 2000, 1000):
        swept.client.unsent = unsent
        swept.wait(50)
    assert swept.bench.clients.counts.flooded == 0
    swept.wait(20)
    assert swept.client.is_gone


def test_many_clients_are_checked_in_slices() -> None:
    swept = Swept(timeout="10")
    swept.bench.clients.count_max = CLIENT_SWEEP_COUNT_MAX * 3
    clients = [swept.bench.new_client() for _ in range(CLIENT_SWEEP_COUNT_MAX * 2)]
    for client in clients:
        client.active_ns = swept.bench.clock.now_ns() - 20 * SECOND
    assert swept.sweeper.sweep()
    assert clients[0].is_gone
    assert swept.bench.clients.counts.idle == CLIENT_SWEEP_COUNT_MAX - 1
    assert swept.sweeper.sweep()
    assert not swept.sweeper.sweep()
    assert all(client.is_gone for client in clients)


def test_zero_is_no_limit() -> None:
    swept = Swept(request_timeout="0")
    swept.client.unfinished_bytes = 5
    swept.wait(1000)
    assert not swept.client.is_timed_out
