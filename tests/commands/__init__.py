"""Tests of the server's commands, one file a command, against an in-process server."""
