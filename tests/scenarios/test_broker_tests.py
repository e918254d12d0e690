"""The tests of endpoints without their broker: skipped with the reason, in CI a failure."""

from pathlib import Path

import pytest

from tests.support.nested_pytest import run_pytest

TEST = "tests/endpoints/test_kafka.py::test_a_record_beyond_the_limit_is_refused"


@pytest.mark.parametrize(("is_ci", "expected"), [(True, "1 error"), (False, "1 skipped")])
def test_a_missing_broker_is_a_skip_with_its_reason_and_in_ci_a_failure(
    tmp_path: Path, *, is_ci: bool, expected: str
) -> None:
    done = run_pytest(TEST, environment={"KAFKA_HOME": str(tmp_path)}, is_ci=is_ci)
    assert expected in done.stdout
    assert "Kafka isn't installed: run .ci/brokers" in done.stdout
    assert done.returncode == int(is_ci)
