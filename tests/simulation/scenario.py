"""One seed: machines, clients and what befalls them; now and then all is healed and checked."""

import asyncio
import contextlib
import contextvars
import json
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass

from tests.simulation import oracle
from tests.simulation.client import Caller, Client
from tests.simulation.disk import Inode
from tests.simulation.loop import SimulatedLoop
from tests.simulation.machine import CURRENT, Process, Trail, World
from tests.simulation.mishaps import Mishaps
from tests.simulation.node import NEVER, Cluster, Node
from tests.simulation.words import Words

ROUNDS = 3
ROUND_SECONDS = 3.0
LONG_ROUND_SECONDS = 10.0
PAUSE_SECONDS = 0.7  # between two events, at most
QUIET_SECONDS_MAX = 90.0  # for everything to recover
LEAVE_SECONDS_MAX = 10.0  # for clients to leave a leader
ANSWER_SECONDS_MAX = 5.0  # for a command by itself
SLOW_REWRITE_SECONDS = 5.0  # longer than everysec lets a write wait to be safe
SETTLE_SECONDS_MAX = 3.0  # for clients to see what a server has that started anew
EVER = float("inf")


@dataclass(slots=True)
class Result:
    """How a seed ended."""

    seed: int
    trail: list[str]
    failure: str = ""


class Scenario:
    """A run."""

    def __init__(
        self, world: World, loop: SimulatedLoop, *, machine_count: int | None = None
    ) -> None:
        self.trail = world.trail
        self.loop = loop
        self.chance = world.chance
        self.policy = self.chance.choice(("always", "everysec", "no"))
        self.cluster = Cluster(world, loop, machine_count or self.chance.choice((1, 2, 3)))
        self.nodes = self.cluster.nodes
        self.leader = self.nodes[0]
        slow_seconds = self.chance.choice((0, 0, 0, SLOW_REWRITE_SECONDS))
        self.cluster.system.rewrite_seconds_max = slow_seconds
        # Followers that shrink their own logs have other bytes than their leader; so has one whose
        # slow rewrite began while it led.
        self.followers_shrink = slow_seconds > 0 or self.chance.random() < 0.3
        # By themselves, too: at each start, and later if much was written.
        self.size_min = self.chance.choice((0, 0, 1000, 20_000)) if self.followers_shrink else 0
        self.clients = [
            Client(f"c{index}", self.chance, lambda: self.leader) for index in range(1, 4)
        ]
        self.mishaps = Mishaps(self.chance, self.nodes, self.cluster.network)
        self.followed: dict[Node, str] = {}  # whom each follows, in its words
        self.joined: dict[Node, tuple[Process, Process]] = {}  # which runs caught up with which
        self.promised_until = EVER  # what was acknowledged before has to be there
        self.trail.note("", f"{len(self.nodes)} machines, appendfsync {self.policy}")

    async def run(self) -> None:
        """Start everything, let the seed act, check."""
        await self._start_all()
        for client in self.clients:
            self._spawn(client.run(), client.process)
        for number in range(ROUNDS):
            self.trail.note("", f"round {number + 1}")
            await self._disturb()
            await self._recover()
            await self._check()

    async def _start_all(self) -> None:
        """Start the machines, the first as the leader of the others."""
        for node in self.nodes:
            settings = json.dumps(
                {"appendfsync": self.policy, "aofshrink-min-size": str(self.size_min)}
            ).encode()
            node.disk.names["config"] = Inode(bytearray(settings), settings)
            node.disk.sync_names()
            node.policy = self.policy
            node.on_end = self._node_ended
            node.on_log = self._heard
            node.start()
        await self._until("all are up", lambda: all(node.is_serving for node in self.nodes))
        await self._arrange()

    def _heard(self, node: Node, text: str) -> None:
        """Find out from a server's log whom it follows."""
        if text.startswith("following "):
            self.followed[node] = text
            node.has_followed |= "host" in text
        elif text == "caught up" and self.leader.address[0] in self.followed.get(node, ""):
            # Its data are now what the leader's were at some moment, unless it listens to a run of
            # the leader that is over without its having heard of that.
            leader = self.leader.process
            if self.cluster.network.are_linked(node.process, leader):
                self.joined[node] = (node.process, leader)

    def _node_ended(self, node: Node, promised_until: float) -> None:
        """No client may write on before it knows what became of its writes."""
        if node is self.leader:
            self._unsettle(promised_until)

    def _unsettle(self, promised_until: float) -> None:
        self.promised_until = min(self.promised_until, promised_until)
        for client in self.clients:
            client.needs_settling = True
            client.meets_restart = promised_until != NEVER

    async def _disturb(self) -> None:
        """Let things go wrong for a while."""
        longest = LONG_ROUND_SECONDS if self.chance.random() < 0.2 else ROUND_SECONDS
        end = self.loop.time() + self.chance.random() * longest
        while self.loop.time() < end:
            await asyncio.sleep(self.chance.random() * PAUSE_SECONDS)
            self._fail_if_due()
            kind = self.chance.random()
            if kind < 0.25:
                self._shrink()
            elif kind < 0.35 and len(self.nodes) > 1:
                await self._promote()
            elif kind < 0.4:
                await self._crash_twice()
            elif kind < 0.42:
                await self._empty()
            else:
                self.chance.choice(self.mishaps.kinds)()
            self._settle_all()
            if self.chance.random() < 0.7:
                self._start_what_stopped()

    def _shrink(self) -> None:
        node = self.chance.choice(self.nodes) if self.followers_shrink else self.leader
        self._spawn(self._say(node, b"AOFSHRINK"), Process("c0"))
        if self.chance.random() < 0.3:
            # What a rewrite leaves unsynced is soon synced by others: the moment has to be near.
            mishaps = self.mishaps
            self.chance.choice((mishaps.lose_power_soon, mishaps.lose_power_at_swap_of))(node)

    async def _crash_twice(self) -> None:
        """Kill the leader, and have it lose power as soon as clients saw what it then has."""
        leader = self.leader
        leader.crash(loses_power=False)
        self._start_what_stopped()
        with contextlib.suppress(AssertionError):
            await self._until("settled", self._settle_all, seconds_max=SETTLE_SECONDS_MAX)
            leader.crash(loses_power=True)

    async def _empty(self) -> None:
        """Have the leader forget everything, between the writes of all clients."""
        words = (b"FLUSHDB",)
        async with self._clients_away():
            if not self._settle_all() or not self.leader.is_serving:
                return
            writes = [client.history.add(words) for client in self.clients]
            reply = await self._tell(self.leader, *words)
            for client, write in zip(self.clients, writes, strict=True):
                client.learn(write, reply)

    async def _promote(self) -> None:
        """Make a follower the leader, as Sentinel does it."""
        present = self.leader.process
        candidates = [
            node
            for node in self.nodes
            if node.is_readable and self.joined.get(node) == (node.process, present)
        ]
        if not candidates:
            return
        chosen = self.chance.choice(candidates)
        async with self._clients_away():
            if await self._tell(chosen, b"FOLLOW", b"no", b"one") == "+OK":
                self.leader = chosen
                self.joined.clear()
                self._unsettle(NEVER)
                for node in self.nodes:
                    if node is not chosen and self.chance.random() < 0.7:
                        self._spawn(self._say(node, *self._follow_words()), Process("c0"))

    @contextlib.asynccontextmanager
    async def _clients_away(self) -> AsyncIterator[None]:
        """Nothing of a client's arrives anywhere for the length of a block."""
        for client in self.clients:
            client.is_paused = True
            client.drop()
        try:
            await self._until("clients left", self._are_apart, seconds_max=LEAVE_SECONDS_MAX)
            yield
        finally:
            for client in self.clients:
                client.is_paused = False

    def _are_apart(self) -> bool:
        return all(client.is_idle and client.is_apart for client in self.clients)

    def _follow_words(self) -> Words:
        host, port = self.leader.address
        return (b"FOLLOW", host.encode(), str(port).encode())

    async def _recover(self) -> None:
        """Let everything heal."""
        self.trail.note("", f"recovery, {self.leader.name} leads")
        for client in self.clients:
            client.is_paused = True
        self.cluster.network.heal()
        for node in self.nodes:
            node.disk.faults.clear()
            node.process.ops_left = node.process.ops_left_at_swap = None
        await self._until("clients rest", lambda: all(client.is_idle for client in self.clients))
        await self._until("all can write", lambda: all(map(_is_quiet, self.nodes)))
        await self._until("clients are settled", self._settle_all)
        await self._arrange()

    async def _arrange(self) -> None:
        """See that the leader leads and the others follow."""
        if len(self.nodes) == 1:
            return
        for node in (self.leader, *(node for node in self.nodes if node is not self.leader)):
            words = (b"FOLLOW", b"no", b"one") if node is self.leader else self._follow_words()
            for _ in range(20):
                if await self._tell(node, *words) == "+OK":
                    break
                self._start_what_stopped()
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                raise AssertionError(f"{node.name} refuses {words!r}")

    async def _check(self) -> None:
        """Everything has to be in order."""
        # While a shrink puts its file in place they differ for a moment.
        await self._until(
            "aof_size is the file's",
            lambda: all(node.journal.size == len(node.log_bytes()) for node in self.nodes),
        )
        for node in self.nodes:
            if node is not self.leader:
                await self._check_follower(node)
        for node in self.nodes:
            self._check_log(node)
        for client in self.clients:
            self._settle(client)
            client.is_paused = False

    async def _check_follower(self, node: Node) -> None:
        try:
            await self._until(f"{node.name} is as its leader", lambda: self._is_alike(node))
        except AssertionError:
            if node.is_readable:
                expected = oracle.read_state(self.leader.engine)
                oracle.must_equal(
                    f"{node.name} and its leader", expected, oracle.read_state(node.engine)
                )
            raise

    def _is_alike(self, node: Node) -> bool:
        if not node.is_readable or node.journal.is_dirty:
            return False
        if oracle.read_state(node.engine) != oracle.read_state(self.leader.engine):
            return False
        return self.followers_shrink or node.log_bytes() == self.leader.log_bytes()

    def _check_log(self, node: Node) -> None:
        log = node.log_bytes()
        data, live = oracle.read_state(oracle.replayed(log)), oracle.read_state(node.engine)
        # What expired on a follower isn't in its log.
        oracle.must_equal(f"{node.name}: log and data", data, live, may_expire=node.has_followed)

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
        if self.promised_until == NEVER:
            for client in self.clients:
                client.history.forget_promises()
        self.promised_until = EVER
        return True

    def _settle(self, client: Client) -> None:
        writes = client.history.writes
        total, count = len(writes), client.history.acknowledged_before(self.promised_until)
        oracle.settle(client.history, client.name, self.leader.engine, count)
        if writes and client.meets_restart and self.promised_until != NEVER:
            # What a server has that started anew is safe, since clients see it.
            writes[-1].acknowledged_at = self.loop.time()
        client.meets_restart = False
        self.trail.note(client.name, f"{len(writes)} of {total} writes, {count} promised")
        client.needs_settling = False

    def _fail_if_due(self) -> None:
        for error in self.loop.errors:
            if isinstance(error, BaseException):
                raise error
            raise AssertionError(error)

    def _spawn(self, work: Coroutine[object, object, object], process: Process) -> None:
        """Run something beside, whose failure is the seed's."""
        context = contextvars.copy_context()
        context.run(CURRENT.set, process)
        task = self.loop.create_task(work, context=context)
        task.add_done_callback(self._spawned_ended)

    def _spawned_ended(self, task: asyncio.Task[object]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.loop.errors.append(error)

    async def _tell(self, node: Node, *words: bytes) -> str:
        """Send a command from a connection of its own; the reply, empty if none came."""
        context = contextvars.copy_context()
        context.run(CURRENT.set, Process("c0"))
        return await self.loop.create_task(self._say(node, *words), context=context)

    async def _say(self, node: Node, *words: bytes) -> str:
        text = b" ".join(words).decode()
        try:
            _, caller = await self.loop.create_connection(Caller, *node.address)
        except OSError:
            node.note(f"can't be told: {text}")
            return ""
        assert isinstance(caller, Caller)
        caller.send(words)
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                reply = str(await caller.reply())
        except TimeoutError:
            reply = ""
        caller.close()
        node.note(f"{text}: {reply}")
        return reply

    def _start_what_stopped(self) -> None:
        for node in self.nodes:
            if not node.process.is_alive:
                node.start()

    async def _until(
        self, what: str, condition: Callable[[], bool], *, seconds_max: float = QUIET_SECONDS_MAX
    ) -> None:
        try:
            async with asyncio.timeout(seconds_max):
                while not condition():
                    self._fail_if_due()
                    self._start_what_stopped()
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"never: {what}") from None


def _is_quiet(node: Node) -> bool:
    return node.is_serving and not node.journal.is_dirty and node.journal.error is None


def run_seed(seed: int) -> Result:
    """Run one seed."""
    return run_scenario(seed, Scenario)


def run_scenario(seed: int, make: Callable[[World, SimulatedLoop], Scenario]) -> Result:
    """Run a scenario of some kind."""
    chance = random.Random(seed)
    trail = Trail(lambda: 0.0)
    world = World(chance, trail)
    loop = SimulatedLoop(world)
    trail.now = loop.time
    failure = ""
    scenario = make(world, loop)
    try:
        with scenario.cluster.in_place():
            loop.run_until_complete(scenario.run())
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the seed's failure
        failure = f"{type(error).__name__}: {error}"
        trail.note("", failure)
    finally:
        asyncio.set_event_loop(None)
    return Result(seed, trail.lines, failure)
