"""Runs where there is no test, so that coverage.py still counts what could be covered."""
