"""Transports as bytes in and bytes out. Knows no command, opens no socket."""
