"""Runs pytest in a separate process, for tests of pytest's own outcome, such as skipped tests."""

import os
import subprocess
import sys
from collections.abc import Mapping

from tests.support.process import ROOT

OPTIONS = ("-q", "-rfs", "-p", "no:xdist", "-p", "no:cacheprovider")


def run_pytest(
    *selection: str, environment: Mapping[str, str], is_ci: bool
) -> subprocess.CompletedProcess[str]:
    """Run tests with these variables set, and CI only if it is asked for."""
    variables = {name: value for name, value in os.environ.items() if name != "CI"}
    variables |= {**environment, **({"CI": "true"} if is_ci else {})}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, *selection],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
