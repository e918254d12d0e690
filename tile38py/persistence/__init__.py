"""The log and the files of the data directory."""
