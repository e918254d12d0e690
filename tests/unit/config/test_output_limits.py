"""client-output-buffer-limit: Redis's notation, and values of every wrong form."""

import pytest

from tile38py.config.output_limits import (
    DEFAULTS,
    OutputLimit,
    parse_output_limits,
    show_output_limits,
)
from tile38py.limits import KIB, MIB


def test_classes_without_a_limit_keep_the_default() -> None:
    assert parse_output_limits("") == DEFAULTS
    limits = parse_output_limits("pubsub 32mb 8mb 60")
    assert limits.normal == DEFAULTS.normal
    assert limits.pubsub == OutputLimit(32 * MIB, 8 * MIB, 60)
    assert show_output_limits(limits) == "normal 1gb 0 0 pubsub 32mb 8mb 60"


def test_redis_defaults_are_understood() -> None:
    text = "normal 0 0 0 slave 256mb 64mb 60 pubsub 32mb 8mb 60"
    limits = parse_output_limits(text)
    assert limits.normal == DEFAULTS.normal
    assert limits.pubsub.soft_seconds == 60


def test_what_is_shown_is_understood() -> None:
    limits = parse_output_limits("NORMAL 3mb 64kb 1 pubsub 1mb 2 3")
    assert limits.normal == OutputLimit(3 * MIB, 64 * KIB, 1)
    assert parse_output_limits(show_output_limits(limits)) == limits


@pytest.mark.parametrize(
    "text",
    ["normal", "normal 1 2", "nope 1 2 3", "normal x 2 3", "normal 1 2 -3", "normal 1 2 3 4"],
)
def test_other_values_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_output_limits(text)
