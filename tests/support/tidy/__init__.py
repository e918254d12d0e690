"""Rules of style that no linter knows. Each takes a file's path and text, and yields findings."""
