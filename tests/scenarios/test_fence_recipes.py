"""The recipes of docs/fences.md do what the guide says."""

from tests.support.recipes import Message, Recipe

ACME = "POINT 33.4484 -112.0740"
FAR = "POINT 33.5500 -112.0740"
CUSTOMER = {"key": "customers", "id": "acme"}


def told(messages: list[Message]) -> list[tuple[object, ...]]:
    """Return the detection, object and note of each message; not those of DEL and DROP."""
    return [
        (
            message["detect"],
            message["id"],
            *(message[name] for name in ("reason", "dwell") if name in message),
        )
        for message in messages
        if "detect" in message
    ]


def test_dwell_at_a_customer() -> None:
    recipe = Recipe("Dwell at a customer")
    (entered,) = recipe.run(f"SET fleet truck1 {ACME}")
    assert (entered["detect"], entered["fence"]) == ("enter", CUSTOMER)
    assert recipe.wait(299) == []
    (dwelt,) = recipe.wait(1)
    assert (dwelt["detect"], dwelt["dwell"], dwelt["fence"]) == ("dwell", "5m", CUSTOMER)
    assert recipe.run(f"SET fleet truck1 {FAR}") == []
    assert recipe.wait(20) == []
    assert recipe.run(f"SET fleet truck1 {ACME}") == []
    assert told(recipe.wait(3600)) == [("dwell", "truck1", "1h")]
    assert recipe.run(f"SET fleet truck1 {FAR}") == []
    assert told(recipe.wait(30)) == [("exit", "truck1")]
    assert told(recipe.run(f"SET fleet truck1 {ACME}")) == [("enter", "truck1")]
    assert recipe.run("DEL customers acme") == []
    assert told(recipe.wait(0)) == [("exit", "truck1", "zone deleted")]


def test_enter_and_exit_without_a_gap() -> None:
    recipe = Recipe("Enter and exit without a gap")
    found = recipe.run("SET fleet truck1 EX 600 FIELD radius 8 POINT 33.4699 -112.0740")
    assert told(found) == [("enter", "truck1")]
    for latitude in ("33.4701", "33.4699", "33.4702"):  # 11 and 22 metres beyond the border
        assert (
            recipe.run(f"SET fleet truck1 EX 600 FIELD radius 8 POINT {latitude} -112.0740") == []
        )
    vague = "SET fleet truck1 EX 600 FIELD radius 500 POINT 33.4720 -112.0740"
    assert recipe.run(vague) == []
    assert recipe.wait(60) == []
    recipe.run("SET fleet truck1 EX 600 FIELD radius 8 POINT 33.4720 -112.0740")
    assert told(recipe.wait(10)) == [("exit", "truck1")]
    assert recipe.run("SET fleet truck2 EX 600 FIELD radius 500 POINT 33.4690 -112.0740") == []
    inside = "SET fleet truck2 EX 600 FIELD radius 8 POINT 33.4484 -112.0740"
    assert told(recipe.run(inside)) == [("enter", "truck2")]
    assert told(recipe.wait(601)) == [("exit", "truck2", "expired")]
    recipe.run(inside)
    assert told(recipe.run("DEL fleet truck2")) == [("exit", "truck2", "deleted")]
    recipe.run(inside)
    assert told(recipe.run("DELCHAN yard")) == [("exit", "truck2", "hook deleted")]
