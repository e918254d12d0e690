"""Installs client libraries by their ordinary registry clients into a folder git ignores.

A kit is installed anew when one of its source files has changed.
"""

import dataclasses
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import ROOT

SOURCES = Path(__file__).parent
HOME = Path(os.environ.get("TILE38PY_CLIENTS", ROOT / ".clients"))
INSTALL_SECONDS_MAX = 600.0


@dataclasses.dataclass(frozen=True, slots=True)
class Kit:
    """Libraries that are installed together.

    In commands, {home} is the kit's own folder and {sources} the one of the programs.
    """

    name: str
    tools: tuple[str, ...]
    files: tuple[str, ...]  # patterns of the files that decide what is installed
    commands: tuple[tuple[str, ...], ...]

    @property
    def home(self) -> Path:
        """The folder in which the kit is installed."""
        return HOME / self.name

    def expand(self, words: tuple[str, ...]) -> list[str]:
        """Fill in the placeholders of a command."""
        return [word.format(home=self.home, sources=SOURCES) for word in words]

    def fingerprint(self) -> str:
        """Return a digest of the commands and the files that decide what is installed."""
        digest = hashlib.sha256(repr(self.commands).encode())
        for pattern in self.files:
            paths = sorted(SOURCES.glob(pattern))
            assert paths, f"no file matches {pattern}"
            for path in paths:
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def install(self) -> None:
        """Install the kit unless it is there. Skips the test if a tool is missing."""
        for tool in self.tools:
            if not shutil.which(tool):
                pytest.skip(f"{tool} isn't installed: run .ci/clients")
        HOME.mkdir(parents=True, exist_ok=True)
        with (HOME / f"{self.name}.lock").open("w") as lock:
            # Workers of pytest-xdist may want the same kit at the same time.
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._install_once()

    def _install_once(self) -> None:
        done, fingerprint = self.home / "complete", self.fingerprint()
        if done.is_file() and done.read_text() == fingerprint:
            return
        done.unlink(missing_ok=True)
        self.home.mkdir(exist_ok=True)
        for words in self.commands:
            result = subprocess.run(
                self.expand(words),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=INSTALL_SECONDS_MAX,
            )
            assert result.returncode == 0, f"{words}\n{result.stdout}\n{result.stderr}"
        done.write_text(fingerprint)


def python_kit(name: str) -> Kit:
    """Return the kit of a virtual environment, as python/NAME.txt locks it."""
    pip = (sys.executable, "-m", "pip", "--quiet", "--python", "{home}/bin/python", "install")
    return Kit(
        name,
        tools=(),
        files=(f"python/{name}.txt",),
        commands=(
            (sys.executable, "-m", "venv", "--clear", "--without-pip", "{home}"),
            (*pip, "--require-hashes", "-r", f"{{sources}}/python/{name}.txt"),
        ),
    )


def pyle38_suite() -> Kit:
    """Return the kit of pyle38's source distribution, which holds its tests."""
    base = python_kit("pyle38-suite")
    download = (sys.executable, "-m", "pip", "--quiet", "download", "--no-deps")
    return dataclasses.replace(
        base,
        tools=("tar",),
        files=(*base.files, "python/pyle38-sources.txt"),
        commands=(
            *base.commands,
            (
                *(*download, "--no-binary", ":all:", "--require-hashes", "--dest", "{home}"),
                *("-r", "{sources}/python/pyle38-sources.txt"),
            ),
            ("mkdir", "-p", "{home}/suite"),
            ("sh", "-c", "tar xzf {home}/pyle38-*.tar.gz --strip-components=1 -C {home}/suite"),
        ),
    )


PYLE38_SUITE = pyle38_suite()


def npm_install(folder: str) -> tuple[tuple[str, ...], ...]:
    """Return the commands that install the packages of a folder's lock file."""
    files = (f"{{sources}}/{folder}/package.json", f"{{sources}}/{folder}/package-lock.json")
    return (
        ("cp", *files, "{home}"),
        ("npm", "ci", "--prefix", "{home}", "--ignore-scripts", "--no-audit", "--no-fund"),
    )


NODE = Kit(
    "node",
    tools=("node", "npm"),
    files=("node/package.json", "node/package-lock.json"),
    commands=(
        *npm_install("node"),
        # The package holds its tests, which jest doesn't look for among installed packages.
        ("rm", "-rf", "{home}/suite"),
        ("cp", "-r", "{home}/node_modules/@iwpnd/tile38-ts", "{home}/suite"),
    ),
)


def go_kit(name: str, lock: str) -> Kit:
    """Return the kit of the Go programs, built with the versions of go/LOCK.mod."""
    return Kit(
        name,
        tools=("go",),
        files=(f"go/{lock}.mod", f"go/{lock}.sum", "go/*/*.go"),
        commands=(
            (
                *("go", "build", "-C", "{sources}/go", f"-modfile={lock}.mod"),
                *("-o", "{home}/", "./..."),
            ),
        ),
    )


HIREDIS = Kit(
    "hiredis",
    tools=("cc",),
    files=("c/hiredis.c",),
    commands=(
        ("cc", "-Wall", "-Wextra", "-o", "{home}/hiredis", "{sources}/c/hiredis.c", "-lhiredis"),
    ),
)

COPY_JARS = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def java_kit(program: str, *versions: str) -> Kit:
    """Return the kit of a Java program, compiled against each version: java/VERSION/pom.xml."""
    compilations = tuple(
        (
            *("javac", "-nowarn", "-cp", f"{{home}}/{version}/*", "-d", f"{{home}}/{version}"),
            *("{sources}/java/Steps.java", f"{{sources}}/java/{program}.java"),
        )
        for version in versions
    )
    poms = ("java/pom.xml", *(f"java/{version}/pom.xml" for version in versions))
    jars = (
        *("mvn", "-q", "-B", "-f", "{sources}/java/pom.xml", "-pl", ",".join(versions), COPY_JARS),
        *("-DincludeScope=runtime", "-DoutputDirectory={home}/${{project.artifactId}}"),
    )
    return Kit(
        program,
        tools=("mvn", "javac"),
        files=(*poms, "java/Steps.java", f"java/{program}.java"),
        commands=(jars, *compilations),
    )


RUST = Kit(
    "rust",
    tools=("cargo", "pkg-config"),
    files=("rust/Cargo.*", "rust/*.rs", "rust/*/Cargo.toml"),
    commands=(
        (
            *("cargo", "build", "--quiet", "--locked", "--target-dir", "{home}"),
            *("--manifest-path", "{sources}/rust/Cargo.toml"),
        ),
    ),
)

# Debian's packages hold the PHP libraries.
PHP = Kit("php", tools=("php",), files=(), commands=())

REDIS_CLI = Kit("redis-cli", tools=("bash", "redis-cli"), files=(), commands=())
