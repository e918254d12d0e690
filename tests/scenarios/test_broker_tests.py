"""The tests of endpoints without their broker: skipped with the reason, in CI a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEST = "tests/endpoints/test_kafka.py::test_a_record_beyond_the_limit_is_refused"


@pytest.mark.parametrize(("is_ci", "expected"), [(True, "1 error"), (False, "1 skipped")])
def test_a_missing_broker_is_a_skip_with_its_reason_and_in_ci_a_failure(
    tmp_path: Path, *, is_ci: bool, expected: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment |= {"KAFKA_HOME": str(tmp_path), **({"CI": "true"} if is_ci else {})}
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rfs",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run([*words, TEST], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert expected in done.stdout
    assert "Kafka isn't installed: run .ci/brokers" in done.stdout
    assert done.returncode == int(is_ci)
