"""A client's copy of the objects in an area, from the messages of a fence with SNAPSHOT."""

Message = dict[str, object]


class AreaClient:
    """The ids and objects inside, and whether the snapshot is complete. No tests."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.inside: dict[str, object] = {}
        self.is_complete = False
        self.snapshots_count = 0

    def apply(self, message: Message) -> None:
        """Apply a message; those of a snapshot stand together."""
        name = message.get("id")
        match message["command"], message.get("detect"), message.get("state"):
            case "snapshot", _, "begin":
                self.inside.clear()
                self.is_complete = False
            case "snapshot", _, "end":
                assert message["count"] == len(self.inside)
                self.is_complete = True
                self.snapshots_count += 1
            case "snapshot", "inside", None:
                assert not self.is_complete
                assert name not in self.inside
                self._put(message)
            case "del", _, _:
                assert self.is_complete
                self.inside.pop(str(name), None)
            case "drop", _, _:
                assert self.is_complete
                self.inside.clear()
            case _, ("enter" | "inside"), _:
                assert self.is_complete
                self._put(message)
            case _:
                assert self.is_complete
                self.inside.pop(str(name), None)

    def _put(self, message: Message) -> None:
        self.inside[str(message["id"])] = message.get("object")
