"""The registry of connections."""

import pytest

from tests.support.bench import Bench
from tile38py.access.user import DEFAULT_USER
from tile38py.errors import CommandError


def test_clients_are_counted_and_numbered() -> None:
    bench = Bench()
    second = bench.new_client()
    assert [client.client_id for client in bench.clients] == [1, 2]
    bench.clients.remove(second)
    bench.clients.remove(second)
    assert (len(bench.clients), bench.clients.received) == (1, 2)


def test_the_bound_is_told() -> None:
    bench = Bench()
    bench.clients.count_max = 2
    assert not bench.clients.is_full
    bench.new_client()
    assert bench.clients.is_full


def test_the_last_one_turns_off_the_light() -> None:
    bench, calls = Bench(), list[int]()
    bench.clients.on_empty(lambda: calls.append(1))
    assert calls == []
    bench.clients.remove(bench.client)
    assert calls == [1]
    bench.clients.on_empty(lambda: calls.append(2))
    assert calls == [1, 2]


def test_a_user_has_so_many_connections_at_most() -> None:
    bench = Bench()
    bench.clients.per_user_count_max = 2
    bench.clients.admit(DEFAULT_USER)
    bench.new_client()
    with pytest.raises(CommandError, match="max number of clients reached"):
        bench.clients.admit(DEFAULT_USER)
    bench.clients.admit(b"other")
    assert bench.clients.counts.rejected == 1
