"""hybridgen: AI-written unit tests for code that may not leave the building."""

__version__ = "0.1.0"
