"""The rate limiter: a burst of a second's requests, then the rate, for each user alone."""

from tile38py.limits import RATE_USERS_COUNT_MAX, SECOND_NS
from tile38py.server.rate_limiter import RateLimiter

NOW = 1000 * SECOND_NS


def limiter(rate: int) -> RateLimiter:
    made = RateLimiter()
    made.rate = rate
    return made


def test_without_a_rate_nothing_waits() -> None:
    free = limiter(0)
    free.charge(b"a", 1000, NOW)
    assert free.wait_ns(b"a", NOW) == 0


def test_a_burst_of_one_second_is_free_and_the_next_request_waits() -> None:
    slow = limiter(10)
    for _ in range(10):
        assert slow.wait_ns(b"a", NOW) == 0
        slow.charge(b"a", 1, NOW)
    assert slow.wait_ns(b"a", NOW) == SECOND_NS // 10
    assert slow.wait_ns(b"a", NOW + SECOND_NS // 10) == 0


def test_over_time_a_user_gets_the_rate() -> None:
    slow, now_ns, sent = limiter(50), NOW, 0
    while now_ns < NOW + 10 * SECOND_NS:
        wait_ns = slow.wait_ns(b"a", now_ns)
        if not wait_ns:
            slow.charge(b"a", 7, now_ns)
            sent += 7
        now_ns += wait_ns or 1
    assert 50 * 10 <= sent <= 50 * 11 + 7


def test_each_user_has_a_bucket() -> None:
    slow = limiter(1)
    slow.charge(b"a", 100, NOW)
    assert slow.wait_ns(b"a", NOW)
    assert slow.wait_ns(b"b", NOW) == 0


def test_users_that_rest_are_forgotten_when_there_are_many() -> None:
    slow = limiter(1)
    for number in range(RATE_USERS_COUNT_MAX + 1):
        slow.charge(b"%d" % number, 1, NOW)
    slow.charge(b"busy", 100, NOW)
    later = NOW + 2 * SECOND_NS
    slow.charge(b"last", 1, later)
    assert slow.wait_ns(b"busy", later) > 90 * SECOND_NS
    assert slow.wait_ns(b"0", later) == 0
