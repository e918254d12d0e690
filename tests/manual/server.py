"""The server that examples run against: a Bench, and clients by name. Knows no page."""

from collections.abc import Iterator, Sequence

from tests.manual.console import shown, shown_json
from tests.support.bench import Bench
from tests.support.embedded import parse_replies
from tests.support.fakes import SECOND, FakeClient
from tests.support.resp import Reply
from tile38py.config.properties import (
    REQUIREPASS,
    SLOWLOG_LOG_SLOWER_THAN,
    SLOWLOG_MAX_LEN,
)
from tile38py.expiry import ExpirySweeper

REQUEST_NS = SECOND // 1000  # the clock moves by it with each request
GROUP_SEED = bytes.fromhex("0b44c3a5e1")  # of the group ids in messages of fences
SERVER_ID = "6f1c0a52d3b84e97a0c4d5e6f7081923"
MAIN = ""  # the name of the client whose prompt has none
JSON_NAME = "json"  # clients whose names end in it send OUTPUT json first


class ExampleServer:
    """A server that holds nothing, and clients by name, which connect with their first request."""

    def __init__(self) -> None:
        self.bench = Bench(is_developer=True)
        self.bench.config.identity.server_id = SERVER_ID
        self.bench.engine.set_fence_context(utc_offset=0, group_seed=GROUP_SEED)
        self.bench.config.on_change(self._apply_setting)
        self.clients: dict[str, FakeClient] = {MAIN: self.bench.client}
        self._sweeper = ExpirySweeper(
            engine=self.bench.engine,
            clock=self.bench.clock,
            journal=self.bench.journal,
            gates=self.bench.gates,
            router=self.bench.router,
            log=self.bench.log_lines.append,
        )

    def request(self, name: str, words: Sequence[bytes]) -> list[Reply]:
        """Send a request and return its replies: SUBSCRIBE has one for each channel."""
        client = self._client(name)
        replies = parse_replies(self.bench.call(*words, client=client))
        self.bench.clock.time_ns += REQUEST_NS
        if client.listener is not None:
            client.listener.send(b"", is_last=False)  # a follower's stream begins behind replies
        return replies

    def received(self) -> Iterator[tuple[str, list[str]]]:
        """Return the messages that clients got unasked: a client's name and the lines."""
        self._settle()
        for name, client in list(self.clients.items()):
            for reply in parse_replies(client.taken()):
                yield name, self.lines(name, reply)
            if client.is_gone:
                del self.clients[name]
                self.bench.clients.remove(client)
                yield name, ["(connection closed)"]

    def lines(self, name: str, reply: Reply) -> list[str]:
        """Return the lines of a reply, as that client shows it."""
        is_json = name.endswith(JSON_NAME) or str(reply).startswith('$ {"ok":')
        return shown_json(reply) if is_json else shown(reply)

    def wait(self, seconds: float) -> None:
        """Let time pass and remove objects that have expired."""
        self.bench.clock.time_ns += round(seconds * SECOND)
        self._sweeper.sweep()

    def _settle(self) -> None:
        """Write the log and run the callbacks and threads that wait for it."""
        self.bench.fake_journal.flush()
        loop = self.bench.loop
        while loop.soon or loop.threads:
            loop.turn()
            loop.end_threads()

    def _apply_setting(self, _name: str) -> None:
        """Apply the settings that examples change; the server's own way needs a real log."""
        config, gates = self.bench.config, self.bench.gates
        gates.requires_password = bool(config.get(REQUIREPASS))
        gates.apply()
        self.bench.slow_log.configure(
            microseconds=config.get(SLOWLOG_LOG_SLOWER_THAN),
            count_max=config.get(SLOWLOG_MAX_LEN),
        )

    def _client(self, name: str) -> FakeClient:
        if name not in self.clients:
            self.clients[name] = client = self.bench.new_client()
            client.created_ns = client.active_ns = self.bench.clock.now_ns()
            if name.endswith(JSON_NAME):
                self.bench.call("OUTPUT", "json", client=client)
        return self.clients[name]
