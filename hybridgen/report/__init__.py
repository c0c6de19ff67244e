"""Turns outcomes, settings and crashes into text; prints nothing itself."""
