"""Every golden case against our server."""

import itertools
import re

import pytest

from tests.golden.cases import GoldenCase, Mismatch, Source, check, find_cases
from tests.golden.language import CaseError
from tests.support.process import ROOT
from tests.support.resp import Address

CASES = find_cases()
OURS = [case for case in CASES if case.has_ours]
DIFFERENCES = ROOT / "docs" / "differences.md"
MISMATCHES_SHOWN_MAX = 10


def first_mismatches(case: GoldenCase, address: Address) -> list[Mismatch]:
    """Return the first mismatches of a case; a single one if it can't be run."""
    source = Source.OURS if case.has_ours else Source.TILE38
    try:
        return list(itertools.islice(check(case, source, address), MISMATCHES_SHOWN_MAX))
    except (CaseError, OSError) as error:
        return [Mismatch(case.name, 0, "the case can't be run", [], [str(error)])]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_replies_are_the_recorded_ones(case: GoldenCase, golden_server: Address) -> None:
    mismatches = first_mismatches(case, golden_server)
    assert not mismatches, "\n" + "\n".join(map(str, mismatches))


def test_cases_we_do_not_match_are_explained() -> None:
    named = re.findall(r"^\| `([\w-]+/[\w-]+)` \|", DIFFERENCES.read_text("utf-8"), re.MULTILINE)
    assert sorted(named) == [case.name for case in OURS]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in OURS])
def test_our_replies_differ_from_those_of_tile38(case: GoldenCase) -> None:
    assert case.read(Source.OURS) != case.read(Source.TILE38)
