"""What the README shows works."""

import re

import pytest

from tests.support.process import ROOT

EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_readme_runs(example: str) -> None:
    exec(compile(example, "README.md", "exec"), {})


def test_make_knows_the_commands_of_the_readme() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text("utf-8")))
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()
