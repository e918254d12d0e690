"""Tests of replication's parts."""
