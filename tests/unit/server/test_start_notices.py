"""The lines at a start about dangerous settings."""

import socket
from pathlib import Path

import pytest

from tests.support.fakes import FakeProcess
from tile38py._engine import Engine
from tile38py.config import Config
from tile38py.gates import Gates
from tile38py.limits import MIB
from tile38py.server.listener import bind_tcp, bind_unix
from tile38py.server.memory_budget import MemoryBudget
from tile38py.server.start_notices import exposure_notice, memory_notice

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


def exposure(listener: socket.socket, *, password: str = "", is_protected: bool = False) -> str:
    gates = Gates(Engine(), requires_password=bool(password))
    with listener:
        return exposure_notice(gates, listener, is_protected=is_protected)


@pytest.mark.parametrize("host", ["", "0.0.0.0"])
def test_a_port_that_others_reach_without_a_password_is_a_warning(host: str) -> None:
    text = exposure(bind_tcp(host, 0))
    assert text.startswith("Listening on ")
    assert "without a password" in text
    assert "-h 127.0.0.1" in text
    assert "CONFIG SET requirepass" in text


def test_a_port_that_is_protected_is_none(tmp_path: Path) -> None:
    assert exposure(bind_tcp("", 0), password="secret") == ""
    assert exposure(bind_tcp("", 0), is_protected=True) == ""
    assert exposure(bind_tcp("127.0.0.1", 0)) == ""
    assert exposure(bind_unix(str(tmp_path / "socket"))) == ""
