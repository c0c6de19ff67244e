"""Runs candidates in locked workers, confirms what they show, verifies files with pytest."""
