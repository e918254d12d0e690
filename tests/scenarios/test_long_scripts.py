"""Scripts that run for long hold up nobody, and end with their clients."""

from contextlib import ExitStack

from tests.support.process import ServerProcess

FOREVER = b"EVALRO 'while true do end' 0\r\n"
SEARCH = b"SCAN k WHEREEVAL 'local n = 0 for i = 1, 1e5 do n = n + 1 end return 1' 0 COUNT\r\n"
OBJECTS_COUNT = 20_000  # a SCAN of them runs on another thread


def fill(server: ServerProcess) -> None:
    with server.connect() as connection:
        rows = [("SET", "k", number, "POINT", 1, 1) for number in range(OBJECTS_COUNT)]
        assert set(map(str, connection.call_many(rows))) == {"+OK"}


def test_searches_go_on_beside_many_endless_scripts(server: ServerProcess) -> None:
    fill(server)
    with ExitStack() as stack:
        for words in 4 * [FOREVER, SEARCH]:
            stack.enter_context(server.connect()).send(words)
        with server.connect() as connection:
            assert connection.call("SCAN", "k", "COUNT") == f":{OBJECTS_COUNT}"
            assert connection.call("BACKUP", "now").startswith("$ ")  # type: ignore[union-attr]


def test_a_script_ends_when_its_client_is_killed(server: ServerProcess) -> None:
    fill(server)
    with server.connect() as first, server.connect() as second, server.connect() as third:
        ids = [str(connection.call("CLIENT", "ID"))[1:] for connection in (first, second)]
        for connection in (first, second):
            connection.send(FOREVER)
        third.send(b'EVALRO \'return tile38.call("scan", "k", "count")\' 0\r\n')
        while ids:
            assert server.call("CLIENT", "KILL", "ID", ids.pop()) == "+OK"
        assert third.read() == f":{OBJECTS_COUNT}"
