"""Waiting for a condition with a deadline, instead of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

POLL_SECONDS = 0.01

Value = TypeVar("Value")


def wait_until(
    condition: Callable[[], Value], *, seconds_max: float = 10.0, what: str = "the condition"
) -> Value:
    """Return the first true value of a condition. Raises TimeoutError after the deadline."""
    deadline = time.monotonic() + seconds_max
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} wasn't met within {seconds_max} s")
        time.sleep(POLL_SECONDS)
    return value
