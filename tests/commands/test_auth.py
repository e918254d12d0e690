"""AUTH beyond what the golden cases show."""

import pytest

from tests.support.bench import Bench


@pytest.mark.parametrize(
    ("required", "given", "is_right"),
    [
        ("secret", "secret", True),
        ("secret", "  secret\n", True),
        ("secret", "Secret", False),
        ("secret", "", False),
        (" secret ", " secret ", True),
        (" secret ", "secret", False),
    ],
)
def test_passwords(bench: Bench, required: str, given: str, is_right: bool) -> None:
    bench.config.set("requirepass", required)
    expected = b"+OK\r\n" if is_right else b"-ERR invalid password\r\n"
    assert bench.call("AUTH", given) == expected
    assert bench.client.session.authenticated is is_right


def test_without_a_required_password_it_says_so_as_redis_does(bench: Bench) -> None:
    assert b"called without any password configured" in bench.call("AUTH", "secret")
    assert not bench.client.session.authenticated


@pytest.mark.parametrize("user", ["default", ""])
def test_the_only_user_has_two_names(bench: Bench, user: str) -> None:
    bench.config.set("requirepass", "secret")
    assert bench.call("AUTH", user, "wrong").startswith(b"-WRONGPASS ")
    assert not bench.client.session.authenticated
    assert bench.call("AUTH", user, "secret") == b"+OK\r\n"
    assert bench.client.session.authenticated


def test_other_users_and_words_are_refused(bench: Bench) -> None:
    bench.config.set("requirepass", "secret")
    assert bench.call("AUTH", "ann", "secret").startswith(b"-WRONGPASS ")
    assert bench.call("AUTH", "secret", "x").startswith(b"-WRONGPASS ")
    assert bench.call("AUTH", "default", "secret", "x").startswith(b"-ERR wrong number")
    assert not bench.client.session.authenticated


def test_auth_without_a_password_is_one_with_an_empty_one(bench: Bench) -> None:
    assert bench.call("AUTH") == b"-ERR invalid password\r\n"


def test_a_wrong_password_takes_nothing_away(bench: Bench) -> None:
    bench.config.set("requirepass", "secret")
    bench.call("AUTH", "secret")
    bench.call("AUTH", "wrong")
    assert bench.client.session.authenticated
