"""Client libraries, unmodified, take the steps that their users take."""

from pathlib import Path

import pytest

from tests.clients.catalog import LIBRARIES, Access, Library
from tests.clients.contract import environment, take_steps
from tests.support.process import ServerProcess
from tests.support.tls import Authority, TlsServer

USER = "default"
PASSWORD = "secret of nobody"

CASES = [
    pytest.param(library, access, id=f"{library.name}-{access.value}")
    for library in LIBRARIES
    for access in Access
    if access not in library.missing_access
]


def set_password(server: ServerProcess) -> None:
    """Let the server ask for a password, after a restart, too."""
    with server.connect() as connection:
        assert connection.call("CONFIG", "SET", "requirepass", PASSWORD) == "+OK"
        assert connection.call("AUTH", PASSWORD) == "+OK"
        assert connection.call("CONFIG", "REWRITE") == "+OK"


@pytest.mark.parametrize(("library", "access"), CASES)
def test_a_library_takes_all_steps(library: Library, access: Access, tmp_path: Path) -> None:
    library.kit.install()
    with TlsServer(tmp_path, Authority(tmp_path)) as server:

        def restart() -> None:
            assert server.stop() == 0
            server.start(port=server.port)

        if access in (Access.PASSWORD, Access.USER):
            set_password(server)
        settings = {
            Access.PLAIN: environment(server.port),
            Access.PASSWORD: environment(server.port, password=PASSWORD),
            Access.USER: environment(server.port, user=USER, password=PASSWORD),
            Access.TLS: environment(server.tls_port, certificates=server.authority.file),
        }
        take_steps(library.command, settings[access], steps=library.steps, restart=restart)
