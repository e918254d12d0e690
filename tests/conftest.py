"""Settings of all tests: how long Hypothesis looks for counterexamples, what CI may not skip."""

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# An example drives a whole engine, so its time says nothing; a failure prints how to repeat it.
settings.register_profile(
    "fast",
    max_examples=60,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("slow", settings.get_profile("fast"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

# Markers of tests that need programs which .ci/run installs.
INSTALLED_BY_CI = ("broker", "clients")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where CI should have installed everything."""
    report = yield
    needs_programs = any(item.get_closest_marker(name) for name in INSTALLED_BY_CI)
    if report.skipped and os.environ.get("CI") and needs_programs:
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI must not do: {report.longrepr}"
    return report
