"""What befalls machines, disks and the network. Each mishap is one call, at a seed's moment."""

import random
from collections.abc import Callable, Sequence

from tests.simulation.network import Network
from tests.simulation.node import Node

OPERATIONS = ("write", "sync", "truncate", "rename", "create")
OPERATIONS_MAX = 30  # of a process on files, before it dies at one
SWAP_OPERATIONS_MAX = 6  # the same, once another file has its log's place
ROOM_BYTES_MAX = 2000


class Mishaps:
    """All kinds."""

    def __init__(self, chance: random.Random, nodes: Sequence[Node], network: Network) -> None:
        self._chance = chance
        self._nodes = nodes
        self._network = network

    @property
    def kinds(self) -> tuple[Callable[[], None], ...]:
        """Those that can happen; the more often one is named, the likelier it is."""
        alone = (
            self.nothing, self.nothing, self.crash, self.crash_in_operation, self.stop,
            self.fill_disk, self.free_disk, self.break_disk, self.jump_clock,
            self.lose_power_at_swap,
        )  # fmt: skip
        return alone if len(self._nodes) == 1 else (*alone, self.cut, self.cut, self.stall)

    def nothing(self) -> None:
        """Let the clients write."""

    def crash(self) -> None:
        """End a process at once, or its machine."""
        self._any().crash(loses_power=self._chance.random() < 0.6)

    def crash_in_operation(self) -> None:
        """End a process in the middle of what it does with files."""
        count = self._chance.randrange(OPERATIONS_MAX)
        self._any().crash_after(count, loses_power=self._chance.random() < 0.6)

    def lose_power_soon(self, node: Node) -> None:
        """Have a machine fail in the middle of what it does with files next."""
        node.crash_after(self._chance.randrange(OPERATIONS_MAX), loses_power=True)

    def lose_power_at_swap(self) -> None:
        """Have a machine fail as soon as another file takes the place of its log."""
        self.lose_power_at_swap_of(self._any())

    def lose_power_at_swap_of(self, node: Node) -> None:
        """Have this one fail then."""
        node.crash_at_swap(self._chance.randrange(SWAP_OPERATIONS_MAX))

    def stop(self) -> None:
        """End a process as an operator does."""
        self._any().stop()

    def fill_disk(self) -> None:
        """Leave little room."""
        node = self._any()
        node.disk.faults.room = self._chance.randrange(ROOM_BYTES_MAX)
        node.note(f"has {node.disk.faults.room} bytes of room")

    def free_disk(self) -> None:
        """Make room."""
        node = self._any()
        node.disk.faults.room = None
        node.note("has room")

    def break_disk(self) -> None:
        """Have operations fail."""
        node = self._any()
        operation = self._chance.choice(OPERATIONS)
        node.disk.faults.failures[operation] = self._chance.randint(1, 3)
        node.note(f"will fail to {operation}")

    def jump_clock(self) -> None:
        """Set a clock."""
        node = self._any()
        node.clock.ahead_seconds += self._chance.choice((-5, -1, 0.5, 3))
        node.note(f"is {node.clock.ahead_seconds} s ahead")

    def cut(self) -> None:
        """Break the connections between two machines."""
        first, second = self._pair()
        first.note(f"is cut off {second.name}")
        for link in self._network.between(first.name, second.name):
            link.cut()

    def stall(self) -> None:
        """Let nothing pass between two machines, or let it pass again."""
        first, second = self._pair()
        pair = frozenset((first.name, second.name))
        if pair in self._network.stalled:
            first.note(f"reaches {second.name} again")
            self._network.let_pass(pair)
        else:
            first.note(f"doesn't reach {second.name}")
            self._network.stalled.add(pair)

    def _any(self) -> Node:
        return self._chance.choice(self._nodes)

    def _pair(self) -> tuple[Node, Node]:
        first, second = self._chance.sample(self._nodes, 2)
        return first, second
