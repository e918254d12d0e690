"""Conversion of the log of very old Tile38 versions, file `aof`, into today's form."""

import struct
from pathlib import Path
from typing import BinaryIO

from tile38py.errors import StartError
from tile38py.persistence.files import BACKUP_SUFFIX, LOG_NAME, sync_directory

OLD_NAME = "aof"
NEW_NAME = "migrate.aof"
SIZE_BYTES = 4
RECORD_BYTES_MAX = 512 << 20  # as one argument in RESP


def is_needed(directory: Path) -> bool:
    """Whether there is an old log and no new one, nor one that a crash left renamed away."""
    newer = (directory / LOG_NAME, directory / (LOG_NAME + BACKUP_SUFFIX))
    return (directory / OLD_NAME).exists() and not any(path.exists() for path in newer)


def migrate(directory: Path) -> None:
    """Write the new log beside the old one, which stays."""
    beside = directory / NEW_NAME
    with (directory / OLD_NAME).open("rb") as source, beside.open("wb") as target:
        beside.chmod(0o600)
        while (text := read_record(source)) is not None:
            target.write(command_bytes(split_record(text)))
    beside.rename(directory / LOG_NAME)
    sync_directory(directory)


def read_record(source: BinaryIO) -> bytes | None:
    """The next record's text, None at the end."""
    head = source.read(SIZE_BYTES)
    if not head:
        return None
    if len(head) < SIZE_BYTES:
        raise StartError("unexpected EOF")
    (size,) = struct.unpack("<I", head)
    if size > RECORD_BYTES_MAX:
        raise StartError("corrupted aof file")
    text, tail = source.read(size), source.read(SIZE_BYTES + 1)
    if len(text) < size or len(tail) < SIZE_BYTES + 1:
        raise StartError("unexpected EOF")
    if tail != head + b"\0":
        raise StartError("corrupted aof file")
    return text


def split_record(text: bytes) -> list[bytes]:
    """Words at each single space; one that begins with `{` takes the rest."""
    words: list[bytes] = []
    rest: bytes | None = text
    while rest is not None:
        if rest.startswith(b"{"):
            words.append(rest)
            break
        word, space, after = rest.partition(b" ")
        words.append(word)
        rest = after if space else None
    return words


def command_bytes(words: list[bytes]) -> bytes:
    """A command as it stands in the log."""
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"".join(parts)
