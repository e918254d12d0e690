"""The recipes of docs/fences.md do what the guide says."""

from pathlib import Path

from tests.manual.server import MAIN
from tests.scenarios.test_event_history import event_stream
from tests.support.process import ServerProcess
from tests.support.recipes import Message, Recipe, recipe_commands

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


def zones(messages: list[Message]) -> list[tuple[object, ...]]:
    """Return the channel, detection and zone of each message."""
    found: list[tuple[object, ...]] = []
    for message in messages:
        zone = message["fence"]
        assert isinstance(zone, dict)
        found.append((message["hook"], message["detect"], zone["id"], zone["fields"]))
    return found


def test_delivery_zones() -> None:
    recipe = Recipe("Delivery zones")
    ann, bob = {"courier": "ann"}, {"courier": "bob", "metres": 3000}
    found = recipe.run(f"SET orders o1 {ACME}")
    assert zones(found) == [("dispatch", "enter", "centre", ann)]
    assert told(recipe.run("DEL orders o1")) == [("exit", "o1", "deleted")]
    found = recipe.run("SET orders o2 POINT 33.4360 -112.0110")
    assert zones(found) == [("dispatch", "enter", "airport", bob)]
    recipe.run("SET areas airport FIELD courier eve BOUNDS 33.40 -112.12 33.50 -112.00")
    both = zones(recipe.run(f"SET orders o3 {ACME}"))
    assert both == [
        ("dispatch", "enter", "airport", bob | {"courier": "eve"}),
        ("dispatch", "enter", "centre", ann),
    ]


def test_school_zones_with_hours() -> None:
    recipe = Recipe("School zones with hours")
    hour = 3600
    limit = {"limit": 15}
    # The server's clock shows Tuesday, 15:13 in Phoenix.
    found = recipe.run(f"SET fleet car {ACME}")
    assert [word for _, word, *_ in zones(found)] == ["enter", "inside"]
    assert zones(found)[0] == ("school", "enter", "roosevelt", limit)
    recipe.wait(hour)
    assert recipe.run(f"SET fleet car {ACME}") == []
    recipe.wait(15 * hour)
    assert zones(recipe.run(f"SET fleet car {ACME}")) == [("school", "inside", "roosevelt", limit)]
    assert told(recipe.run(f"SET fleet car {FAR}")) == [("exit", "car")]
    recipe.wait(3 * 24 * hour)
    assert recipe.run(f"SET fleet car {ACME}") == []


def test_geofenced_speed_limits() -> None:
    recipe = Recipe("Geofenced speed limits")
    found = recipe.run(f"SET fleet car FIELD speed 45 {ACME}")
    assert zones(found) == [("over30", "inside", "oldtown", {"limit": 30})]
    assert found[0]["fields"] == {"speed": 45}
    recipe.wait(30)
    assert recipe.run(f"SET fleet car FIELD speed 46 {ACME}") == []
    recipe.wait(31)
    assert len(recipe.run(f"SET fleet car FIELD speed 47 {ACME}")) == 1
    recipe.wait(61)
    assert recipe.run(f"SET fleet car FIELD speed 25 {ACME}") == []
    found = recipe.run(f"SET fleet bus FIELD speed 95 {ACME}")
    assert [(channel, zone) for channel, _, zone, _ in zones(found)] == [
        ("over30", "oldtown"),
        ("over80", "ring"),
    ]


def board(messages: list[Message]) -> list[dict[str, object]]:
    """Return the members of each message about the list, with ids in the place of entries."""
    return [
        {
            name: [entry["id"] if isinstance(entry, dict) else entry for entry in entries]
            for name in ("all", "in", "out", "moved")
            if isinstance(entries := message.get(name), list)
        }
        for message in messages
    ]


def test_nearest_driver_board() -> None:
    recipe = Recipe("Nearest driver board")
    messages = []
    for line in (
        "SET drivers d1 FIELD free 1 POINT 33.4510 -112.0700",
        "SET drivers d2 FIELD free 1 POINT 33.4530 -112.0700",
        "SET drivers far FIELD free 1 POINT 33.9000 -112.0700",
    ):
        messages += recipe.run(line)
    messages += recipe.wait(1)
    assert board(messages) == [{"all": []}, {"in": ["d1", "d2"]}]
    recipe.run("SET drivers d3 FIELD free 1 POINT 33.4501 -112.0700")
    assert board(recipe.wait(1)) == [{"in": ["d3"], "out": ["d2"]}]
    recipe.run("FSET drivers d1 free 0")
    assert board(recipe.wait(1)) == [{"in": ["d2"], "out": ["d1"]}]
    recipe.run("SET riders ann POINT 33.4540 -112.0700")
    assert board(recipe.wait(1)) == [{"moved": ["d2", "d3"]}]


def test_tolls_exactly_once() -> None:
    recipe = Recipe("Tolls exactly once")
    gantry = {"key": "gantries", "id": "east", "fields": {"metres": 40, "price": 3}}
    for number in (1, 2):
        (passage,) = recipe.run(f"SET fleet car1 {ACME}")
        assert (passage["detect"], passage["fence"]) == ("enter", gantry)
        assert passage["sequence"] == number
        assert recipe.run(f"SET fleet car1 {FAR}") == []
    # Transactions need numbers, which the hook has though nobody asked for them.
    (hooks,) = recipe.server.request(MAIN, [b"HOOKS", b"tolls"])
    assert "SEQUENCE" in str(hooks)


def test_events_without_a_gap_over_http(tmp_path: Path) -> None:
    define, subscribe = recipe_commands("Events without a gap over HTTP")
    with ServerProcess(tmp_path) as server:
        assert server.call(*define) == ":1"
        path = "/subscribe+door"
        with server.connect() as connection, event_stream(server, path) as events:
            assert isinstance(connection.call(*subscribe), list)
            assert next(events)["event"] == "reply"
            assert server.call(*f"SET fleet car {ACME}".split()) == "+OK"
            assert next(events)["id"] == "1"
            assert '"sequence":1}' in str(connection.read())
        assert server.call(*f"SET fleet car {FAR}".split()) == "+OK"
        server.kill()
        server.start()
        assert server.call(*f"SET fleet car {ACME}".split()) == "+OK"
        with event_stream(server, path, last_id="1") as events:
            assert next(events)["event"] == "reply"
            missed = [next(events) for _ in range(2)]
        assert [event["id"] for event in missed] == ["2", "3"]
        assert '"detect":"exit"' in missed[0]["data"]
