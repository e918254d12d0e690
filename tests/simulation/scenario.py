"""One seed: machines, clients and what befalls them; then everything is checked."""

import asyncio
import contextvars
import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation import oracle
from tests.simulation.client import Caller, Client
from tests.simulation.disk import Inode
from tests.simulation.loop import SimulatedLoop
from tests.simulation.machine import CURRENT, Process, Trail, World
from tests.simulation.node import Cluster, Node
from tests.simulation.words import Words

ROUNDS = 4
ROUND_SECONDS = 3.0
# Under everysec: a second to the next sync, as much for one under way, and the syncs themselves.
LOST_SECONDS_MAX = 2.3
QUIET_SECONDS_MAX = 60.0
EVER = float("inf")


@dataclass(slots=True)
class Result:
    """How a seed ended."""

    seed: int
    trail: list[str]
    failure: str = ""


class Scenario:
    """A run."""

    def __init__(self, world: World, loop: SimulatedLoop) -> None:
        self.world = world
        self.loop = loop
        self.chance = world.chance
        self.policy = self.chance.choice(("always", "everysec", "no"))
        self.cluster = Cluster(world, loop, 1)
        self.leader = self.cluster.nodes[0]
        self.clients = [
            Client(f"c{index}", self.chance, lambda: self.leader) for index in range(1, 4)
        ]
        self.safe_until = EVER  # what was acknowledged before is promised
        self.leader.on_end = self._leader_ended
        world.trail.note("", f"appendfsync {self.policy}")

    async def run(self) -> None:
        """Start everything, let the seed act, check."""
        for node in self.cluster.nodes:
            settings = json.dumps({"appendfsync": self.policy}).encode()
            node.disk.names["config"] = Inode(bytearray(settings), settings)
            node.disk.sync_names()
            node.start()
        for client in self.clients:
            running = self.loop.create_task(client.run(), context=client.context)
            running.add_done_callback(self._ended)
        for number in range(ROUNDS):
            self.world.trail.note("", f"round {number + 1}")
            await self._disturb()
            await self._check()

    def _leader_ended(self, safe_until: float) -> None:
        """No client may write on before it knows what became of its writes."""
        self.safe_until = min(self.safe_until, safe_until)
        for client in self.clients:
            client.needs_settling = True

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.loop.errors.append(error)

    async def _disturb(self) -> None:
        """Let things go wrong for a while."""
        end = self.loop.time() + self.chance.random() * ROUND_SECONDS
        while self.loop.time() < end:
            await asyncio.sleep(self.chance.random() * 0.7)
            self._fail_if_due()
            happening = self.chance.choice(self._happenings())
            happening()
            self._settle_all()
            await self._restart_what_stopped()

    def _happenings(self) -> tuple[Callable[[], None], ...]:
        return (
            self._nothing, self._nothing, self._crash, self._crash_in_operation, self._stop,
            self._fill_disk, self._free_disk, self._break_disk, self._jump_clock, self._shrink,
            self._shrink, self._shrink,
        )  # fmt: skip

    def _nothing(self) -> None:
        """Let the clients write."""

    def _any(self) -> Node:
        return self.chance.choice(self.cluster.nodes)

    def _crash(self) -> None:
        self._any().crash(loses_power=self.chance.random() < 0.6)

    def _crash_in_operation(self) -> None:
        count = self.chance.randrange(12)
        self._any().crash_after(count, loses_power=self.chance.random() < 0.6)

    def _stop(self) -> None:
        self._any().stop()

    def _fill_disk(self) -> None:
        node = self._any()
        node.disk.faults.room = self.chance.randrange(2000)
        node.note(f"has {node.disk.faults.room} bytes of room")

    def _free_disk(self) -> None:
        node = self._any()
        node.disk.faults.room = None
        node.note("has room")

    def _break_disk(self) -> None:
        node = self._any()
        operation = self.chance.choice(("write", "sync", "truncate", "rename", "create"))
        node.disk.faults.failures[operation] = self.chance.randint(1, 3)
        node.note(f"will fail to {operation}")

    def _shrink(self) -> None:
        self._tell(self._any(), b"AOFSHRINK")

    def _tell(self, node: Node, *words: bytes) -> None:
        """Send a command from a connection of its own."""
        context = contextvars.copy_context()
        context.run(CURRENT.set, Process("c0"))
        task = self.loop.create_task(self._say(node, words), context=context)
        task.add_done_callback(self._ended)

    async def _say(self, node: Node, words: Words) -> None:
        text = b" ".join(words).decode()
        try:
            _, caller = await self.loop.create_connection(Caller, *node.address)
        except OSError:
            node.note(f"can't be told: {text}")
            return
        assert isinstance(caller, Caller)
        caller.send(words)
        reply = await caller.reply()
        caller.close()
        node.note(f"{text}: {reply}")

    def _jump_clock(self) -> None:
        node = self._any()
        node.clock.ahead_seconds += self.chance.choice((-5, -1, 0.5, 3))
        node.note(f"is {node.clock.ahead_seconds} s ahead")

    def _fail_if_due(self) -> None:
        for error in self.loop.errors:
            if isinstance(error, BaseException):
                raise error
            raise AssertionError(error)

    async def _restart_what_stopped(self) -> None:
        for node in self.cluster.nodes:
            if node.process.is_alive or self.chance.random() < 0.3:
                continue
            node.start()
            await asyncio.sleep(self.chance.random() * 0.3)

    def _start_what_stopped(self) -> None:
        for node in self.cluster.nodes:
            if not node.process.is_alive:
                node.start()

    async def _until(self, what: str, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(QUIET_SECONDS_MAX):
                while not condition():
                    self._fail_if_due()
                    self._start_what_stopped()
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{what} never came true") from None

    async def _check(self) -> None:
        """Let everything recover, then look."""
        for client in self.clients:
            client.is_paused = True
        self.world.trail.note("", "recovery")
        self.cluster.network.heal()
        for node in self.cluster.nodes:
            node.disk.faults.clear()
            node.process.ops_left = None
        await self._until("clients rest", lambda: all(client.is_idle for client in self.clients))
        await self._until(
            "all are up and can write", lambda: all(map(_is_quiet, self.cluster.nodes))
        )
        # While a shrink puts its file in place they differ for a moment.
        await self._until(
            "aof_size is the file's",
            lambda: all(node.journal.size == len(node.log_bytes()) for node in self.cluster.nodes),
        )
        for node in self.cluster.nodes:
            self._check_log(node)
        await self._until("clients are settled", self._settle_all)
        for client in self.clients:
            self._settle(client)
            client.is_paused = False

    def _settle_all(self) -> bool:
        """Find out what became of the writes of clients that lost their connection."""
        waiting = [client for client in self.clients if client.needs_settling]
        if not self.leader.is_serving:
            return not waiting
        for client in waiting:
            if client.is_idle and client.is_apart:
                self._settle(client)
        if any(client.needs_settling for client in waiting):
            return False
        self.safe_until = EVER
        return True

    def _settle(self, client: Client) -> None:
        moment = self.safe_until
        if moment != EVER:
            lost_seconds = {"always": 0.0, "everysec": LOST_SECONDS_MAX, "no": EVER}
            moment -= lost_seconds[self.policy]
        count = client.history.acknowledged_before(moment)
        total = len(client.history.writes)
        oracle.settle(client.history, client.name, self.leader.engine, count)
        self.world.trail.note(
            client.name, f"{len(client.history.writes)} of {total} writes, {count} promised"
        )
        client.needs_settling = False

    def _check_log(self, node: Node) -> None:
        log = node.log_bytes()
        live = oracle.read_state(node.engine)
        oracle.must_equal(
            f"{node.name}: the log and the data", oracle.read_state(oracle.replayed(log)), live
        )


def _is_quiet(node: Node) -> bool:
    return node.is_serving and not node.journal.is_dirty and node.journal.error is None


def run_seed(seed: int) -> Result:
    """Run one seed."""
    chance = random.Random(seed)
    trail = Trail(lambda: 0.0)
    world = World(chance, trail)
    loop = SimulatedLoop(world)
    trail.now = loop.time
    failure = ""
    scenario = Scenario(world, loop)
    try:
        with scenario.cluster.in_place():
            loop.run_until_complete(scenario.run())
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the seed's failure
        failure = f"{type(error).__name__}: {error}"
        trail.note("", failure)
    finally:
        asyncio.set_event_loop(None)
    return Result(seed, trail.lines, failure)
