"""Who is found at the head of a chain of followers."""

import pytest

from tests.support.fake_leader import FakeLeader
from tests.support.fake_time import run_in_fake_time
from tile38py.interfaces.following import LeaderAddress
from tile38py.limits import FOLLOW_CHAIN_COUNT_MAX
from tile38py.replication.dependencies import FollowerIdentity
from tile38py.replication.handshake import head_of_chain
from tile38py.replication.leader_connection import LeaderError

US = FollowerIdentity(server_id="us", password=b"", port=1, ip="")
LONG = {f"s{number}": f"s{number + 1}:1" for number in range(FOLLOW_CHAIN_COUNT_MAX + 2)}


def head(teller: str, followed: dict[str, str], leader: str = "") -> str | None:
    """The host that is found, if each server follows as it is told here; those at the end lead."""
    network = FakeLeader()
    network.error = LeaderError("nobody is there")
    for host in {*followed, *(place.rpartition(":")[0] for place in followed.values())}:
        network.others[host] = FakeLeader()
        network.others[host].server_id = host.encode()
        network.others[host].facts[b"following"] = followed.get(host, "").encode()
    network.others.pop("dead", None)
    first = (leader or followed[teller]).rpartition(":")
    found: list[LeaderAddress | None] = []

    async def find() -> None:
        target = LeaderAddress(first[0], int(first[2]))
        found.append(await head_of_chain(network, US, LeaderAddress(teller, 1), target))

    run_in_fake_time(find())
    return None if found[0] is None else found[0].host


@pytest.mark.parametrize(
    ("teller", "followed", "expected"),
    [
        ("a", {"a": "b:1"}, "b"),
        ("a", {"a": "b:1", "b": "c:1"}, "c"),
        # Nobody leads in a circle.
        ("a", {"a": "b:1", "b": "a:1"}, None),
        ("a", {"a": "b:1", "b": "c:1", "c": "b:1"}, None),
        ("a", {"a": "us:1"}, None),
        ("a", {"a": "b:1", "b": "us:1"}, None),
        ("a", {"a": "dead:1"}, None),
        # Nonsense is no place.
        ("a", {"a": "b:1", "b": "nowhere"}, None),
        ("a", {"a": "b:1", "b": ":1"}, None),
        ("a", {"a": "b:1", "b": "c:x"}, None),
        # Another machine's own addresses are not ours.
        ("a", {"a": "localhost:1"}, None),
        ("a", {"a": "b:1", "b": "127.0.0.1:1"}, None),
        ("127.0.0.1", {"127.0.0.1": "localhost:1"}, "localhost"),
        ("s5", LONG, f"s{FOLLOW_CHAIN_COUNT_MAX + 2}"),
        ("s0", LONG, None),
    ],
)
def test_the_head(teller: str, followed: dict[str, str], expected: str | None) -> None:
    assert head(teller, followed) == expected
