"""The server's command before the event loop runs."""

import asyncio
import json
import logging
from pathlib import Path

import pytest

from tile38py.cli.server import log_for, loop_factory, main, run, show_banner
from tile38py.errors import StartError
from tile38py.server.options import Options


def texts(capsys: pytest.CaptureFixture[str], log: logging.Logger) -> str:
    log.info("info")
    log.warning("warning")
    return capsys.readouterr().err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    for word, text in (
        ("--help", "Usage: tile38py-server"),
        ("--version", "tile38-server version: "),
    ):
        with pytest.raises(SystemExit) as caught:
            main(["-p", "1", word])
        assert caught.value.code == 0
        assert capsys.readouterr().out.startswith(text)


def test_a_bad_line_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--appendonly", "maybe"])
    assert caught.value.code == 1
    assert capsys.readouterr().err == "appendonly must be 'yes' or 'no'\n"
    with pytest.raises(SystemExit) as caught:
        main(["-x"])
    assert caught.value.code == 2
    assert "Usage: " in capsys.readouterr().err


def test_levels_follow_the_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "warning" not in texts(capsys, log_for(Options(directory=tmp_path)))
    assert "warning" in texts(capsys, log_for(Options(directory=tmp_path, is_verbose=True)))
    quiet = Options(directory=tmp_path, is_verbose=True, is_quiet=True)
    assert texts(capsys, log_for(quiet)) == ""


def test_the_file_can_ask_for_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {"encoding": "json", "level": "warn", "encoderConfig": {"messageKey": "text"}}
    (tmp_path / "config").write_text(json.dumps({"logconfig": wanted}), "utf-8")
    assert texts(capsys, log_for(Options(directory=tmp_path))) == '{"text":"warning"}\n'


def test_the_banner_is_a_line_of_a_json_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = {"encoding": "json", "level": "info", "encoderConfig": {"messageKey": "text"}}
    (tmp_path / "config").write_text(json.dumps({"logconfig": wanted}), "utf-8")
    options = Options(directory=tmp_path)
    show_banner(options, log_for(options))
    assert json.loads(capsys.readouterr().err)["text"].startswith("tile38py")


def test_a_log_configuration_without_level_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "config").write_text('{"logconfig":{"encoding":"json"}}', "utf-8")
    with pytest.raises(StartError, match="level"):
        log_for(Options(directory=tmp_path))
    assert run(Options(directory=tmp_path)) == 1


def test_a_data_folder_that_cannot_be_used_is_told_before_anything_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert run(Options(directory=tmp_path / "file" / "data")) == 1
    assert "[FATA] data directory" in capsys.readouterr().err


def test_the_banner_names_where_we_listen(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("tests")
    show_banner(Options(host="here", port=7), log)
    assert "here:7" in capsys.readouterr().err
    show_banner(Options(socket_path="/tmp/s"), log)
    assert "Socket: /tmp/s" in capsys.readouterr().err
    show_banner(Options(is_quiet=True), log)
    assert capsys.readouterr().err == ""


def test_the_loop_is_uvloops_where_it_exists() -> None:
    factory = loop_factory()
    assert factory is not None
    loop = factory()
    assert isinstance(loop, asyncio.AbstractEventLoop)
    loop.close()
