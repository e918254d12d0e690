"""The sample configuration is complete, explains itself and holds the defaults."""

import json
from pathlib import Path

from tile38py.config import NAMES, Config
from tile38py.config.properties import REPLICA_PRIORITY

SAMPLE = Path(__file__).parents[3] / "config" / "sample.json"


def test_every_setting_is_there_and_explained() -> None:
    members: dict[str, object] = json.loads(SAMPLE.read_bytes())
    assert {name for name in members if not name.startswith("_")} == {
        *NAMES,
        "server_id",
    } - {REPLICA_PRIORITY.name}
    assert all(f"_{name}" in members for name in NAMES)


def test_it_holds_the_defaults() -> None:
    config = Config()
    config.read(SAMPLE.read_bytes())
    config.store_values()
    assert config.file_text() == Config().file_text()
