"""The tests that Tile38's own clients bring along pass against a leader and a follower."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.clients.kits import NODE, PYLE38_SUITE, SOURCES, Kit
from tests.support.pair import leader_and_follower, wait_until_equal

SUITE_SECONDS_MAX = 120


def run_suite(kit: Kit, command: str, settings: Mapping[str, str]) -> str:
    """Run a suite in its own folder; return its output once it has passed."""
    done = subprocess.run(
        kit.expand(tuple(command.split())),
        cwd=kit.home / "suite",
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SUITE_SECONDS_MAX,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def count_passed(output: str) -> int:
    """Return how many tests the last line of the kind `… 12 passed` names."""
    return int(re.findall(r"(\d+) passed", output)[-1])


def test_the_tests_of_pyle38_pass(tmp_path: Path) -> None:
    PYLE38_SUITE.install()
    with leader_and_follower(tmp_path) as (leader, follower):
        wait_until_equal(leader, follower)
        settings = {"TILE38_LEADER_URI": f"redis://127.0.0.1:{leader.port}"}
        # One test needs a client that was told of no follower.
        alone = "{home}/bin/python -m pytest -q -p no:cacheprovider -k test_no_follower_set"
        assert count_passed(run_suite(PYLE38_SUITE, alone, settings)) == 1
        settings["TILE38_FOLLOWER_URI"] = f"redis://127.0.0.1:{follower.port}"
        others = "{home}/bin/python -m pytest -q -p no:cacheprovider --deselect "
        others += "tests/test_client.py::test_no_follower_set"
        assert count_passed(run_suite(PYLE38_SUITE, others, settings)) == 137


def test_the_tests_of_tile38_ts_pass(tmp_path: Path) -> None:
    NODE.install()
    with leader_and_follower(tmp_path) as (leader, follower):
        wait_until_equal(leader, follower)
        settings = {
            "TILE38_PORT": str(leader.port),
            "TILE38_FOLLOWER_PORT": str(follower.port),
        }
        command = (
            "node {home}/node_modules/jest/bin/jest.js --rootDir {home}/suite --runInBand"
            # As in its repository; INFO has a line more than it knows.
            " --clearMocks --testPathIgnorePatterns info.test.js"
            f" --setupFiles {SOURCES}/node/ports.cjs"
        )
        output = run_suite(NODE, command, settings)
        assert count_passed(output.partition("\nTests:")[2]) == 155
