"""The scenario of a seed: machines, clients and faults, in rounds that end with checks."""

import asyncio
import contextlib
import contextvars
import json
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass

from tests.simulation import oracle
from tests.simulation.client import ClientConnection, WritingClient
from tests.simulation.disk import Inode
from tests.simulation.fault_injection import FaultInjector
from tests.simulation.loop import SimulatedLoop
from tests.simulation.machine import CURRENT, SimulatedProcess, SimulationContext, Trace
from tests.simulation.node import NEVER, Node, SimulatedCluster
from tests.simulation.random_commands import Words

ROUNDS = 3
ROUND_SECONDS = 3.0
LONG_ROUND_SECONDS = 10.0
PAUSE_SECONDS = 0.7  # between two faults, at most
RECOVERY_SECONDS_MAX = 90.0  # for all servers to recover
LEAVE_SECONDS_MAX = 10.0  # for clients to disconnect from a leader
REPLY_SECONDS_MAX = 5.0  # for a single command
SLOW_REWRITE_SECONDS = 5.0  # longer than everysec delays a sync
SETTLE_SECONDS_MAX = 3.0  # for clients to compare their writes with a restarted server
EVER = float("inf")


@dataclass(slots=True)
class SeedResult:
    """The result of a seed."""

    seed: int
    trace: list[str]
    failure: str = ""


class Scenario:
    """A run of machines and clients under random faults."""

    def __init__(
        self, simulation: SimulationContext, loop: SimulatedLoop, *, node_count: int | None = None
    ) -> None:
        self.trace = simulation.trace
        self.loop = loop
        self.chance = simulation.chance
        self.policy = self.chance.choice(("always", "everysec", "no"))
        count = node_count or self.chance.choice((1, 2, 3))
        self.cluster = SimulatedCluster(simulation, loop, count)
        self.nodes = self.cluster.nodes
        self.leader = self.nodes[0]
        slow_seconds = self.chance.choice((0, 0, 0, SLOW_REWRITE_SECONDS))
        self.cluster.system.rewrite_seconds_max = slow_seconds
        # The log of a follower that shrinks it differs from its leader's; so does that of a former
        # leader whose slow rewrite began before it became a follower.
        self.followers_shrink = slow_seconds > 0 or self.chance.random() < 0.3
        # For automatic rewrites: at each start, and after many writes.
        self.size_min = self.chance.choice((0, 0, 1000, 20_000)) if self.followers_shrink else 0
        self.clients = [
            WritingClient(f"c{index}", self.chance, lambda: self.leader) for index in range(1, 4)
        ]
        self.injector = FaultInjector(self.chance, self.nodes, self.cluster.network)
        self.followed: dict[Node, str] = {}  # the log line that names the leader of each
        # The follower's run and the leader's run that it caught up with.
        self.joined: dict[Node, tuple[SimulatedProcess, SimulatedProcess]] = {}
        self.promised_until = EVER  # writes that were acknowledged before have to survive
        self.trace.note("", f"{len(self.nodes)} machines, appendfsync {self.policy}")

    async def run(self) -> None:
        """Start all machines and clients; then disturb, recover and check in rounds."""
        await self._start_all()
        for client in self.clients:
            self._spawn(client.run(), client.process)
        for number in range(ROUNDS):
            self.trace.note("", f"round {number + 1}")
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
            node.on_log = self._note_leader
            node.start()
        await self._until("all are up", lambda: all(node.is_serving for node in self.nodes))
        await self._arrange()

    def _note_leader(self, node: Node, text: str) -> None:
        """Learn from a line of a server's log which leader it follows."""
        if text.startswith("following "):
            self.followed[node] = text
            node.has_followed |= "host" in text
        elif text == "caught up" and self.leader.address[0] in self.followed.get(node, ""):
            # Its data now equal the leader's at some moment, unless its connection is to a former
            # run of the leader whose end it hasn't noticed.
            leader = self.leader.process
            if self.cluster.network.are_linked(node.process, leader):
                self.joined[node] = (node.process, leader)

    def _node_ended(self, node: Node, promised_until: float) -> None:
        """Stop the clients until the outcome of their writes is known, if the leader ended."""
        if node is self.leader:
            self._unsettle(promised_until)

    def _unsettle(self, promised_until: float) -> None:
        self.promised_until = min(self.promised_until, promised_until)
        for client in self.clients:
            client.needs_settling = True
            client.meets_restart = promised_until != NEVER

    async def _disturb(self) -> None:
        """Inject faults for a while."""
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
                self.chance.choice(self.injector.kinds)()
            self._settle_all()
            if self.chance.random() < 0.7:
                self._start_what_stopped()

    def _shrink(self) -> None:
        node = self.chance.choice(self.nodes) if self.followers_shrink else self.leader
        self._spawn(self._say(node, b"AOFSHRINK"), SimulatedProcess("c0"))
        if self.chance.random() < 0.3:
            # Other syncs soon cover unsynced data of a rewrite, so the power loss has to be near.
            injector = self.injector
            self.chance.choice((injector.lose_power_soon, injector.lose_power_at_swap_of))(node)

    async def _crash_twice(self) -> None:
        """Kill the leader; let it lose power as soon as clients have seen its state."""
        leader = self.leader
        leader.crash(loses_power=False)
        self._start_what_stopped()
        with contextlib.suppress(AssertionError):
            await self._until("settled", self._settle_all, seconds_max=SETTLE_SECONDS_MAX)
            leader.crash(loses_power=True)

    async def _empty(self) -> None:
        """Send FLUSHDB to the leader, between the writes of all clients."""
        words = (b"FLUSHDB",)
        async with self._clients_away():
            if not self._settle_all() or not self.leader.is_serving:
                return
            writes = [client.history.add(words) for client in self.clients]
            reply = await self._tell(self.leader, *words)
            for client, write in zip(self.clients, writes, strict=True):
                client.record_reply(write, reply)

    async def _promote(self) -> None:
        """Make a follower the leader, as Redis Sentinel does."""
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
                        self._spawn(self._say(node, *self._follow_words()), SimulatedProcess("c0"))

    @contextlib.asynccontextmanager
    async def _clients_away(self) -> AsyncIterator[None]:
        """Disconnect all clients for the length of a block."""
        for client in self.clients:
            client.is_paused = True
            client.drop()
        try:
            away = self._are_disconnected
            await self._until("clients are away", away, seconds_max=LEAVE_SECONDS_MAX)
            yield
        finally:
            for client in self.clients:
                client.is_paused = False

    def _are_disconnected(self) -> bool:
        return all(client.is_idle and client.is_disconnected for client in self.clients)

    def _follow_words(self) -> Words:
        host, port = self.leader.address
        return (b"FOLLOW", host.encode(), str(port).encode())

    async def _recover(self) -> None:
        """End all faults and wait until all servers and clients have recovered."""
        self.trace.note("", f"recovery, {self.leader.name} leads")
        for client in self.clients:
            client.is_paused = True
        self.cluster.network.heal()
        for node in self.nodes:
            node.disk.faults.clear()
            node.process.operations_left = node.process.operations_left_at_swap = None
        await self._until("clients idle", lambda: all(client.is_idle for client in self.clients))
        await self._until("all can write", lambda: all(map(_has_recovered, self.nodes)))
        await self._until("clients are settled", self._settle_all)
        await self._arrange()

    async def _arrange(self) -> None:
        """Send FOLLOW to all servers: to the leader no one, to the others the leader."""
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
        """Check followers, logs and the writes of all clients."""
        # Both sizes differ for a moment while a shrink replaces the file.
        await self._until(
            "aof_size is the size of the file",
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
            await self._until(f"{node.name} equals its leader", lambda: self._equals_leader(node))
        except AssertionError:
            if node.is_readable:
                expected = oracle.read_state(self.leader.engine)
                oracle.must_equal(
                    f"{node.name} and its leader", expected, oracle.read_state(node.engine)
                )
            raise

    def _equals_leader(self, node: Node) -> bool:
        if not node.is_readable or node.journal.is_dirty:
            return False
        if oracle.read_state(node.engine) != oracle.read_state(self.leader.engine):
            return False
        return self.followers_shrink or node.log_bytes() == self.leader.log_bytes()

    def _check_log(self, node: Node) -> None:
        log = node.log_bytes()
        engine = oracle.replayed(log)
        data, live = oracle.read_state(engine), oracle.read_state(node.engine)
        # A follower doesn't log what expires on it.
        oracle.must_equal(f"{node.name}: log and data", data, live, may_expire=node.has_followed)
        wrong = oracle.differences(oracle.read_visits(engine), oracle.read_visits(node.engine))
        assert not wrong, "\n".join([f"{node.name}: visits in log and memory:", *wrong])

    def _settle_all(self) -> bool:
        """Settle the writes of clients with lost connections. Return whether all are settled."""
        waiting = [client for client in self.clients if client.needs_settling]
        if not self.leader.is_serving:
            return not waiting
        for client in waiting:
            if client.is_idle and client.is_disconnected:
                self._settle(client)
        if any(client.needs_settling for client in waiting):
            return False
        if self.promised_until == NEVER:
            for client in self.clients:
                client.history.forget_acknowledgements()
        self.promised_until = EVER
        return True

    def _settle(self, client: WritingClient) -> None:
        writes = client.history.writes
        total, count = len(writes), client.history.acknowledged_before(self.promised_until)
        oracle.settle(client.history, client.name, self.leader.engine, count)
        if writes and client.meets_restart and self.promised_until != NEVER:
            # The writes that a restarted server shows to clients must survive from now on.
            writes[-1].acknowledged_at = self.loop.time()
        client.meets_restart = False
        self.trace.note(client.name, f"{len(writes)} of {total} writes, {count} must survive")
        client.needs_settling = False

    def _fail_if_due(self) -> None:
        for error in self.loop.errors:
            if isinstance(error, BaseException):
                raise error
            raise AssertionError(error)

    def _spawn(self, work: Coroutine[object, object, object], process: SimulatedProcess) -> None:
        """Run a task whose failure fails the seed."""
        context = contextvars.copy_context()
        context.run(CURRENT.set, process)
        task = self.loop.create_task(work, context=context)
        task.add_done_callback(self._spawned_ended)

    def _spawned_ended(self, task: asyncio.Task[object]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.loop.errors.append(error)

    async def _tell(self, node: Node, *words: bytes) -> str:
        """Send a command on a new connection; return the reply, empty if none came."""
        context = contextvars.copy_context()
        context.run(CURRENT.set, SimulatedProcess("c0"))
        return await self.loop.create_task(self._say(node, *words), context=context)

    async def _say(self, node: Node, *words: bytes) -> str:
        text = b" ".join(words).decode()
        try:
            _, connection = await self.loop.create_connection(ClientConnection, *node.address)
        except OSError:
            node.note(f"can't be reached for {text}")
            return ""
        assert isinstance(connection, ClientConnection)
        connection.send(words)
        try:
            async with asyncio.timeout(REPLY_SECONDS_MAX):
                reply = str(await connection.reply())
        except TimeoutError:
            reply = ""
        connection.close()
        node.note(f"{text}: {reply}")
        return reply

    def _start_what_stopped(self) -> None:
        for node in self.nodes:
            if not node.process.is_alive:
                node.start()

    async def _until(
        self, what: str, condition: Callable[[], bool], *, seconds_max: float = RECOVERY_SECONDS_MAX
    ) -> None:
        try:
            async with asyncio.timeout(seconds_max):
                while not condition():
                    self._fail_if_due()
                    self._start_what_stopped()
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"never: {what}") from None


def _has_recovered(node: Node) -> bool:
    return node.is_serving and not node.journal.is_dirty and node.journal.error is None


def run_seed(seed: int) -> SeedResult:
    """Run the standard scenario with a seed."""
    return run_scenario(seed, Scenario)


def run_scenario(
    seed: int, make: Callable[[SimulationContext, SimulatedLoop], Scenario]
) -> SeedResult:
    """Run a scenario with a seed."""
    chance = random.Random(seed)
    trace = Trace(lambda: 0.0)
    simulation = SimulationContext(chance, trace)
    loop = SimulatedLoop(simulation)
    trace.now = loop.time
    failure = ""
    scenario = make(simulation, loop)
    try:
        with scenario.cluster.in_place():
            loop.run_until_complete(scenario.run())
    except Exception as error:  # noqa: BLE001  # any error fails the seed
        failure = f"{type(error).__name__}: {error}"
        trace.note("", failure)
    finally:
        asyncio.set_event_loop(None)
    return SeedResult(seed, trace.lines, failure)
