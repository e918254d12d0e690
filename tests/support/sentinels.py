"""Three Redis Sentinel processes with the sample configuration in config/."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from tests.support.brokers import Broker, free_port, program
from tests.support.process import ROOT

NAME = "tile38"
SAMPLE = ROOT / "config" / "sentinel.conf"


@dataclass(frozen=True)
class TlsFiles:
    """The files with which sentinels, and their clients, speak TLS to everybody."""

    certificate: Path
    key: Path
    authority: Path

    @property
    def lines(self) -> Sequence[str]:
        """The lines of the configuration file."""
        return [
            "tls-replication yes",
            f"tls-cert-file {self.certificate}",
            f"tls-key-file {self.key}",
            f"tls-ca-cert-file {self.authority}",
        ]

    def client(self, port: int) -> Redis:
        """Return a client of a sentinel."""
        return Redis(
            "127.0.0.1",
            port,
            socket_timeout=5,
            ssl=True,
            ssl_certfile=str(self.certificate),
            ssl_keyfile=str(self.key),
            ssl_ca_certs=str(self.authority),
        )


@contextmanager
def sentinels(
    folder: Path, leader_port: int, tls: TlsFiles | None = None
) -> Iterator[Sequence[Redis]]:
    """Run three sentinels that watch a leader; yield connections to them."""
    with ExitStack() as stack:
        clients: list[Redis] = []
        for number in range(3):
            own = folder / f"sentinel{number}"
            own.mkdir()
            port = free_port()
            (own / "sentinel.conf").write_text(settings(port, leader_port, tls), "utf-8")
            words = [program("redis-server"), "sentinel.conf", "--sentinel"]
            broker = Broker(words, own, port=port)
            stack.callback(broker.kill)
            broker.start()
            client = Redis("127.0.0.1", port, socket_timeout=5) if tls is None else tls.client(port)
            clients.append(stack.enter_context(client))
        yield clients


def settings(port: int, leader_port: int, tls: TlsFiles | None) -> str:
    """Return the sample configuration with test ports and a shorter time-out."""
    text = SAMPLE.read_text("utf-8")
    ports = f"port {port}" if tls is None else f"port 0\ntls-port {port}"
    for pattern, words in (
        (r"^port .*", f"{ports}\nbind 127.0.0.1"),
        (r"^sentinel monitor .*", f"sentinel monitor {NAME} 127.0.0.1 {leader_port} 2"),
        (r"(?<=down-after-milliseconds tile38 ).*", "1000"),
    ):
        text, count = re.subn(pattern, words, text, flags=re.MULTILINE)
        assert count == 1, pattern
    return "\n".join([text, *(tls.lines if tls is not None else ()), ""])


def knows_all(sentinel: Redis) -> bool:
    """Whether a sentinel knows two followers and the other two sentinels."""
    state = sentinel.sentinel_master(NAME)
    assert isinstance(state, dict)
    return bool(state["num-slaves"] == 2 and state["num-other-sentinels"] == 2)
