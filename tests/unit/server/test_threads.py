"""Whoever has something done on a thread always hears how it ended."""

import asyncio

import pytest

from tile38py.server.threads import in_thread


def fail(error: Exception | None) -> None:
    if error is not None:
        raise error


@pytest.mark.parametrize(
    ("error", "told", "is_fault"),
    [
        (None, "None", False),
        (OSError(28, "full"), repr(OSError(28, "full")), False),
        (MemoryError("no room"), repr(OSError(0, "MemoryError: no room")), True),
    ],
)
async def test_any_end_is_told(error: Exception | None, told: str, *, is_fault: bool) -> None:
    loop = asyncio.get_running_loop()
    ends: asyncio.Queue[OSError | None] = asyncio.Queue()
    faults: list[object] = []
    loop.set_exception_handler(lambda _loop, context: faults.append(context["exception"]))
    in_thread(loop, None, lambda: fail(error), ends.put_nowait)
    async with asyncio.timeout(10):
        assert repr(await ends.get()) == told
    assert faults == ([error] if is_fault else [])
