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
        ("", "", False),
    ],
)
def test_passwords(bench: Bench, required: str, given: str, is_right: bool) -> None:
    bench.config.set("requirepass", required)
    expected = b"+OK\r\n" if is_right else b"-ERR invalid password\r\n"
    assert bench.call("AUTH", given) == expected
    assert bench.client.session.authenticated is is_right


def test_auth_without_a_password_is_one_with_an_empty_one(bench: Bench) -> None:
    assert bench.call("AUTH") == b"-ERR invalid password\r\n"


def test_a_wrong_password_takes_nothing_away(bench: Bench) -> None:
    bench.config.set("requirepass", "secret")
    bench.call("AUTH", "secret")
    bench.call("AUTH", "wrong")
    assert bench.client.session.authenticated
