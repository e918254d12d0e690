"""tile38py-benchmark against servers: results, error replies, lost servers."""

import csv
import socket
from pathlib import Path

from tests.support.prepared_answers import serve_answers
from tests.support.process import ServerProcess
from tests.support.tools import run_benchmark

NAMES = ["PING", "SET (point)", "SET (rect)", "SET (line)", "SET (string)", "GET (point)"]


def test_every_test_runs_without_error_replies(server: ServerProcess) -> None:
    for options in ([], ["--json"]):
        done = run_benchmark(server, "-n", "200", "-c", "5", "-P", "3", "--csv", *options)
        assert (done.returncode, done.stderr) == (0, "")
        rows = list(csv.reader(done.stdout.splitlines()))
        assert [row[0] for row in rows[:6]] == NAMES
        assert {row[0].split(" ")[0] for row in rows} >= {"INTERSECTS", "WITHIN", "NEARBY", "EVAL"}
        for row in rows:
            rate, *latencies = map(float, row[1:7])
            assert rate > 0
            assert latencies == sorted(latencies)
            assert row[7] == "0"


def test_all_requests_are_sent_whatever_clients_and_pipeline(server: ServerProcess) -> None:
    for options in ("-c 1 -P 1", "-c 7 -P 10", "-c 50 -P 7 --threads 3", "-c 200 -P 1000"):
        done = run_benchmark(server, "-n", "999", "-t", "PING", *options.split())
        assert "999 requests completed" in done.stdout, done.stderr


def test_a_test_stores_what_it_says(server: ServerProcess) -> None:
    run_benchmark(server, "-n", "500", "-r", "10", "-t", "SET-POINT")
    assert server.call("SCAN", "key:bench", "COUNT") == ":10"
    assert str(server.call("GET", "key:bench", "id:1", "POINT")).count("$ ") == 2


def test_a_command_of_the_user_is_sent(server: ServerProcess) -> None:
    command = ("SET", "mine", "__rand_int__", "POINT", "__rand_lat__", "__rand_lon__")
    done = run_benchmark(server, "-n", "300", "-r", "5", "-q", *command)
    assert done.stdout.startswith("SET mine __rand_int__ POINT")
    assert server.call("SCAN", "mine", "COUNT") == ":5"


def test_error_replies_are_counted(server: ServerProcess) -> None:
    done = run_benchmark(server, "-n", "10", "-q", "NOPE")
    assert done.returncode == 1
    assert done.stderr == "NOPE: 10 error replies, the first is: ERR unknown command 'NOPE'\n"


def test_a_password_is_needed_and_taken(server: ServerProcess) -> None:
    server.call("CONFIG", "SET", "requirepass", "secret")
    for options in ([], ["-a", "wrong"]):
        done = run_benchmark(server, "-n", "10", *options)
        assert done.returncode == 1
        assert done.stderr.startswith("invalid auth")
    assert run_benchmark(server, "-a", "secret", "-n", "10", "-t", "PING").returncode == 0


def test_a_server_that_is_not_there_is_told(server: ServerProcess) -> None:
    server.stop()
    done = run_benchmark(server, "-n", "10")
    expected = f"Could not connect to Tile38 at 127.0.0.1:{server.port}: Connection refused\n"
    assert (done.returncode, done.stderr) == (1, expected)


def test_a_lost_server_ends_the_run_with_the_reason(server: ServerProcess) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        serve_answers(listener, [b"+none\r\n", b"+PONG\r\n+PO"]),
    ):
        port = str(listener.getsockname()[1])
        done = run_benchmark(server, "-p", port, "-c", "1", "-P", "2", "-n", "4", "-t", "PING")
    expected = "Lost the server in PING after 1 replies: the server closed the connection\n"
    assert (done.returncode, done.stderr) == (1, expected)


def test_bytes_that_are_no_replies_end_the_run(server: ServerProcess) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        serve_answers(listener, [b"+none\r\n", b"HTTP/1.1 400 Bad Request\r\n"]),
    ):
        port = str(listener.getsockname()[1])
        done = run_benchmark(server, "-p", port, "-c", "1", "-n", "4", "-t", "PING")
    expected = "Lost the server in PING after 0 replies: the reply isn't RESP\n"
    assert (done.returncode, done.stderr) == (1, expected)


def test_a_unix_socket_is_used(server: ServerProcess, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with serve_answers(listener, [b"+none\r\n", b"+PONG\r\n"]):
            done = run_benchmark(server, "-s", path, "-c", "1", "-n", "1", "-t", "PING")
    assert (done.returncode, done.stderr) == (0, "")
