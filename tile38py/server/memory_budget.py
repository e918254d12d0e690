"""Memory that the process may use: the limit of its cgroup, or else what the machine has.

The kernel kills a container's process that exceeds the limit. So maxmemory is a share of it by
default, and a log that needs more memory ends the start with a clear sentence.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tile38py.errors import StartError
from tile38py.interfaces import Process
from tile38py.limits import KIB, LOAD_CHUNK_BYTES, MIB

# Default of maxmemory, as a share of the limit. The interpreter, the brokers' clients, connections'
# buffers and the heap's fragmentation need the rest.
DATA_SHARE = 0.6
# The process's memory, as a share of the limit: above the first, writes are refused; above the
# second, a load ends. Data that were accepted can be loaded again, whose buffers take more.
PROCESS_SHARE = 0.87
LOAD_SHARE = 0.95
# Available memory of the machine, as a share of all, below which a load ends.
AVAILABLE_SHARE_MIN = 0.03
LOAD_CHUNK_BYTES_MIN = 256 * KIB
# Size of a chunk of the log, as a share of the limit: loaded, it takes several times its bytes.
LOAD_CHUNK_SHARE = 1 / 64


@dataclass(frozen=True, slots=True)
class MemoryBudget:
    """The memory limit of the process, and the bounds that follow from it."""

    process: Process
    limit_bytes: int | None = None  # of the cgroup
    root: Path = Path("/")  # of /proc

    @property
    def data_bytes_max(self) -> int:
        """The default of maxmemory, in whole MiB; 0 = no limit."""
        if self.limit_bytes is None:
            return 0
        return max(int(self.limit_bytes * DATA_SHARE) // MIB, 1) * MIB

    def heap_bytes_max(self, heap_bytes: int) -> int:
        """The bound of the engine's heap that leaves the rest of the process its memory."""
        assert self.limit_bytes is not None
        rest = max(self.process.private_bytes() - heap_bytes, 0)
        return max(min(self.data_bytes_max, int(self.limit_bytes * PROCESS_SHARE) - rest), 0)

    @property
    def load_chunk_bytes(self) -> int:
        """Bytes of the log that are loaded between two checks of the memory."""
        if self.limit_bytes is None:
            return LOAD_CHUNK_BYTES
        share = int(self.limit_bytes * LOAD_CHUNK_SHARE)
        return min(max(share, LOAD_CHUNK_BYTES_MIN), LOAD_CHUNK_BYTES)

    def check_load(self, consumed: int, size: int) -> None:
        """Raise StartError if no memory is left for the rest of the log."""
        used = self.process.private_bytes()
        limit, machine = self.limit_bytes, self._exhausted_machine_bytes()
        if limit is not None and used > limit * LOAD_SHARE:
            place = f"the limit of this container is {limit // MIB} MB"
        elif machine is not None:
            place = f"this machine has {machine // MIB} MB"
        else:
            return
        share = max(consumed / max(size, 1), 0.01)
        raise StartError(
            f"the log needs more memory than there is: the first {share:.0%} takes "
            f"{used // MIB} MB, the whole may need {int(used / share) // MIB} MB, "
            f"and {place}"
        )

    def _exhausted_machine_bytes(self) -> int | None:
        """The machine's memory if hardly any is available, swap included; else None."""
        try:
            lines = (self.root / "proc/meminfo").read_text("ascii").splitlines()
        except OSError:
            return None
        pairs = (line.partition(":")[::2] for line in lines)
        facts = {name: int(value.split()[0]) * KIB for name, value in pairs}
        total = facts.get("MemTotal", 0)
        available = facts.get("MemAvailable", total) + facts.get("SwapFree", 0)
        return total if available < total * AVAILABLE_SHARE_MIN else None


def cgroup_limit(root: Path = Path("/")) -> int | None:
    """The memory limit of the process's cgroup in bytes; None without a limit or a cgroup."""
    try:
        limits = [limit for folder in _folders(root) for limit in _limits(folder)]
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
    limit = min(limits, default=machine)
    # Version 1 shows a number above the machine's memory where there is no limit.
    return limit if limit < machine else None


def _folders(root: Path) -> Iterator[Path]:
    """The process's cgroup and its ancestors, in each hierarchy that may limit memory."""
    paths: dict[str, str] = {}
    for line in (root / "proc/self/cgroup").read_text("utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            paths[controller] = path
    for line in (root / "proc/self/mountinfo").read_text("utf-8").splitlines():
        mount, _, filesystem = line.partition(" - ")
        mounted, mount_point = mount.split()[3:5]
        kind, _, options = filesystem.split()
        name = "memory" if kind == "cgroup" and "memory" in options.split(",") else ""
        if (kind == "cgroup2" or name) and name in paths:
            top = root / mount_point.removeprefix("/")
            # Within a container, the container's own cgroup may be the one that is mounted.
            inner = paths[name].removeprefix(mounted.rstrip("/")).strip("/")
            folder = top / inner
            yield from (each for each in (folder, *folder.parents) if each.is_relative_to(top))


def _limits(folder: Path) -> Iterator[int]:
    for name in ("memory.max", "memory.limit_in_bytes"):
        try:
            text = (folder / name).read_text("ascii").strip()
        except OSError:
            continue
        if text != "max":
            yield int(text)
