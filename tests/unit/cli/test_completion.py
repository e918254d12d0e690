"""Completion of the commands, as bash itself runs it."""

import subprocess
from pathlib import Path

import pytest

from tests.support.process import ROOT
from tile38py.cli import benchmark, client_options, server
from tile38py.cli.completion import SHELLS

# Completes the last of the words, and prints a line for each candidate.
COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
function=$(complete -p "$1" | sed 's/.*-F \\([^ ]*\\).*/\\1/')
$function "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
MAINS = {
    "tile38py-server": server.main,
    "tile38py-benchmark": benchmark.main,
    "tile38py-cli": lambda words: client_options.parse(words, {}),
}


def script(program: str, shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        MAINS[program](["--print-completion", shell])
    assert caught.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "candidates"),
    [
        ("tile38py-cli --cac", {"--cacert"}),
        ("tile38py-cli --print-completion ", set(SHELLS)),
        ("tile38py-cli --cacert Make", {"Makefile"}),
        ("tile38py-cli --no", {"--no-raw"}),
        ("tile38py-server --append", {"--appendonly", "--appendfilename"}),
        ("tile38py-server --appendonly ", {"yes", "no"}),
        ("tile38py-server --tls-auth-clients o", {"optional"}),
        ("tile38py-server --pidfile Make", {"Makefile"}),
        ("tile38py-benchmark --thr", {"--threads"}),
        ("tile38py-benchmark --cs", {"--csv"}),
    ],
)
def test_bash_completes(
    line: str, candidates: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = line.split(" ")
    path = tmp_path / "completion"
    path.write_text(script(words[0], "bash", capsys), "utf-8")
    command = ["bash", "--norc", "-c", COMPLETE, "bash", str(path), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert (set(done.stdout.split()), done.stderr) == (candidates, "")


@pytest.mark.parametrize("program", MAINS)
def test_other_shells_have_scripts_that_name_the_command(
    program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script(program, "zsh", capsys).startswith(f"#compdef {program}\n")
    assert f"complete -c {program} " in script(program, "fish", capsys)


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--print-completion", "x"], ["--print-completion"]):
        with pytest.raises(SystemExit) as caught:
            server.main(words)
        assert caught.value.code == 2
        assert capsys.readouterr().err == "--print-completion needs one of bash, zsh, fish\n"
