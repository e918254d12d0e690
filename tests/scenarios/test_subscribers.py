"""Many subscribers and slow ones: messages arrive, writers don't wait, memory is bounded."""

import asyncio
import socket
from pathlib import Path

from tests.support.process import ServerProcess
from tests.support.resp import encode_command
from tests.support.waiting import wait_until

SUBSCRIBERS_COUNT = 1000
MESSAGES_COUNT = 50
MEBIBYTE = 1 << 20


def message(text: bytes) -> bytes:
    return encode_command([b"message", b"news", text])


def resident_bytes(server: ServerProcess) -> int:
    for line in Path(f"/proc/{server.process_id}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def test_a_thousand_subscribers_get_every_message_in_order(server: ServerProcess) -> None:
    texts = [b"message %d" % number for number in range(MESSAGES_COUNT)]
    expected = b"".join(map(message, texts))

    async def listen(are_ready: asyncio.Barrier) -> bool:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(encode_command([b"SUBSCRIBE", b"news"]))
        await reader.readuntil(b":1\r\n")
        await are_ready.wait()
        received = await reader.readexactly(len(expected))
        writer.close()
        return received == expected

    async def publish(are_ready: asyncio.Barrier) -> bool:
        reader, writer = await asyncio.open_connection(*server.address)
        await are_ready.wait()
        for text in texts:
            writer.write(encode_command([b"PUBLISH", b"news", text]))
        replies = await reader.readexactly(MESSAGES_COUNT * len(b":1000\r\n"))
        writer.close()
        return replies == b":1000\r\n" * MESSAGES_COUNT

    async def run() -> list[bool]:
        are_ready = asyncio.Barrier(SUBSCRIBERS_COUNT + 1)
        listeners = [listen(are_ready) for _ in range(SUBSCRIBERS_COUNT)]
        async with asyncio.timeout(25):
            return await asyncio.gather(*listeners, publish(are_ready))

    assert all(asyncio.run(run()))


def test_a_subscriber_that_reads_nothing_is_cut_and_delays_nobody(tmp_path: Path) -> None:
    with (
        ServerProcess(tmp_path, ["-v"]) as server,
        server.connect() as publisher,
        server.connect() as quick,
        socket.create_connection(server.address, 10) as slow,
    ):
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(encode_command([b"SUBSCRIBE", b"news"]))
        assert slow.recv(1)
        quick.call("SUBSCRIBE", "other")
        before = resident_bytes(server)
        text = b"x" * MEBIBYTE
        counts = [publisher.call("PUBLISH", "news", text) for _ in range(60)]
        assert counts[0] == ":1"
        wait_until(lambda: publisher.call("PUBLISH", "news", b"") == ":0", what="a cut")
        assert resident_bytes(server) - before < 100 * MEBIBYTE
        assert "takes no messages, connection cut" in server.log()
        assert publisher.call("PUBLISH", "other", "x") == ":1"


def test_a_monitor_sees_what_others_do(server: ServerProcess) -> None:
    with server.connect() as client, socket.create_connection(server.address, 10) as monitor:
        monitor.sendall(b"MONITOR\r\n")
        assert monitor.recv(100) == b"+OK\r\n"
        client.call("SET", "fleet", "a", "POINT", 1, 2)
        line = monitor.recv(1000)
        assert line.endswith(b'] "SET" "fleet" "a" "POINT" "1" "2"\r\n')
        monitor.sendall(b"x\r\n")
        assert monitor.recv(100) == b""
