"""The lines at a start about dangerous settings."""

import pytest

from tests.support.fakes import FakeProcess
from tile38py.config import Config
from tile38py.limits import MIB
from tile38py.server.memory_budget import MemoryBudget
from tile38py.server.start_notices import memory_notice

BUDGET = MemoryBudget(FakeProcess(), 256 * MIB)
DANGER = (
    "and this container's memory limit is 256mb: the kernel kills the server when it needs more. "
    "Set maxmemory to 153mb"
)


@pytest.mark.parametrize(
    ("maxmemory", "notice"),
    [
        (
            "",
            "maxmemory is 153mb: 60% of this container's memory limit, 256mb, since it is not set",
        ),
        ("100mb", ""),
        ("222mb", ""),
        ("223mb", f"maxmemory is 223mb, {DANGER}"),
        ("0", f"maxmemory is off, {DANGER}"),
    ],
)
def test_maxmemory_in_a_container_with_a_limit(maxmemory: str, notice: str) -> None:
    config = Config(maxmemory=BUDGET.data_bytes_max)
    config.set("maxmemory", maxmemory)
    assert memory_notice(config, BUDGET) == notice


def test_no_notice_without_a_limit() -> None:
    config = Config()
    config.set("maxmemory", "100gb")
    assert memory_notice(config, MemoryBudget(FakeProcess())) == ""
