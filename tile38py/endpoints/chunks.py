"""Splitting of a batch for brokers that limit the events or the bytes of a request."""

from dataclasses import dataclass

from tile38py.interfaces.delivery import Batch


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of a broker's requests."""

    count_max: int  # events in a request
    bytes_max: int  # of all events in a request
    event_bytes_max: int  # of one event; a larger one is refused


def chunks_of(
    batch: Batch, indexes: list[int], bounds: Bounds, stopped_hooks: set[str]
) -> list[list[int]]:
    """Split events of a batch into chunks within the bounds, in order.

    An event beyond event_bytes_max is refused, and its hook is added to stopped_hooks: later
    events of these hooks are left out. An event between the two bounds gets a chunk of its own.
    """
    chunks: list[list[int]] = []
    room = 0
    for index in indexes:
        event = batch.events[index]
        size = len(event.body)
        if event.hook in stopped_hooks:
            continue
        if size > bounds.event_bytes_max:
            stopped_hooks.add(event.hook)
            batch.refused[index] = "larger than the service takes"
            continue
        if not chunks or len(chunks[-1]) == bounds.count_max or size > room:
            chunks.append([])
            room = bounds.bytes_max
        chunks[-1].append(index)
        room -= size
    return chunks
