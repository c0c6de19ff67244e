"""Calls in docstrings become candidates, with what the docstring says of them."""

import pytest

from hybridgen.explore.examples import docstring_candidates
from hybridgen.source import find_project, read_module, select

TEXT = '''
def slug(title):
    """Words joined by '-': slug("A b") returns "a-b", and slug("c").

    >>> slug("d e")
    'd-e'
    """
    return title
'''


@pytest.fixture
def opinions(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'sample'\nversion = '1'\n")
    path = tmp_path / "sample.py"
    path.write_text(TEXT)
    module = read_module(select([str(path)])[0], find_project(path, python=None, tests=None))
    found = docstring_candidates(module, module.targets[0])
    return {item.steps[-1].code: item.steps[-1].opinion for item in found}


def test_prose_has_an_opinion_as_a_doctest_has(opinions):
    assert opinions == {
        "slug('d e')": "_ == 'd-e'",
        "slug('A b')": "_ == 'a-b'",
        "slug('c')": None,
    }
