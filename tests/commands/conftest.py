"""A server without sockets for the tests of its commands."""

import pytest

from tests.support.bench import Bench


@pytest.fixture
def bench() -> Bench:
    """A server that holds nothing."""
    return Bench(is_developer=True)
