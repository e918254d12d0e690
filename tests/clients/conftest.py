"""All tests of this folder install libraries from registries, which takes its time."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
TEST_SECONDS_MAX = 900  # the first test of a kit installs it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the tests of this folder to `make test-clients`."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.clients)
            item.add_marker(pytest.mark.timeout(TEST_SECONDS_MAX))
