"""Sockets, signals and time: everything that runs on the event loop."""
