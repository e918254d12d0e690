"""The number of instructions of each hot path of the engine, compared with a recorded number.

    python -m benchmarks.instructions            # fails if a path takes more than the tolerance
    python -m benchmarks.instructions --record   # records the present counts

Unlike times, counts hardly depend on the machine. They do depend on the compiler, whose version is
recorded with them: with another one the tolerance is wider.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
RECORDED: Final = Path(__file__).with_name("instructions.json")
EXAMPLE: Final = "hot_paths"
#: The requests of each path: enough that the first ones, which allocate memory, don't count.
REQUESTS: Final = {
    "ping": 3200,
    "get": 3200,
    "set": 3200,
    "set-fields": 3200,
    "set-fenced": 3200,
    "set-polygon": 640,
    "nearby": 640,
    "nearby-areas": 320,
    "within-circle": 320,
    "within-bounds": 320,
    "intersects": 640,
    "scan-where": 32,
    "script": 1600,
    "tile": 32,
}
TOLERANCE: Final = 1.15
TOLERANCE_OTHER_COMPILER: Final = 1.3
SECONDS_MAX: Final = 300.0


def compiler() -> str:
    """Return the version of the compiler."""
    result = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True)
    return result.stdout.strip()


def build() -> Path:
    """Build the program of hot paths; return its path."""
    command = ["cargo", "build", "--quiet", "--release", "--locked"]
    command += ["--package", "tile38py-engine", "--example", EXAMPLE]
    subprocess.run(command, cwd=ROOT, check=True)
    return ROOT / "target/release/examples" / EXAMPLE


def count(program: Path, name: str) -> int:
    """Return the instructions of a request of a path."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out"]
        command += [f"--toggle-collect={EXAMPLE}::measured", str(program), name]
        result = subprocess.run(
            [*command, str(REQUESTS[name])],
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS_MAX,
        )
    found = re.search(r"Collected : (\d+)", result.stderr)
    assert found, result.stderr
    return int(found[1]) // REQUESTS[name]


def main() -> int:
    """Count, compare or record; return the status of the process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--record", action="store_true")
    is_recording = parser.parse_args().record
    if not shutil.which("valgrind"):
        raise SystemExit("valgrind isn't installed")
    program = build()
    counts = {name: count(program, name) for name in REQUESTS}
    if is_recording:
        record = {"compiler": compiler(), "instructions": counts}
        RECORDED.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
        return 0
    recorded = json.loads(RECORDED.read_text("utf-8"))
    is_same = recorded["compiler"] == compiler()
    tolerance = TOLERANCE if is_same else TOLERANCE_OTHER_COMPILER
    print(f"| path | recorded | now | ratio (at most {tolerance}) |\n| --- | ---: | ---: | ---: |")
    ratios = {name: now / recorded["instructions"][name] for name, now in counts.items()}
    for name, ratio in ratios.items():
        print(f"| {name} | {recorded['instructions'][name]:,} | {counts[name]:,} | {ratio:.2f} |")
    slower = [name for name, ratio in ratios.items() if ratio > tolerance]
    if slower:
        print(f"more instructions than recorded: {', '.join(slower)}", file=sys.stderr)
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
