"""The pool: connections shared, idle ones closed, old ones replaced, dead ones left in peace."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar, Self

import pytest

from tests.support.fake_time import fake_clock, run_in_fake_time
from tests.support.sending import batch_of, tell
from tile38py.endpoints import registry
from tile38py.endpoints.pool import Pool
from tile38py.endpoints.registry import Registry, Surroundings, Traits, endpoint
from tile38py.interfaces import Batch


class Fake:
    """A connection that tells what happens to it."""

    opened = 0
    closed = 0
    sent: ClassVar[list[bytes]] = []
    is_down = False
    send_seconds = 0.0
    now_sending = 0

    async def send(self, batch: Batch) -> None:
        """Take it all."""
        Fake.now_sending += 1
        assert Fake.now_sending == 1, "one batch at a time"
        await asyncio.sleep(Fake.send_seconds)
        Fake.now_sending -= 1
        if Fake.is_down:
            raise ConnectionError("it is down, geheim")
        for index in batch.waiting():
            Fake.sent.append(batch.messages[index].body)
            batch.delivered.add(index)

    async def close(self) -> None:
        """Close."""
        Fake.closed += 1


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    Fake.opened = Fake.closed = Fake.now_sending = 0
    Fake.sent, Fake.is_down, Fake.send_seconds = [], False, 0.0
    monkeypatch.setattr(registry, "KINDS", dict(registry.KINDS))

    @endpoint("fake", traits=Traits(lifetime_seconds_max=1800))
    @dataclass(frozen=True, slots=True)
    class FakeSettings:
        """No settings."""

        @classmethod
        def parse(cls, _url: str) -> Self:
            """Anything goes."""
            return cls()

        async def connect(self, _surroundings: Surroundings) -> Fake:
            """Connect."""
            Fake.opened += 1
            return Fake()


def new_pool() -> Pool:
    surroundings = Surroundings({}, lambda: "", lambda _channel, _message: 0)
    return Pool(Registry(), surroundings, clock=fake_clock(), log=tell)


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
            pauses.append(pool.resting_until_ns("fake://x?token=geheim") - clock.monotonic_ns())
        assert pauses[:10] == [500_000_000] * 10
        assert max(pauses) == 4_000_000_000
        Fake.is_down = False
        await pool.send("fake://x?token=geheim", batch_of(b"1"))
        assert pool.resting_until_ns("fake://x?token=geheim") == 0

    run_in_fake_time(run())


def test_an_error_is_told_without_the_secrets_of_its_url() -> None:
    async def run() -> None:
        pool = new_pool()
        Fake.is_down = True
        reason = await pool.send("fake://x?token=geheim", batch_of(b"1"))
        assert reason == "it is down, ***"

    run_in_fake_time(run())


def test_a_missing_client_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        monkeypatch.setattr("tile38py.endpoints.registry.find_spec", lambda _name: None)
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
