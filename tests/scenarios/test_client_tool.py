"""tile38py-cli as a process: arguments, pipes, exit codes, connections that get lost."""

import json
import signal
import socket
import subprocess
from pathlib import Path

from tests.support.prepared_answers import serve_answers
from tests.support.process import ROOT, ServerProcess
from tests.support.tls import Authority, TlsServer
from tests.support.tools import CLIENT, environment, run_client

POINT = ("SET", "fleet", "truck1", "POINT", "33", "-115")


def test_a_command_of_the_line_is_run(server: ServerProcess) -> None:
    done = run_client(server, *POINT)
    assert done.returncode == 0
    assert json.loads(done.stdout)["ok"] is True
    done = run_client(server, "--resp", "GET", "fleet", "truck1", "POINT")
    assert done.stdout == b"33\n-115\n"
    done = run_client(server, "--resp", "--no-raw", "GET", "fleet", "truck1", "POINT")
    assert done.stdout == b'1) "33"\n2) "-115"\n'


def test_replies_in_a_pipe_are_as_received(server: ServerProcess) -> None:
    done = run_client(server, "GET", "fleet", "truck1")
    assert done.stdout.startswith(b'{"ok":false,"err":"key not found"')
    assert (done.returncode, done.stderr) == (1, b"")


def test_results_are_a_table_where_formatted(server: ServerProcess) -> None:
    run_client(server, *POINT)
    done = run_client(server, "--no-raw", "SCAN", "fleet", "IDS")
    assert done.stdout.decode().splitlines()[:3] == ["id", "──────", "truck1"]
    done = run_client(server, "--no-raw", "--json", "SCAN", "fleet", "IDS")
    assert json.loads(done.stdout)["ids"] == ["truck1"]


def test_lines_of_a_pipe_are_run_and_an_error_sets_the_exit_code(server: ServerProcess) -> None:
    typed = b'SET a b STRING "x y"\n\nGET a "b\nNOPE\nGET a b\n'
    done = run_client(server, "--resp", typed=typed)
    assert done.returncode == 1
    assert done.stdout == b"OK\nERR unknown command 'NOPE'\nx y\n"
    assert done.stderr == b"line 3: the double quote at column 7 isn't closed\n"
    assert run_client(server, typed=b"PING\n").returncode == 0


def test_many_lines_are_run_in_order(server: ServerProcess) -> None:
    commands = [f'SET k {n} STRING "{"x" * 90}{n}"\nGET k {n}' for n in range(3000)]
    done = run_client(server, "--resp", typed="\n".join(commands).encode())
    lines = done.stdout.decode().splitlines()
    assert lines == [each for n in range(3000) for each in ("OK", "x" * 90 + str(n))]
    assert done.returncode == 0


def test_a_line_is_run_as_soon_as_it_is_there(server: ServerProcess) -> None:
    with subprocess.Popen(
        [*CLIENT, "--resp"],
        cwd=ROOT,
        env=environment(server, server.data),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        for typed, shown in ((b"ECHO one\nEC", b"one\n"), (b"HO two\n", b"two\n")):
            client.stdin.write(typed)
            client.stdin.flush()
            assert client.stdout.readline() == shown
        client.stdin.close()
        assert client.wait(10) == 0


def test_a_connection_that_is_lost_within_a_batch_is_told(server: ServerProcess) -> None:
    done = run_client(server, "--resp", typed=b"PING\nQUIT\nPING\nPING\n")
    assert done.returncode == 1
    assert done.stdout == b"PONG\nOK\n"
    assert b"lost before 2 replies" in done.stderr


def test_a_client_of_a_tls_port_checks_the_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    stranger = Authority(tmp_path, "stranger")
    with TlsServer(tmp_path, authority) as server:
        address = ("-h", "localhost", "-p", str(server.tls_port), "--resp")
        done = run_client(server, *address, "--cacert", str(authority.file), "PING")
        assert (done.stdout, done.stderr) == (b"PONG\n", b"")
        done = run_client(server, *address, "--cacert", str(stranger.file), "PING")
        assert (done.returncode, done.stdout) == (1, b"")
        assert b"certificate" in done.stderr
        assert run_client(server, *address, "--insecure", "PING").stdout == b"PONG\n"
        done = run_client(server, *address, "PING")
        assert (done.returncode, done.stdout) == (1, b"ERR this port requires TLS\n")


def test_a_unix_socket_is_used(server: ServerProcess, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with serve_answers(listener, [b"+PONG\r\n"]):
            assert run_client(server, "-s", path, "--resp", "PING").stdout == b"PONG\n"


def test_a_read_is_sent_again_after_a_lost_connection_and_a_write_is_not(
    server: ServerProcess,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        options = ("-p", str(listener.getsockname()[1]), "--resp")
        with serve_answers(listener, [b""], [b":5\r\n"]):
            done = run_client(server, *options, "TTL", "fleet", "truck1")
        assert (done.stdout, done.stderr) == (
            b"5\n",
            b"The connection was lost, and is open again\n",
        )
        with serve_answers(listener, [b""]):
            done = run_client(server, *options, *POINT)
        assert (done.returncode, done.stdout) == (1, b"")
        assert b"isn't sent again" in done.stderr


def test_each_name_of_unsubscribe_has_a_reply(server: ServerProcess) -> None:
    done = run_client(server, "--resp", typed=b"UNSUBSCRIBE a b\nPING\n")
    assert done.stdout == b"unsubscribe\na\n0\nunsubscribe\nb\n0\nPONG\n"


def test_the_last_argument_may_come_from_stdin(server: ServerProcess) -> None:
    value = b'\xff "quoted"\n'
    assert run_client(server, "-x", "SET", "a", "b", "STRING", typed=value).returncode == 0
    assert run_client(server, "--resp", "GET", "a", "b").stdout == value + b"\n"


def test_a_command_may_be_repeated(server: ServerProcess) -> None:
    done = run_client(server, "-r", "3", "-i", "0.01", "--resp", "PING")
    assert done.stdout == b"PONG\n" * 3


def test_a_script_gets_its_keys_and_arguments(server: ServerProcess, tmp_path: Path) -> None:
    script = tmp_path / "script.lua"
    script.write_text("return {#KEYS, KEYS[1], ARGV[1]}", "utf-8")
    done = run_client(server, "--resp", "--eval", str(script), "key", ",", "argument")
    assert done.stdout == b"1\nkey\nargument\n"
    done = run_client(server, "--resp", "--eval", str(script.with_name("missing")))
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"No such file" in done.stderr


def test_a_server_that_is_not_there_is_told(server: ServerProcess) -> None:
    server.stop()
    done = run_client(server, "PING")
    address = f"127.0.0.1:{server.port}"
    expected = f"Could not connect to Tile38 at {address}: Connection refused\n"
    assert (done.returncode, done.stderr.decode()) == (1, expected)


def test_a_password_is_taken_from_the_options(server: ServerProcess) -> None:
    server.call("CONFIG", "SET", "requirepass", "secret")
    assert b"authentication required" in run_client(server, "KEYS", "*").stdout
    assert run_client(server, "-a", "secret", "--resp", "DBSIZE").stdout == b"0\n"
    uri = f"redis://:secret@127.0.0.1:{server.port}"
    assert run_client(server, "-u", uri, "--resp", "DBSIZE").stdout == b"0\n"
    wrong = run_client(server, "-a", "wrong", "DBSIZE")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith(b"(error) ")


def test_messages_are_shown_until_the_client_is_interrupted(server: ServerProcess) -> None:
    with subprocess.Popen(
        [*CLIENT, "--resp", "NEARBY", "fleet", "FENCE", "POINT", "33", "-115", "1000"],
        cwd=ROOT,
        env=environment(server, server.data),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"OK\n"
        server.call(*POINT)
        assert json.loads(client.stdout.readline())["detect"] == "enter"
        client.send_signal(signal.SIGINT)
        assert client.wait(10) == 0


def test_a_large_reply_is_written_as_a_whole(server: ServerProcess) -> None:
    with server.connect() as connection:
        connection.call_many([("SET", "k", f"id{n}", "POINT", 1, 2) for n in range(30_000)])
    done = run_client(server, "--resp", "SCAN", "k", "LIMIT", "100000", "IDS")
    assert done.stdout.count(b"\n") == 30_001
    done = run_client(server, "--no-raw", "SCAN", "k", "LIMIT", "100000", "POINTS")
    assert done.stdout.count(b"\n") == 30_003
