"""A memory cgroup for a process of a test, as a container has it. Needs root."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


class MemoryCgroup:
    """A cgroup with a memory limit."""

    def __init__(self, folder: Path) -> None:
        """Create it in the hierarchy of version 1 or 2 that is mounted."""
        self._folder = folder
        folder.mkdir()

    def limit(self, bytes_max: int) -> None:
        """Set the limit of its processes' memory."""
        name = "memory.max" if (self._folder / "memory.max").exists() else "memory.limit_in_bytes"
        (self._folder / name).write_text(str(bytes_max))

    def enter(self) -> None:
        """Move the calling process into it."""
        (self._folder / "cgroup.procs").write_text(str(os.getpid()))


@contextlib.contextmanager
def memory_cgroup() -> Iterator[MemoryCgroup]:
    """A cgroup that is removed at the end. Raises OSError where none can be made."""
    parent = CGROUPS / "memory" if (CGROUPS / "memory").is_dir() else CGROUPS
    if parent == CGROUPS:
        (parent / "cgroup.subtree_control").write_text("+memory")
    folder = parent / f"tile38py-{uuid.uuid4().hex}"
    cgroup = MemoryCgroup(folder)
    try:
        yield cgroup
    finally:
        folder.rmdir()
