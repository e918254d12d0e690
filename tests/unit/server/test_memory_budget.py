"""The memory limit: cgroups of both versions, and the bounds that follow from it."""

from pathlib import Path

import pytest

from tests.support.fakes import FakeProcess
from tile38py.errors import StartError
from tile38py.limits import KIB, LOAD_CHUNK_BYTES, MIB
from tile38py.server.memory_budget import MemoryBudget, cgroup_limit

V1 = "35 31 0:32 {root} /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
V1_OTHER = "36 31 0:33 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
V2 = "42 31 0:40 {root} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
NO_LIMIT_V1 = 9223372036854771712


def machine(root: Path, cgroup: str, mounts: str, limits: dict[str, str | int]) -> Path:
    """Files as a kernel shows them."""
    files: dict[str, str | int] = {"proc/self/cgroup": cgroup, "proc/self/mountinfo": mounts}
    for name, text in (files | limits).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n" if isinstance(text, int) else text)
    return root


@pytest.mark.parametrize("mounted", ["/", "/docker/1"])
def test_a_limit_of_version_1(tmp_path: Path, mounted: str) -> None:
    folder = "sys/fs/cgroup/memory" + ("/docker/1" if mounted == "/" else "")
    root = machine(
        tmp_path,
        "9:cpu:/docker/1\n4:memory:/docker/1\n0::/\n",
        V1_OTHER + V1.format(root=mounted),
        {f"{folder}/memory.limit_in_bytes": 256 * MIB},
    )
    assert cgroup_limit(root) == 256 * MIB


def test_a_limit_of_version_2(tmp_path: Path) -> None:
    root = machine(
        tmp_path, "0::/\n", V2.format(root="/"), {"sys/fs/cgroup/memory.max": "268435456\n"}
    )
    assert cgroup_limit(root) == 256 * MIB


def test_the_least_of_all_that_contain_the_process_counts(tmp_path: Path) -> None:
    place = "sys/fs/cgroup/a.slice"
    root = machine(
        tmp_path,
        "0::/a.slice/b/c\n",
        V2.format(root="/"),
        {
            f"{place}/memory.max": 100 * MIB,
            f"{place}/b/memory.max": 300 * MIB,
            f"{place}/b/c/memory.max": "max\n",
            "sys/fs/memory.max": 1,  # not one of them
        },
    )
    assert cgroup_limit(root) == 100 * MIB


@pytest.mark.parametrize(
    ("cgroup", "mounts", "limits"),
    [
        ("4:memory:/\n", V1.format(root="/"), {"memory/memory.limit_in_bytes": NO_LIMIT_V1}),
        ("0::/x\n", V2.format(root="/"), {"x/memory.max": "max\n"}),
        ("0::/\n", V2.format(root="/"), {}),
        ("", "", {}),
    ],
)
def test_no_limit(tmp_path: Path, cgroup: str, mounts: str, limits: dict[str, str | int]) -> None:
    found = {f"sys/fs/cgroup/{name}": text for name, text in limits.items()}
    assert cgroup_limit(machine(tmp_path, cgroup, mounts, found)) is None


def test_a_system_without_cgroups_has_no_limit(tmp_path: Path) -> None:
    assert cgroup_limit(tmp_path) is None


def test_the_heap_gets_a_share_of_the_limit_less_what_the_rest_of_the_process_takes() -> None:
    process = FakeProcess()
    budget = MemoryBudget(process, 200 * MIB)
    assert budget.data_bytes_max == 120 * MIB
    process.resident = 80 * MIB
    assert budget.heap_bytes_max(30 * MIB) == 120 * MIB
    process.resident = 150 * MIB
    assert budget.heap_bytes_max(50 * MIB) == 74 * MIB  # 174 less the 100 that isn't heap
    process.resident = 300 * MIB
    assert budget.heap_bytes_max(50 * MIB) == 0
    assert MemoryBudget(process).data_bytes_max == 0
    assert MemoryBudget(process, 256 * MIB).data_bytes_max == 153 * MIB
    assert MemoryBudget(process, MIB).data_bytes_max == MIB


@pytest.mark.parametrize(
    ("limit", "size"),
    [
        (None, LOAD_CHUNK_BYTES),
        (16 << 30, LOAD_CHUNK_BYTES),
        (64 * MIB, MIB),
        (MIB, 256 * KIB),
    ],
)
def test_a_low_limit_makes_the_chunks_of_the_log_small(limit: int | None, size: int) -> None:
    assert MemoryBudget(FakeProcess(), limit).load_chunk_bytes == size


def test_a_log_that_does_not_fit_into_the_container_is_told(tmp_path: Path) -> None:
    process = FakeProcess()
    budget = MemoryBudget(process, 200 * MIB, tmp_path)
    process.resident = 190 * MIB
    budget.check_load(50, 100)
    process.resident = 191 * MIB
    with pytest.raises(
        StartError,
        match="more memory than there is: the first 50% takes 191 MB, the whole may need 382 MB, "
        "and the limit of this container is 200 MB",
    ):
        budget.check_load(50, 100)
    with pytest.raises(StartError, match="first 1% takes"):
        budget.check_load(0, 0)


def test_a_log_that_does_not_fit_into_the_machine_is_told(tmp_path: Path) -> None:
    process = FakeProcess()
    process.resident = 900 * MIB
    (tmp_path / "proc").mkdir()
    meminfo = tmp_path / "proc" / "meminfo"
    budget = MemoryBudget(process, root=tmp_path)
    text = "MemTotal:     1048576 kB\nMemFree: 9 kB\nMemAvailable: {left} kB\nSwapFree: {swap} kB\n"
    for left, swap in ((40_000, 0), (0, 40_000)):
        meminfo.write_text(text.format(left=left, swap=swap))
        budget.check_load(50, 100)
    meminfo.write_text(text.format(left=20_000, swap=1000))
    with pytest.raises(StartError, match="and this machine has 1024 MB"):
        budget.check_load(50, 100)
