"""The manual in docs/commands agrees with the code, and its checks find faults."""

import shutil
from pathlib import Path

import pytest

from tests.manual import blocks, grammar, head
from tests.manual.console import shown
from tests.manual.index import TITLES
from tests.manual.pages import BEGIN, NO_EXAMPLE, UNWRITTEN, Manual, missing_outputs
from tests.support.process import ROOT
from tile38py._engine import CommandRecord

MANUAL = Manual()


def record_of(name: str) -> CommandRecord:
    return next(record for record in MANUAL.records if record.name == name)


@pytest.mark.parametrize("record", MANUAL.records, ids=lambda record: record.name)
def test_every_command_has_a_page_that_agrees_with_the_code(record: CommandRecord) -> None:
    assert not list(MANUAL.page_faults(record))


@pytest.mark.parametrize("path", MANUAL.others(), ids=lambda path: path.stem)
def test_the_index_and_the_topics_agree_with_the_code(path: Path) -> None:
    run = MANUAL.render_other(path)
    assert (run.faults, path.read_text("utf-8")) == ([], run.text)


def test_the_readme_lists_the_commands() -> None:
    assert (ROOT / "README.md").read_text("utf-8") == MANUAL.render_readme()


def test_no_page_is_about_a_command_that_is_gone() -> None:
    assert not MANUAL.unknown_pages()


def test_no_link_is_dead() -> None:
    paths = [ROOT / "README.md", *MANUAL.folder.rglob("*.md")]
    assert not [fault for path in paths for fault in MANUAL.dead_links(path)]


def test_commands_without_an_example_are_commands_whose_example_would_fail() -> None:
    for name, output in NO_EXAMPLE:
        assert output in missing_outputs(name, MANUAL.render_page(record_of(name)))


def test_every_flag_group_and_place_of_keys_has_words() -> None:
    told = {*head.KINDS, *head.REFUSALS, *head.REFUSALS_WITHOUT, *head.REMARKS, *head.UNTOLD}
    assert {flag for record in MANUAL.records for flag in record.flags} <= told
    assert {record.group for record in MANUAL.records} <= set(TITLES)
    assert {record.keys for record in MANUAL.records} <= set(head.KEYS)


@pytest.fixture
def copy(tmp_path: Path) -> Manual:
    """A copy of a part of the manual, whose commands are two."""
    manual = Manual(tmp_path, [record_of("TTL"), record_of("CONFIG GET")])
    shutil.copytree(MANUAL.folder, manual.folder)
    shutil.copy(ROOT / "README.md", tmp_path)
    for name in MANUAL.unknown_pages():
        (manual.folder / name).unlink()
    return manual


def faults(manual: Manual) -> str:
    return "; ".join(manual.page_faults(record_of("TTL")))


def test_a_missing_page_is_found_and_begun(copy: Manual) -> None:
    page = copy.page(record_of("TTL"))
    page.unlink()
    assert "there is no such page" in faults(copy)
    assert "docs/commands/ttl.md" in copy.write()[0]
    text = page.read_text("utf-8")
    assert text.startswith(f"{BEGIN}\n\n# TTL\n")
    assert "| `id` |" in text
    assert text.count(UNWRITTEN) > 2
    assert UNWRITTEN in faults(copy)
    assert "no example in JSON" in faults(copy)
    assert "no example in RESP" in faults(copy)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("TTL key id\n", "TTL key\n"),
        ("(integer) 29", "(integer) 30"),
        ('"ttl":29', '"ttl":30'),
        ("`id not found`", "`no such id`"),
        ("> TTL fleet truck1\n", "> TTL fleet truck1 now\n"),
    ],
)
def test_a_stale_page_is_found_and_written_anew(copy: Manual, old: str, new: str) -> None:
    page = copy.page(record_of("TTL"))
    text = page.read_text("utf-8")
    page.write_text(text.replace(old, new, 1), "utf-8")
    assert "stale; run `make docs`" in faults(copy)
    assert "docs/commands/ttl.md" in copy.write()[0]
    assert faults(copy) == ""


def test_a_page_without_a_section_or_an_example_is_found(copy: Manual) -> None:
    page = copy.page(record_of("TTL"))
    text = page.read_text("utf-8").replace("## Reply", "## Answer")
    page.write_text(text.replace("json> TTL", "json> GET"), "utf-8")
    assert "no section 'Reply'" in faults(copy)
    assert "no example in JSON" in faults(copy)


def test_a_page_about_no_command_and_a_dead_link_are_found(copy: Manual) -> None:
    page = copy.folder / "locate.md"
    page.write_text("[a](nowhere.md) [b](ttl.md#nothing) [c](ttl.md#reply) [d](https://x)", "utf-8")
    assert "locate.md" in copy.unknown_pages()
    assert list(copy.dead_links(page)) == [
        "locate.md: nowhere.md doesn't exist",
        "locate.md: ttl.md has no #nothing",
    ]


def session(*lines: str) -> list[str]:
    """The lines of a session as they are written."""
    return blocks.run("\n".join(["```session", *lines, "```"])).text.split("\n")[1:-1]


def test_replies_replace_the_lines_that_stood_there() -> None:
    assert session("> PING", "something old", "", "json> PING") == [
        "> PING",
        "PONG",
        "",
        "json> PING",
        '{"ok":true,"ping":"pong","elapsed":"…"}',
    ]


def test_time_passes_and_messages_go_to_the_clients_that_get_them() -> None:
    lines = session(
        "> SETCHAN gate WITHIN fleet FENCE DETECT outside IDS BOUNDS 33 -113 34 -112",
        "> SET fleet truck1 EX 5 POINT 33.5 -112.2",
        "guard> SUBSCRIBE gate",
        "(5 seconds later)",
        "> GET fleet truck1",
    )
    assert lines[-5:-2] == ['guard< 1) "message"', '       2) "gate"', lines[-3]]
    assert '\\"command\\":\\"del\\"' in lines[-3]
    assert lines[-2:] == ["> GET fleet truck1", "(nil)"]


def test_a_closed_connection_is_shown_and_opened_again() -> None:
    lines = session("guest> QUIT", "guest> CLIENT LIST")
    assert lines[:3] == ["guest> QUIT", "OK", "guest< (connection closed)"]
    assert lines[-1].startswith("id=3 ")


HEADER = f"{blocks.ERROR_HEADER}\n| --- | --- | --- |\n"


def test_the_error_of_the_last_request_of_a_row_is_written() -> None:
    rows = ["| old | full | `READONLY yes` `DROP a` |", "| by hand | rarely | |"]
    run = blocks.run(HEADER + "\n".join(rows) + "\n\nEnd")
    expected = ["| `read only` | full | `READONLY yes` `DROP a` |", "| by hand | rarely |  |"]
    assert run.text == HEADER + "\n".join(expected) + "\n\nEnd"
    run = blocks.run(HEADER + "| | missing | `json> TTL a b` |")
    assert "`key not found`" in run.text
    run = blocks.run(HEADER + "| | bars | `SLOWLOG x` |")
    assert r"(GET [count] \| LEN \| RESET)" in run.text


def test_a_row_or_request_that_cannot_be_right_is_a_fault() -> None:
    assert blocks.run(HEADER + "| | never | `PING` |").faults == ["no error: PING"]
    row = "| a | b | c | `TTL a` |"
    assert blocks.run(HEADER + row).faults == [f"4 cells instead of 3: {row}"]
    run = blocks.run('```session\n> GET "fleet\n```')
    assert run.faults == ['unbalanced quotes: GET "fleet']


def test_replies_are_shown_as_redis_cli_shows_them() -> None:
    assert shown([":1", [], ['$ a"b\n', "$-1"], "-ERR no"]) == [
        "1) (integer) 1",
        "2) (empty array)",
        '3) 1) "a\\"b\\n"',
        "   2) (nil)",
        "4) (error) ERR no",
    ]
    assert shown("$ # Server\r\nuptime:5\r\n") == ["# Server", "uptime:5"]
    assert shown(["+x"] * 10)[0] == " 1) x"


def test_a_long_usage_is_broken_before_brackets_and_bars() -> None:
    assert grammar.usage_lines(record_of("TTL")) == ["TTL key id"]
    lines = grammar.usage_lines(record_of("SET"))
    assert lines[:3] == ["SET key id", "    [FIELD name value]...", "    [EX seconds]"]
    assert grammar.usage_start(record_of("SET"), 40) == "SET key id [FIELD name value]... …"
    assert grammar.usage_start(record_of("TTL"), 40) == "TTL key id"


@pytest.mark.parametrize("record", MANUAL.records, ids=lambda record: record.name)
def test_usages_fit_the_page_and_lose_nothing(record: CommandRecord) -> None:
    lines = grammar.usage_lines(record)
    assert all(len(line) <= grammar.COLUMNS_MAX for line in lines)
    assert " ".join(map(str.strip, lines)) == grammar.usage(record)
