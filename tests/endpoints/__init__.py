"""Endpoints against real brokers; where none can be had, against what speaks its protocol."""
