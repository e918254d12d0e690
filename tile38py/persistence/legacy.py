"""Migration of the log of very old Tile38 versions, the file `aof`, to the present format."""

import struct
from pathlib import Path
from typing import BinaryIO

from tile38py.errors import StartError
from tile38py.persistence.files import BACKUP_SUFFIX, LOG_NAME, sync_directory
from tile38py.protocol.resp import encode_request

OLD_NAME = "aof"
NEW_NAME = "migrate.aof"
SIZE_BYTES = 4
RECORD_BYTES_MAX = 512 << 20  # as one argument in RESP


def is_needed(directory: Path) -> bool:
    """Whether there is an old log and no present one, nor one that a crash left as `-bak`."""
    newer = (directory / LOG_NAME, directory / (LOG_NAME + BACKUP_SUFFIX))
    return (directory / OLD_NAME).exists() and not any(path.exists() for path in newer)


def migrate(directory: Path) -> None:
    """Write the log in the present format. The old file is kept."""
    beside = directory / NEW_NAME
    with (directory / OLD_NAME).open("rb") as source, beside.open("wb") as target:
        beside.chmod(0o600)
        while (text := read_record(source)) is not None:
            target.write(encode_request(split_record(text)))
    beside.rename(directory / LOG_NAME)
    sync_directory(directory)


def read_record(source: BinaryIO) -> bytes | None:
    """Read the text of the next record; None at the end. Raises StartError."""
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
    """Split at each single space; a word that begins with `{` extends to the end."""
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
