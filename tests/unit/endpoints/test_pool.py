"""The pool: connections shared, idle ones closed, old ones replaced, dead ones left in peace."""

import asyncio
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Self

import pytest

from tests.support.fake_time import fake_clock, run_in_fake_time
from tests.support.sending import batch_of, tell
from tile38py.endpoints import registry
from tile38py.endpoints.pool import Pool
from tile38py.endpoints.registry import (
    EndpointDependencies,
    Registry,
    Settings,
    TargetError,
    Traits,
    endpoint,
)
from tile38py.interfaces.delivery import Batch


class Fake:
    """A connection that tells what happens to it."""

    opened = 0
    closed = 0
    sent: ClassVar[list[bytes]] = []
    is_down = False
    is_away = False
    send_seconds = 0.0
    now_sending = 0
    sending_max = 1

    async def send(self, batch: Batch, target: Settings) -> None:
        """Take it all."""
        assert isinstance(target, FakeSettings)
        Fake.now_sending += 1
        assert Fake.now_sending <= Fake.sending_max, "so many batches at a time"
        await asyncio.sleep(Fake.send_seconds)
        Fake.now_sending -= 1
        if "bad" in target.topic:
            raise TargetError("no such topic")
        if Fake.is_down:
            raise ConnectionError("it is down, geheim")
        for index in batch.waiting():
            Fake.sent.append(batch.events[index].body)
            batch.delivered.add(index)

    async def close(self) -> None:
        """Close."""
        Fake.closed += 1


@dataclass(frozen=True, slots=True)
class FakeSettings:
    """Host and topic."""

    host: str
    topic: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Anything goes."""
        host, _, topic = url.partition("://")[2].partition("/")
        return cls(host, topic)

    @property
    def cluster(self) -> str:
        """The host."""
        return self.host

    async def connect(self, _dependencies: EndpointDependencies) -> Fake:
        """Connect."""
        Fake.opened += 1
        if Fake.is_away:
            await asyncio.sleep(1e6)
        return Fake()


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    Fake.opened = Fake.closed = Fake.now_sending = 0
    Fake.sent, Fake.is_down, Fake.is_away, Fake.send_seconds = [], False, False, 0.0
    Fake.sending_max = 1
    monkeypatch.setattr(registry, "KINDS", dict(registry.KINDS))
    endpoint("fake", traits=Traits(lifetime_seconds_max=1800))(FakeSettings)
    many = Traits(lifetime_seconds_max=1800, batches_count_max=256)
    registry.KINDS["many"] = registry.Kind(FakeSettings, many)


def new_pool() -> Pool:
    dependencies = EndpointDependencies({}, lambda: "", lambda _channel, _message: 0)
    return Pool(Registry(), dependencies, clock=fake_clock(), log=tell)


def test_batches_of_a_url_share_a_connection_one_at_a_time() -> None:
    async def run() -> None:
        pool = new_pool()
        Fake.send_seconds = 0.1
        await asyncio.gather(*(pool.send("fake://x", batch_of(b"%d" % at)) for at in range(9)))
        assert Fake.sent == [b"%d" % at for at in range(9)]
        assert Fake.opened == 1

    run_in_fake_time(run())


def test_a_connection_is_closed_after_30_idle_seconds_and_opened_again() -> None:
    async def run() -> None:
        pool = new_pool()
        await pool.send("fake://x", batch_of(b"1"))
        await asyncio.sleep(29)
        await pool.sweep()
        assert Fake.closed == 0
        await asyncio.sleep(1)
        await pool.sweep()
        assert (Fake.closed, pool.open_count) == (1, 0)
        await pool.send("fake://x", batch_of(b"2"))
        assert Fake.opened == 2

    run_in_fake_time(run())


def test_a_busy_connection_is_replaced_after_30_minutes_with_nothing_lost_or_doubled() -> None:
    async def run() -> None:
        pool = new_pool()
        expected = []
        for number in range(3 * 1800):
            expected.append(b"%d" % number)
            assert await pool.send("fake://x", batch_of(expected[-1])) is None
            await asyncio.sleep(1)
            await pool.sweep()
        assert Fake.sent == expected
        assert (Fake.opened, Fake.closed) == (3, 3)

    run_in_fake_time(run())


def test_a_send_that_hangs_is_given_up_after_5_seconds() -> None:
    async def run() -> None:
        pool = new_pool()
        Fake.send_seconds = 1e6
        assert await pool.send("fake://x", batch_of(b"1")) == "no answer in time"
        assert 5 <= fake_clock().time() < 5.1
        assert Fake.closed == 1

    run_in_fake_time(run())


def test_a_dead_endpoint_rests_half_a_second_and_longer_when_it_stays_dead() -> None:
    async def run() -> None:
        pool, clock = new_pool(), fake_clock()
        Fake.is_down = True
        pauses = []
        for _ in range(20):
            await pool.send("fake://x?token=geheim", batch_of(b"1"))
            pauses.append(pool.backoff_until_ns("fake://x?token=geheim") - clock.monotonic_ns())
            await asyncio.sleep(pauses[-1] / 1e9)
        assert pauses[:10] == [500_000_000] * 10
        assert max(pauses) == 4_000_000_000
        Fake.is_down = False
        await pool.send("fake://x?token=geheim", batch_of(b"1"))
        assert pool.backoff_until_ns("fake://x?token=geheim") == 0

    run_in_fake_time(run())


def test_an_error_is_told_without_the_secrets_of_its_url() -> None:
    async def run() -> None:
        pool = new_pool()
        Fake.is_down = True
        reason = await pool.send("fake://x?token=geheim", batch_of(b"1"))
        assert reason == "it is down, ***"

    run_in_fake_time(run())


def test_70_000_topics_of_a_cluster_share_one_connection() -> None:
    async def run() -> None:
        pool = new_pool()
        for at in range(70_000):
            assert await pool.send(f"fake://x/{at}", batch_of(b"%d" % at)) is None
        assert len(Fake.sent) == 70_000
        assert (Fake.opened, pool.open_count, pool.url_count) == (1, 1, 70_000)
        await asyncio.sleep(31)
        await pool.sweep()
        assert (Fake.closed, pool.open_count, pool.url_count) == (1, 0, 0)

    run_in_fake_time(run())


def test_a_topic_that_fails_leaves_the_others_of_its_cluster_alone() -> None:
    async def run() -> None:
        pool = new_pool()
        assert await pool.send("fake://x/good", batch_of(b"1")) is None
        assert await pool.send("fake://x/bad", batch_of(b"2")) == "no such topic"
        assert pool.backoff_until_ns("fake://x/bad") > fake_clock().monotonic_ns()
        assert pool.backoff_until_ns("fake://x/good") == 0
        assert await pool.send("fake://x/good", batch_of(b"3")) is None
        assert (Fake.opened, Fake.closed, Fake.sent) == (1, 0, [b"1", b"3"])

    run_in_fake_time(run())


def test_a_cluster_that_swallows_connections_is_waited_for_once_not_by_each_topic() -> None:
    async def run() -> None:
        pool = new_pool()
        Fake.is_away = True
        sends = [pool.send(f"fake://x/{at}", batch_of(b"1")) for at in range(1000)]
        assert set(await asyncio.gather(*sends)) == {"no answer in time"}
        assert Fake.opened == 1
        assert 5 <= fake_clock().time() < 5.1
        assert pool.backoff_until_ns("fake://x/7") == pool.backoff_until_ns("fake://x/8") > 0
        Fake.is_away = False
        await asyncio.sleep(0.5)
        assert await pool.send("fake://x/7", batch_of(b"1")) is None
        assert pool.backoff_until_ns("fake://x/8") == 0

    run_in_fake_time(run())


@pytest.mark.parametrize("ending", ["old", "broken"])
def test_a_connection_is_closed_only_when_the_last_of_its_sends_is_over(ending: str) -> None:
    async def run() -> None:
        pool = new_pool()
        Fake.sending_max = 9
        Fake.send_seconds = 4.0
        await pool.send("many://x/0", batch_of(b"0"))
        if ending == "old":
            await asyncio.sleep(1799 - 4)
        slow = asyncio.create_task(pool.send("many://x/1", batch_of(b"1")), name="slow")
        await asyncio.sleep(1)
        if ending == "broken":
            Fake.is_down, Fake.send_seconds = True, 0.0
            assert await pool.send("many://x/2", batch_of(b"2")) is not None
            Fake.is_down = False
        Fake.send_seconds = 0.0
        await asyncio.sleep(1)
        assert await pool.send("many://x/3", batch_of(b"3")) is None
        assert (Fake.opened, Fake.closed) == (2, 0)
        assert await slow is None
        assert (Fake.opened, Fake.closed) == (2, 1)
        assert Fake.sent == [b"0", b"3", b"1"]

    run_in_fake_time(run())


def test_a_thousand_dead_clusters_are_tried_one_after_the_other() -> None:
    async def run() -> None:
        pool, clock = new_pool(), fake_clock()
        Fake.is_down = True
        urls = [f"fake://{at}" for at in range(1000)]
        moments: list[float] = []

        async def send(url: str) -> None:
            assert await pool.send(url, batch_of(b"1")) is not None
            moments.append(clock.time())

        for seconds in (0.001, 0.005):  # those that failed before take their time
            moments.clear()
            await asyncio.gather(*map(send, urls))
            steps = [after - before for before, after in pairwise(sorted(moments))]
            assert min(steps) >= seconds * 0.99
            await asyncio.sleep(10)
        assert Fake.opened == 2000

    run_in_fake_time(run())


def test_a_missing_client_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        def fail(name: str) -> None:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

        monkeypatch.setattr("tile38py.endpoints.opening.import_module", fail)
        reason = await new_pool().send("kafka://h/t", batch_of(b"1"))
        assert reason == "its client isn't installed: pip install 'tile38py[kafka]'"

    run_in_fake_time(run())


def test_a_thousand_urls_leave_nothing_behind() -> None:
    async def run() -> None:
        pool = new_pool()
        for at in range(1000):
            await pool.send(f"fake://{at}", batch_of(b"1"))
        for _ in range(3):
            await asyncio.sleep(31)
            await pool.sweep()
        assert (pool.open_count, pool.url_count) == (0, 0)

    run_in_fake_time(run())


def test_clients_are_imported_only_when_they_are_needed() -> None:
    modules = "aiohttp aiokafka aio_pika aiomqtt nats grpc redis aiobotocore azure google.pubsub_v1"
    code = f"import sys, tile38py.endpoints; print(set({modules.split()!r}) & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert found.stdout.strip() == b"set()"
