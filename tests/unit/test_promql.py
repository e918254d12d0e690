"""The names that are found in PromQL expressions."""

from tests.support.promql import Expression, Selector, names_in


def test_metrics_are_found_with_their_matchers() -> None:
    text = 'rate(a_total{x="1",y=~"b.*",z="$z"}[5m]) / (b > 1e3) and on (x) c offset 5m'
    assert names_in(text) == Expression(
        [Selector("a_total", {"x": "1", "y": "", "z": ""}), Selector("b"), Selector("c")], {"x"}
    )


def test_labels_of_groupings_are_no_metrics() -> None:
    text = "sum by (cmd, job) (a) - on (job) group_right () b{} or vector(0)"
    assert names_in(text) == Expression([Selector("a"), Selector("b")], {"cmd", "job"})


def test_names_within_strings_are_no_metrics() -> None:
    assert names_in(r'a{x="b{c=\"d\"}"}').selectors == [Selector("a", {"x": r"b{c=\"d\"}"})]
