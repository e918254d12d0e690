"""The log rewritten under load: kills, a full disk, by itself, and backups to start on."""

import json
import random
import resource
import shutil
from pathlib import Path

import pytest

from tests.scenarios.test_crash import wait_for_writes
from tests.scenarios.test_full_disk import limit_files
from tests.support.process import ServerProcess
from tests.support.waiting import wait_until
from tests.support.writers import RecordingWriter, WriterThreads

WRITERS = 3
MOVES = 20_000
MOVERS = ("SCAN", "movers", "LIMIT", 100_000)


def figures(server: ServerProcess) -> dict[str, str]:
    """What INFO tells of the log."""
    text = str(server.call("INFO", "persistence", "aof")).replace("\\r\\n", "\r\n")
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def ended_count(server: ServerProcess) -> int:
    return int(figures(server)["aof_rewrites"])


def shrink(server: ServerProcess) -> None:
    before = ended_count(server)
    assert server.call("AOFSHRINK") == "+OK"
    wait_until(lambda: ended_count(server) > before, what="the end of a shrink")


def move(server: ServerProcess, count: int) -> None:
    """Let the log grow with little in it that lasts."""
    with server.connect() as connection:
        for start in range(0, count, 1000):
            batch = [
                ("SET", "movers", n % 500, "POINT", n / count, 1)
                for n in range(start, start + 1000)
            ]
            assert set(connection.call_many(batch)) == {"+OK"}


def names(server: ServerProcess) -> set[str]:
    return {path.name for path in server.data.iterdir()}


def test_the_log_shrinks_and_says_the_same(server: ServerProcess) -> None:
    move(server, MOVES)
    assert (
        server.call("SETCHAN", "c", "META", "m", "v", "NEARBY", "movers", "FENCE", "POINT", 1, 1, 5)
        == ":1"
    )
    log = server.data / "appendonly.aof"
    before = log.stat().st_size
    shrink(server)
    assert log.stat().st_size < before / 10
    assert figures(server)["aof_base_size"] == str(log.stat().st_size)
    assert log.stat().st_mode & 0o777 == 0o600
    assert "aof shrink ended" in server.log()
    live = server.call(*MOVERS), server.call("CHANS", "*")
    assert server.call("SET", "movers", "new", "POINT", 5, 5) == "+OK"
    assert server.call("DEL", "movers", "new") == ":1"
    server.kill()
    server.start()
    assert (server.call(*MOVERS), server.call("CHANS", "*")) == live


def kill_while_shrinking(folder: Path, rounds: int, policy: str) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    writers = [RecordingWriter(f"writer-{number}") for number in range(WRITERS)]
    with ServerProcess(folder) as server:
        move(server, MOVES)
        for _ in range(rounds):
            assert server.call("CONFIG", "SET", "appendfsync", policy) == "+OK"
            with WriterThreads(server, writers) as load:
                for _ in range(chance.randrange(1, 4)):
                    target = load.acknowledged + chance.randrange(200)
                    wait_for_writes(load, target)
                    server.call("AOFSHRINK")
                server.kill()
            assert not any(writer.refused for writer in writers)
            server.start()
            assert "appendonly.aof-shrink" not in names(server)
            with server.connect() as connection:
                for writer in writers:
                    assert not writer.missing(connection)


@pytest.mark.parametrize("policy", ["everysec", "always"])
def test_a_kill_amid_shrinks_loses_nothing(tmp_path: Path, policy: str) -> None:
    kill_while_shrinking(tmp_path, 3, policy)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("policy", ["everysec", "always"])
def test_many_kills_amid_shrinks_lose_nothing(tmp_path: Path, policy: str) -> None:
    kill_while_shrinking(tmp_path, 40, policy)


def test_a_stop_amid_a_shrink_is_clean(server: ServerProcess) -> None:
    writer = RecordingWriter("writer")
    move(server, MOVES)
    with WriterThreads(server, [writer]) as load:
        wait_until(lambda: load.acknowledged > 100)
        server.call("AOFSHRINK")
        assert server.stop() == 0
    server.start()
    with server.connect() as connection:
        assert not writer.missing(connection)


def test_a_full_disk_leaves_the_old_log_in_use(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        for number in range(8):
            assert server.call("SET", "big", number, "STRING", "x" * 100_000) == "+OK"
        assert server.call("DEL", "big", 0) == ":1"
        log = server.data / "appendonly.aof"
        size = log.stat().st_size
        limit_files(server, 500_000)
        shrink(server)
        assert figures(server)["aof_last_rewrite_status"] == "err"
        assert "aof shrink failed: File too large" in server.log()
        assert (names(server) >= {log.name}, log.stat().st_size) == (True, size)
        assert f"{log.name}-shrink" not in names(server)
        assert str(server.call("BACKUP", "one")) == "-ERR backup failed: File too large"
        limit_files(server, resource.RLIM_INFINITY)
        assert server.call("SET", "big", "more", "STRING", "y") == "+OK"
        shrink(server)
        assert figures(server)["aof_last_rewrite_status"] == "ok"
        server.kill()
        server.start()
        assert server.call("SCAN", "big", "COUNT") == ":8"


def test_the_log_shrinks_by_itself(server: ServerProcess) -> None:
    move(server, MOVES)
    assert server.call("CONFIG", "SET", "aofshrink-min-size", "100kb") == "+OK"
    assert server.call("CONFIG", "REWRITE") == "+OK"
    assert server.stop() == 0
    server.start()  # a look is the first thing after the load
    wait_until(lambda: ended_count(server) == 1, seconds_max=25, what="a shrink by itself")
    assert int(figures(server)["aof_current_size"]) < 100_000
    assert "it is rewritten" in server.log()


def test_a_backup_is_a_folder_to_start_on(server: ServerProcess, tmp_path: Path) -> None:
    move(server, MOVES)
    live = server.call(*MOVERS)
    with server.connect() as connection:
        assert str(connection.call("OUTPUT", "json")).startswith("$")
        reply = json.loads(str(connection.call("BACKUP", "daily")).removeprefix("$ "))
    path = Path(reply["path"])
    assert path == (server.data / "backups" / "daily").absolute()
    assert (reply["size"], reply["objects"]) == ((path / "appendonly.aof").stat().st_size, 500)
    assert server.call("DROP", "movers") == ":1"
    assert str(server.call("BACKUP", "daily")).startswith("-ERR a backup 'daily' exists")
    assert [entry.name for entry in path.parent.iterdir()] == ["daily"]
    folder = tmp_path / "restored"
    folder.mkdir()
    shutil.copytree(path, folder / "data")
    with ServerProcess(folder) as restored:
        assert restored.call(*MOVERS) == live
