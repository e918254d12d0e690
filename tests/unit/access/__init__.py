"""Tests of users and their rights."""
