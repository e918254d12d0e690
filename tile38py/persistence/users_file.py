"""The file of users, `aclfile`: bytes only. See access.users_text for its content."""

from pathlib import Path

from tile38py.persistence.files import replace_file


class DiskUsersFile:
    """A file of users."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._path = Path(name)

    def read(self) -> bytes:
        """Read the file. Raises OSError, also if it doesn't exist."""
        return self._path.read_bytes()

    def write(self, data: bytes) -> None:
        """Replace the content atomically and sync it. Raises OSError."""
        replace_file(self._path.resolve(), data)
