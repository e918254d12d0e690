"""Time and chance."""

from tile38py.clock import SystemClock, new_server_id, stamp_text


def test_file_names_get_the_time_in_utc() -> None:
    assert stamp_text(1_700_000_000_123_000_000) == "20231114T221320.123Z"


def test_clocks_go_forward() -> None:
    clock = SystemClock()
    assert clock.monotonic_ns() <= clock.monotonic_ns()
    assert clock.now_ns() > 1_700_000_000_000_000_000


def test_server_ids_differ() -> None:
    assert len({new_server_id() for _ in range(10)}) == 10
    assert len(new_server_id()) == 32
