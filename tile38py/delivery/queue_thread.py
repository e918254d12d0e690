"""The interface of the thread on which the hook queue's file is used."""

from collections.abc import Callable, Coroutine
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class QueueThread(Protocol):
    """Runs a function on the queue's one thread."""

    def __call__(self, function: Callable[[], Result], /) -> Coroutine[object, object, Result]:
        """Return the function's result, or raise its exception."""
