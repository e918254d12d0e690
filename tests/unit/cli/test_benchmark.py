"""The start of the load generator."""

from pathlib import Path

import pytest

from tile38py.cli import benchmark


def test_a_missing_program_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(benchmark, "PROGRAM", tmp_path / "missing")
    with pytest.raises(SystemExit) as caught:
        benchmark.main()
    assert caught.value.code == f"can't start {tmp_path}/missing: No such file or directory"


def test_the_program_is_part_of_the_package() -> None:
    assert benchmark.PROGRAM.is_file()
