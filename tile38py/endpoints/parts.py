"""Cutting a batch where a broker takes so many events, or so many bytes, with one request."""

from dataclasses import dataclass

from tile38py.interfaces.delivery import Batch


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a broker takes."""

    count_max: int  # events with one request
    bytes_max: int  # of their texts
    event_bytes_max: int  # of one text: what is larger goes nowhere, what is large goes alone


def parts_of(batch: Batch, indexes: list[int], bounds: Bounds, held: set[str]) -> list[list[int]]:
    """Some of a batch's events in parts that are small enough, in order.

    An event that is too large even by itself is refused and holds up its hook, which is added to
    those that are held up already.
    """
    parts: list[list[int]] = []
    room = 0
    for index in indexes:
        event = batch.events[index]
        size = len(event.body)
        if event.hook in held:
            continue
        if size > bounds.event_bytes_max:
            held.add(event.hook)
            batch.refused[index] = "larger than the service takes"
            continue
        if not parts or len(parts[-1]) == bounds.count_max or size > room:
            parts.append([])
            room = bounds.bytes_max
        parts[-1].append(index)
        room -= size
    return parts
