"""Finds inputs without a model: examples, types, literals, and mutation towards new code."""
