"""The source room: what is under test, read from files and never imported or run.

Paths become :class:`Selection`, a path's surroundings a ``Project``, a file a ``Module`` with
its targets and the names by which it could be imported.
"""

from hybridgen.source.existing import tests_of
from hybridgen.source.interpreter import base_program
from hybridgen.source.layout import pytest_option
from hybridgen.source.mentions import mentions
from hybridgen.source.missing import missing_fragments
from hybridgen.source.module import chosen_targets, display_path, read_module
from hybridgen.source.project import find_project
from hybridgen.source.selection import Selection, select

__all__ = [
    "Selection",
    "base_program",
    "chosen_targets",
    "display_path",
    "find_project",
    "mentions",
    "missing_fragments",
    "pytest_option",
    "read_module",
    "select",
    "tests_of",
]
