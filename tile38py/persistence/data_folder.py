"""The data directory: made, found to be ours, and locked. Doesn't know the data.

The lock's file tells who has it: the process's number, then a line for each address at which that
server listens, such as `tcp://127.0.0.1:9851`.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from tile38py.errors import StartError, reason_of
from tile38py.persistence.files import DIRECTORY_MODE, FILE_MODE, lock_file

LOCK_NAME = "lock"


def make_data_folder(directory: Path) -> None:
    """Make the data directory unless it is there. Raises StartError if it can't be used."""
    try:
        directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"data directory '{directory}': {reason_of(error).lower()}") from error
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        raise StartError(f"data directory '{directory}': {_whose(directory)}")


def _whose(path: Path) -> str:
    """Why we may not write a directory or a file, and what to do about it."""
    user, group, owner = os.geteuid(), os.getegid(), path.stat().st_uid
    if user == owner or os.statvfs(path).f_flag & os.ST_RDONLY:
        return "it can't be written"
    return (
        f"it belongs to user {owner}, and the server runs as user {user}: "
        f"chown {user}:{group} {path.absolute()}, or run the server as user {owner}"
    )


class DirectoryLock:
    """Keeps a second server out of the directory for as long as this process lives."""

    def __init__(self, directory: Path) -> None:
        path = directory / LOCK_NAME
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
            self._take(directory)
        except PermissionError as error:
            raise StartError(f"'{path}': {_whose(path)}") from error
        except OSError as error:
            raise StartError(f"'{path}': {reason_of(error).lower()}") from error

    def _take(self, directory: Path) -> None:
        if not lock_file(self._descriptor):
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").partition("\n")[0]
            os.close(self._descriptor)
            who = f" (process {holder})" if holder else ""
            raise StartError(f"the data directory '{directory}' is in use by another server{who}")
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def announce(self, addresses: Sequence[str]) -> None:
        """Tell those on this machine who look into the file where the server listens."""
        lines = "".join(f"{line}\n" for line in [str(os.getpid()), *addresses])
        os.pwrite(self._descriptor, lines.encode(), 0)

    def release(self) -> None:
        """Let others in. The file stays: removing it would race with the next server."""
        os.close(self._descriptor)


def announced(directory: Path) -> list[str]:
    """The addresses at which the server of a data directory listens. Raises OSError."""
    return (directory / LOCK_NAME).read_text("utf-8").splitlines()[1:]
