"""Users and their rights, with Redis' rules. Requests are checked by the engine."""
