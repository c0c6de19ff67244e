"""What no test enters is named."""

import pytest

from hybridgen.report.untested import untested_note
from hybridgen.source import find_project, read_module, select

TEXT = '''
def one(a, b=1):
    """Doc."""
    return a + b


class Box:
    def open(self):
        """Doc."""
        return 1

    def _hidden(self):
        return 2
'''


@pytest.fixture
def targets(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'sample'\nversion = '1'\n")
    path = tmp_path / "sample.py"
    path.write_text(TEXT)
    project = find_project(path, python=None, tests=None)
    return read_module(select([str(path)])[0], project).targets


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((2, 7, 8, 12), "no test enters one, Box.open"),  # what runs on import is no test
        ((2, 4), "no test enters Box.open"),
        ((4, 10), ""),
    ],
)
def test_public_functions_that_never_ran_are_named(targets, lines, expected):
    assert untested_note(targets, [(-1, line) for line in lines]) == expected
