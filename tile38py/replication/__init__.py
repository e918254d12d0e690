"""Leader and followers: how one server's log becomes another's."""
