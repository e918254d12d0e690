"""A network that delays, stalls, cuts and lets half of it through never makes a follower differ."""

import random
from pathlib import Path

import pytest

from tests.support.pair import wait_until_equal
from tests.support.process import ServerProcess
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

BATCHES, BATCH_COUNT = 40, 100
SHRINK_EVERY = 15  # batches
CUTS_MIN = 4
FOLLOW_SECONDS_MAX = 60.0


def some_writes(chance: random.Random) -> list[tuple[str | int, ...]]:
    """Whatever changes objects, fields, times and channels."""
    key, name = f"key{chance.randrange(3)}", chance.randrange(200)
    place = ("POINT", chance.randrange(80), chance.randrange(170))
    kinds: list[tuple[str | int, ...]] = [
        ("SET", key, name, "FIELD", "speed", chance.randrange(100), *place),
        ("SET", key, name, "STRING", "x" * chance.randrange(500)),
        ("SET", key, name, "EX", 1000, *place),
        ("PERSIST", key, name),
        ("FSET", key, name, "speed", chance.randrange(100)),
        ("DEL", key, name),
        ("PDEL", key, f"{name % 10}1*"),
        ("RENAME", key, f"key{chance.randrange(3)}"),
        ("SETCHAN", f"channel{name % 5}", "NEARBY", key, "FENCE", *place, 1000),
        ("DELCHAN", f"channel{name % 5}"),
    ]
    return [chance.choice(kinds) for _ in range(BATCH_COUNT)]


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_bad_network_only_delays(tmp_path: Path) -> None:
    (tmp_path / "leader").mkdir()
    (tmp_path / "follower").mkdir()
    with (
        ServerProcess(tmp_path / "leader") as leader,
        ServerProcess(tmp_path / "follower") as follower,
        Proxy(leader.port) as proxy,
        leader.connect() as connection,
    ):
        chance = random.Random(proxy.seed)

        def is_following() -> bool:
            return follower.call("FOLLOW", "127.0.0.1", proxy.port) == "+OK"

        wait_until(is_following, seconds_max=FOLLOW_SECONDS_MAX, what="FOLLOW through the proxy")
        for number in range(BATCHES):
            connection.call_many(some_writes(chance))
            if number % SHRINK_EVERY == 0:
                leader.call("AOFSHRINK")
            while proxy.cut_count < CUTS_MIN * number // BATCHES:
                connection.call_many(some_writes(chance))
        proxy.heal()
        wait_until_equal(leader, follower)
