"""The order of the index, modelled from Tile38's rules: plain lists, every box computed anew.

An oracle for searches: which entry comes where, and which of equally distant ones comes first.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

NODE_ENTRIES_MAX = 64
HALF_ENTRIES_MIN = 2
WEST, SOUTH, EAST, NORTH = range(4)

# West, south, east, north in float32.
Box: TypeAlias = tuple[float, float, float, float]


@dataclass(slots=True, eq=False)
class Node:
    """A node of the tree: a leaf of names or a branch of nodes."""

    is_leaf: bool
    entries: list["Entry"] = field(default_factory=list)

    def box(self) -> Box:
        """Return the box around all entries."""
        west, south, east, north = zip(*(entry.box for entry in self.entries), strict=True)
        return min(west), min(south), max(east), max(north)


@dataclass(slots=True, eq=False)
class Entry:
    """A name or a node, with its recorded box."""

    box: Box
    name: str = ""
    node: Node | None = None


class IndexModel:
    """An R-tree of names, ordered by their boxes."""

    def __init__(self) -> None:
        self._root: Entry | None = None

    def insert(self, name: str, box: Box) -> None:
        """Add a name, which must be new."""
        entry = Entry(box, name)
        if self._root is None:
            self._root = Entry(box, node=Node(is_leaf=True, entries=[entry]))
            return
        has_new_root = False
        while (has_grown := _insert(self._root, entry)) is None:
            self._root = _parent_of_halves(self._root)
            has_new_root = True
        assert self._root.node is not None
        if has_grown:
            self._root.box = _union(self._root.box, box)
        if not self._root.node.is_leaf:
            for reason in (has_grown, has_new_root):
                if reason:
                    quicksort(self._root.node.entries, _is_farther_west)

    def remove(self, name: str, box: Box) -> None:
        """Remove a name."""
        assert self._root is not None
        _remove(self._root, name, box)
        assert self._root.node is not None
        if not self._root.node.entries:
            self._root = None

    def names(self) -> list[str]:
        """Return all names in the order of the index."""
        return [] if self._root is None else [entry.name for entry in _leaves(self._root)]

    def nearest(self, distance: Callable[[Box], float]) -> list[str]:
        """Return all names by distance, at the same distance in the order of a binary heap."""
        heap: list[tuple[float, Entry]] = []
        found: list[str] = []
        if self._root is not None:
            _push(heap, (0.0, self._root))
        while heap:
            entry = _pop(heap)[1]
            if entry.node is None:
                found.append(entry.name)
                continue
            for child in entry.node.entries:
                _push(heap, (distance(child.box), child))
        return found


def float32_box(west: float, south: float, east: float, north: float) -> Box:
    """Return the box in float32, rounded outward."""
    return _below(west), _below(south), _above(east), _above(north)


def _float32(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def _below(value: float) -> float:
    nearest = _float32(value)
    ulp = 2.0**-23
    return nearest if nearest <= value else _float32(value * (1 + ulp if value < 0 else 1 - ulp))


def _above(value: float) -> float:
    return -_below(-value)


def _union(a: Box, b: Box) -> Box:
    return (
        min(a[WEST], b[WEST]),
        min(a[SOUTH], b[SOUTH]),
        max(a[EAST], b[EAST]),
        max(a[NORTH], b[NORTH]),
    )


def _contains(outer: Box, inner: Box) -> bool:
    return _union(outer, inner) == outer


def _area(box: Box) -> float:
    width, height = _float32(box[EAST] - box[WEST]), _float32(box[NORTH] - box[SOUTH])
    return _float32(width * height)


def _is_farther_west(a: Entry, b: Entry) -> bool:
    return a.box[WEST] < b.box[WEST]


def _is_greater(edge: int, a: Entry, b: Entry) -> bool:
    return a.box[edge] > b.box[edge]


def _leaves(entry: Entry) -> Iterator[Entry]:
    if entry.node is None:
        yield entry
        return
    for child in entry.node.entries:
        yield from _leaves(child)


def _insert(own: Entry, new: Entry) -> bool | None:
    """Insert below an entry; return whether its box has to grow, None if its node is full."""
    node = own.node
    assert node is not None
    entries = node.entries
    is_growing = not _contains(own.box, new.box)
    if node.is_leaf:
        if len(entries) == NODE_ENTRIES_MAX:
            return None
        entries.insert(sum(entry.box[WEST] < new.box[WEST] for entry in entries), new)
        return is_growing
    while True:
        at = _choose(entries, new.box)
        child = entries[at]
        has_grown = _insert(child, new)
        if has_grown is None:
            if len(entries) == NODE_ENTRIES_MAX:
                return None
            _split_child(entries, at)
            continue
        if not has_grown:
            return False
        child.box = _union(child.box, new.box)
        while at > 0 and _is_farther_west(child, entries[at - 1]):
            entries[at - 1], entries[at] = entries[at], entries[at - 1]
            at -= 1
        return is_growing


def _choose(entries: list[Entry], box: Box) -> int:
    holders = [at for at, entry in enumerate(entries) if _contains(entry.box, box)]
    if holders:
        return min(holders, key=lambda at: _area(entries[at].box))

    def cost(at: int) -> tuple[float, float]:
        area = _area(entries[at].box)
        return _float32(_area(_union(entries[at].box, box)) - area), area

    return min(range(len(entries)), key=cost)


def _split_child(entries: list[Entry], at: int) -> None:
    left, right = _halves(entries[at])
    entries[at] = left
    at += 1
    entries.insert(at, right)
    if _is_farther_west(right, left):
        entries[at - 1], entries[at] = right, left
    while at + 1 < len(entries) and _is_farther_west(entries[at + 1], entries[at]):
        entries[at], entries[at + 1] = entries[at + 1], entries[at]
        at += 1


def _parent_of_halves(full: Entry) -> Entry:
    parent = Node(is_leaf=False, entries=[full])
    _split_child(parent.entries, 0)
    return Entry(full.box, node=parent)


def _halves(full: Entry) -> tuple[Entry, Entry]:
    assert full.node is not None
    own, left, right = full.box, list(full.node.entries), list[Entry]()
    lower, upper = (
        (SOUTH, NORTH)
        if _float32(own[NORTH] - own[SOUTH]) > _float32(own[EAST] - own[WEST])
        else (WEST, EAST)
    )
    at = 0
    while at < len(left):
        box = left[at].box
        if _float32(box[lower] - own[lower]) < _float32(own[upper] - box[upper]):
            at += 1
        else:
            right.append(left[at])
            left[at] = left[-1]
            left.pop()
    # A half that is too small gets entries of the other: those with the least lower or upper edge.
    for poor, rich, edge in ((left, right, lower), (right, left, upper)):
        if len(poor) < HALF_ENTRIES_MIN:
            quicksort(rich, partial(_is_greater, edge))
            while len(poor) < HALF_ENTRIES_MIN:
                poor.append(rich.pop())
            break
    nodes = []
    for half in (left, right):
        if half != sorted(half, key=lambda entry: entry.box[WEST]):
            quicksort(half, _is_farther_west)
        nodes.append(Node(is_leaf=full.node.is_leaf, entries=half))
    first, second = nodes
    return Entry(first.box(), node=first), Entry(second.box(), node=second)


def quicksort(entries: list[Entry], is_less: Callable[[Entry, Entry], bool]) -> None:
    """Sort in place, with the middle entry as the pivot, moved to the end. Not stable."""
    ranges = [(0, len(entries))]
    while ranges:
        start, end = ranges.pop()
        if end - start < 2:
            continue
        middle, last, border = start + (end - start) // 2, end - 1, start
        entries[middle], entries[last] = entries[last], entries[middle]
        for at in range(start, last):
            if is_less(entries[at], entries[last]):
                entries[at], entries[border] = entries[border], entries[at]
                border += 1
        entries[border], entries[last] = entries[last], entries[border]
        ranges += [(start, border), (border + 1, end)]


def _remove(own: Entry, name: str, box: Box) -> bool:
    """Remove a name below an entry and shrink the boxes above; return whether it was there."""
    assert own.node is not None
    entries = own.node.entries
    for at, entry in enumerate(entries):
        if not _contains(entry.box, box):
            continue
        if entry.node is None:
            if entry.name != name:
                continue
            del entries[at]
        elif not _remove(entry, name, box):
            continue
        elif not entry.node.entries:
            del entries[at]
        else:
            _settle_east(entries, at)
        if entries:
            own.box = own.node.box()
        return True
    return False


def _settle_east(entries: list[Entry], at: int) -> None:
    while at + 1 < len(entries) and _is_farther_west(entries[at + 1], entries[at]):
        entries[at], entries[at + 1] = entries[at + 1], entries[at]
        at += 1


def _push(heap: list[tuple[float, Entry]], item: tuple[float, Entry]) -> None:
    heap.append(item)
    at = len(heap) - 1
    while at > 0 and heap[(at - 1) // 2][0] > heap[at][0]:
        parent = (at - 1) // 2
        heap[parent], heap[at] = heap[at], heap[parent]
        at = parent


def _pop(heap: list[tuple[float, Entry]]) -> tuple[float, Entry]:
    """Remove and return the top item; the last one sinks from there, right if both are equal."""
    top, last = heap[0], heap.pop()
    if not heap:
        return top
    heap[0] = last
    at = 0
    while True:
        left, right = 2 * at + 1, 2 * at + 2
        if right < len(heap) and heap[right][0] <= min(heap[left][0], heap[at][0]):
            child = right
        elif left < len(heap) and heap[left][0] <= heap[at][0]:
            child = left
        else:
            return top
        heap[at], heap[child] = heap[child], heap[at]
        at = child
