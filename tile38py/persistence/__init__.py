"""Persistence: the log, its load and rewrite, backups, and the files of the data directory."""
