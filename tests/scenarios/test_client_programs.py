"""What the tests of client libraries find: a failed step, a wrong end, a missing tool."""

import re
import sys
from pathlib import Path

import pytest

from tests.clients.catalog import LIBRARIES
from tests.clients.contract import STEPS, StepError, environment, take_steps
from tests.support.nested_pytest import run_pytest

ROOT = Path(__file__).parents[2]
ALL_STEPS = "".join(f"print('ok {step}');" for step in STEPS)


def run_script(script: str, *, seconds_max: float = 20.0) -> list[int]:
    """Run a script as a client program; return the numbers of its restarts."""
    restarts: list[int] = []
    take_steps(
        [sys.executable, "-c", script],
        environment(1, password="secret"),
        steps=STEPS,
        restart=lambda: restarts.append(len(restarts)),
        seconds_max=seconds_max,
    )
    return restarts


def test_a_program_that_takes_all_steps_passes() -> None:
    assert run_script(ALL_STEPS) == []


def test_a_program_is_told_the_address_and_the_password() -> None:
    script = (
        "import os; assert os.environ['TILE38_PORT'] + os.environ['TILE38_PASSWORD']=='1secret'"
    )
    run_script(f"{script}; assert 'TILE38_USER' not in os.environ; {ALL_STEPS}")


def test_a_program_waits_until_the_server_was_restarted() -> None:
    ask = "print('restart', flush=True); assert input() == 'restarted';"
    assert run_script(ask + ALL_STEPS) == [0]


@pytest.mark.parametrize("missing", STEPS)
def test_the_first_missing_step_is_named_with_the_error(missing: str) -> None:
    before = ALL_STEPS.split(f"print('ok {missing}')")[0]
    with pytest.raises(StepError, match=f"step '{missing}' failed .exit status 1.\n(.|\n)*refused"):
        run_script(f"{before}raise OSError('refused')")


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (f"{ALL_STEPS} raise SystemExit(3)", "exit status 3 after"),
        (f"{ALL_STEPS} print('ok another')", "exit status 0 after .'another'."),
        ("print('ok set')", "step 'connect' failed"),
        ("print('restart', flush=True); raise OSError", "step 'connect' failed .exit status 1."),
    ],
)
def test_a_wrong_end_fails(script: str, error: str) -> None:
    with pytest.raises(StepError, match=error):
        run_script(script)


def test_a_program_that_hangs_is_ended() -> None:
    # So is the process that it has started, or its output wouldn't end.
    script = "import os; os.fork(); input()"
    with pytest.raises(StepError, match=r"step 'connect' failed .exit status -9."):
        run_script(script, seconds_max=0.5)


def test_the_document_names_the_libraries() -> None:
    text = (ROOT / "docs" / "clients.md").read_text("utf-8").partition("## Tested libraries")[2]
    rows = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([^`]*)`", row)}
    assert named == {library.name for library in LIBRARIES} | {"test_exporter"}


@pytest.mark.parametrize(("is_ci", "expected"), [(True, "1 failed"), (False, "1 skipped")])
def test_a_missing_tool_is_a_skip_with_its_reason_and_in_ci_a_failure(
    tmp_path: Path, *, is_ci: bool, expected: str
) -> None:
    done = run_pytest(
        "tests/clients/test_libraries.py",
        *("-k", "node-redis-6-plain"),
        environment={"PATH": str(tmp_path), "TILE38PY_CLIENTS": str(tmp_path / "kits")},
        is_ci=is_ci,
    )
    assert expected in done.stdout
    assert "node isn't installed: run .ci/clients" in done.stdout
    assert done.returncode == int(is_ci)
