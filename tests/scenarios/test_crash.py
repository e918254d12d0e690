"""A server that is killed under load has every write that it acknowledged, each time."""

import random
from pathlib import Path

import pytest

from tests.support.process import ServerProcess
from tests.support.waiting import wait_until
from tests.support.writers import RecordingWriter, WriterThreads

WRITERS = 3


def wait_for_writes(load: WriterThreads, count: int) -> None:
    wait_until(lambda: load.acknowledged >= count, what=f"{count} acknowledged writes")


def kill_under_load(folder: Path, rounds: int) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    writers = [RecordingWriter(f"writer-{number}") for number in range(WRITERS)]
    with ServerProcess(folder) as server:
        for _ in range(rounds):
            assert server.call("CONFIG", "SET", "appendfsync", "always") == "+OK"
            with WriterThreads(server, writers) as load:
                wait_for_writes(load, load.acknowledged + chance.randrange(50, 2000))
                server.kill()
            assert not any(writer.refused for writer in writers)
            server.start()
            with server.connect() as connection:
                for writer in writers:
                    assert not writer.missing(connection)


def test_every_acknowledged_write_survives_kills(tmp_path: Path) -> None:
    kill_under_load(tmp_path, rounds=3)


def test_a_load_ends_with_a_test_that_fails_under_it(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        with (
            pytest.raises(TimeoutError),
            WriterThreads(server, [RecordingWriter("writer")]) as load,
        ):
            wait_for_writes(load, 1)
            raise TimeoutError
        assert not any(thread.is_alive() for thread in load.threads)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_acknowledged_write_survives_many_kills(tmp_path: Path) -> None:
    kill_under_load(tmp_path, rounds=40)


def test_replacing_an_object_survives_a_kill(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        with server.connect() as connection:
            for step in range(500):
                position = ("POINT", 10 + step / 1000, 20)
                words = ("SET", "fleet", "truck", "FIELD", "step", step + 1, *position)
                assert connection.call(*words) == "+OK"
        server.kill()
        server.start()
        assert server.call("FGET", "fleet", "truck", "step") == "$ 500"
        assert server.call("GET", "fleet", "truck", "POINT") == ["$ 10.499", "$ 20"]
