"""The configuration file's `logconfig`."""

import io
import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tile38py.clock import zone_offset_seconds
from tile38py.errors import StartError
from tile38py.server.log_config import configured_log, style_of
from tile38py.server.logs import SHOWN, is_json, make_log

NAMES = {"levelKey": "level", "timeKey": "time", "messageKey": "text", "stacktraceKey": "stack"}
NOON = 1795521600.1234  # 2026-11-24 12:00:00.1234 UTC


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """Leave the log as other tests want it: with no file open."""
    yield
    make_log(SHOWN)


def line(configuration: Mapping[str, object], level: int = logging.WARNING) -> dict[str, object]:
    """The line of a record at NOON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    log = make_log(frozenset({level}), style=style_of(configuration), handlers=[handler])
    record = log.makeRecord(log.name, level, "module.py", 7, "message", (), None)
    record.created = NOON
    log.handle(record)
    return dict(json.loads(stream.getvalue()))


def test_members_without_a_name_are_left_out() -> None:
    assert line({"encoderConfig": {"messageKey": "text"}}) == {"text": "message"}
    assert line({"encoderConfig": NAMES}, logging.ERROR) == {
        "level": "error",
        "time": NOON,
        "text": "message",
        "stack": "module:7",
    }


@pytest.mark.parametrize(
    ("encoder", "level", "expected"),
    [
        ("lowercase", logging.WARNING, "warn"),
        ("capital", logging.WARNING, "WARN"),
        ("capital", logging.CRITICAL, "FATAL"),
        ("color", logging.INFO, "\x1b[34minfo\x1b[0m"),
        ("capitalColor", logging.ERROR, "\x1b[31mERROR\x1b[0m"),
        ("unknown", logging.DEBUG, "debug"),
    ],
)
def test_the_level_is_encoded(encoder: str, level: int, expected: str) -> None:
    configuration = {"encoderConfig": NAMES | {"levelEncoder": encoder}}
    assert line(configuration, level)["level"] == expected


def shown_offset() -> str:
    """The local time zone as RFC 3339 has it."""
    minutes = zone_offset_seconds() // 60
    sign, size = "-" if minutes < 0 else "+", abs(minutes)
    return f"{sign}{size // 60:02}:{size % 60:02}" if minutes else "Z"


@pytest.mark.parametrize(
    ("encoder", "pattern"),
    [
        ("iso8601", r"2026-11-2\dT\d\d:\d\d:00\.123"),
        ("ISO8601", r"2026-11-2\dT\d\d:\d\d:00\.123"),
        ("rfc3339", r"2026-11-2\dT\d\d:\d\d:00"),
        ("RFC3339Nano", r"2026-11-2\dT\d\d:\d\d:00\.1234"),
    ],
)
def test_the_time_is_encoded_as_text(encoder: str, pattern: str) -> None:
    offset = shown_offset().replace(":", "" if encoder.lower() == "iso8601" else ":")
    shown = line({"encoderConfig": NAMES | {"timeEncoder": encoder}})["time"]
    assert re.fullmatch(pattern + re.escape(offset), str(shown)), shown


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [("epoch", NOON), ("millis", NOON * 1e3), ("nanos", int(NOON * 1e9)), ({"layout": "x"}, NOON)],
)
def test_the_time_is_encoded_as_a_number(encoder: object, expected: float) -> None:
    assert line({"encoderConfig": NAMES | {"timeEncoder": encoder}})["time"] == expected


def test_initial_fields_are_in_every_line() -> None:
    fields = {"service": "geo", "shard": 3}
    configuration = {"encoderConfig": {"messageKey": "text"}, "initialFields": fields}
    assert line(configuration) == {"text": "message", **fields}


def test_lines_go_to_each_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("before\n")
    outputs = ["stdout", "stderr", str(first), f"file://{second}"]
    configuration = {
        "level": "info",
        "encoderConfig": {"messageKey": "text"},
        "outputPaths": outputs,
    }
    log = configured_log(configuration, is_quiet=False)
    assert is_json(log)
    log.info("one")
    log.debug("hidden")
    second.rename(tmp_path / "moved")
    log.info("two")
    expected = '{"text":"one"}\n{"text":"two"}\n'
    assert tuple(capsys.readouterr()) == (expected, expected)
    assert first.read_text() == "before\n" + expected
    assert (tmp_path / "moved").read_text() + second.read_text() == expected


def test_an_output_that_cannot_be_opened_stops_the_start(tmp_path: Path) -> None:
    configuration = {"level": "info", "outputPaths": [str(tmp_path / "no" / "log")]}
    with pytest.raises(StartError, match=r"logconfig: output '.*/no/log': no such file"):
        configured_log(configuration, is_quiet=False)


def test_a_level_is_needed() -> None:
    for level in ("nonsense", None, 3):
        with pytest.raises(StartError, match="level"):
            configured_log({"level": level}, is_quiet=False)


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    configured_log({"level": "debug"}, is_quiet=True).critical("x")
    assert tuple(capsys.readouterr()) == ("", "")
