"""Fault injection into machines, disks and the network: a method for each kind of fault."""

import random
from collections.abc import Callable, Sequence

from tests.simulation.network import Network
from tests.simulation.node import Node

OPERATIONS = ("write", "sync", "truncate", "rename", "create")
OPERATIONS_MAX = 30  # on files, at one of which a process crashes
SWAP_OPERATIONS_MAX = 6  # the same, after another file replaced the log
ROOM_BYTES_MAX = 2000


class FaultInjector:
    """Injects faults that the seed chooses."""

    def __init__(self, chance: random.Random, nodes: Sequence[Node], network: Network) -> None:
        self._chance = chance
        self._nodes = nodes
        self._network = network

    @property
    def kinds(self) -> tuple[Callable[[], None], ...]:
        """The possible faults; one that is listed twice is twice as likely."""
        of_a_machine = (
            self.nothing, self.nothing, self.crash, self.crash_in_operation, self.stop,
            self.fill_disk, self.free_disk, self.break_disk, self.jump_clock,
            self.lose_power_at_swap,
        )  # fmt: skip
        if len(self._nodes) == 1:
            return of_a_machine
        return (*of_a_machine, self.cut, self.cut, self.stall)

    def nothing(self) -> None:
        """Inject no fault."""

    def crash(self) -> None:
        """Kill a process, or its machine with it."""
        self._any().crash(loses_power=self._chance.random() < 0.6)

    def crash_in_operation(self) -> None:
        """Kill a process at one of its next operations on files."""
        count = self._chance.randrange(OPERATIONS_MAX)
        self._any().crash_after(count, loses_power=self._chance.random() < 0.6)

    def lose_power_soon(self, node: Node) -> None:
        """Let a machine lose power at one of its next operations on files."""
        node.crash_after(self._chance.randrange(OPERATIONS_MAX), loses_power=True)

    def lose_power_at_swap(self) -> None:
        """Let a random machine lose power soon after another file replaces its log."""
        self.lose_power_at_swap_of(self._any())

    def lose_power_at_swap_of(self, node: Node) -> None:
        """Let a machine lose power soon after another file replaces its log."""
        node.crash_at_swap(self._chance.randrange(SWAP_OPERATIONS_MAX))

    def stop(self) -> None:
        """Stop a process with SIGTERM."""
        self._any().stop()

    def fill_disk(self) -> None:
        """Leave little room on a disk."""
        node = self._any()
        node.disk.faults.room = self._chance.randrange(ROOM_BYTES_MAX)
        node.note(f"has {node.disk.faults.room} bytes of room")

    def free_disk(self) -> None:
        """Make room on a disk."""
        node = self._any()
        node.disk.faults.room = None
        node.note("has room")

    def break_disk(self) -> None:
        """Let the next operations of a kind fail on a disk."""
        node = self._any()
        operation = self._chance.choice(OPERATIONS)
        node.disk.faults.failures[operation] = self._chance.randint(1, 3)
        node.note(f"will fail to {operation}")

    def jump_clock(self) -> None:
        """Set the wall clock of a machine forward or back."""
        node = self._any()
        node.clock.ahead_seconds += self._chance.choice((-5, -1, 0.5, 3))
        node.note(f"is {node.clock.ahead_seconds} s ahead")

    def cut(self) -> None:
        """Cut the connections between two machines."""
        first, second = self._pair()
        first.note(f"is cut off {second.name}")
        for link in self._network.between(first.name, second.name):
            link.cut()

    def stall(self) -> None:
        """Stall the network between two machines, or end their stall."""
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
