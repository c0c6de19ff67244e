"""Promises in docstrings of the usual styles."""

import pytest

from hybridgen.suspects.promised import Promise, promises

GOOGLE = """Counts.

Args:
    n: 5 if negative.

Raises:
    ValueError: if n is negative
    json.JSONDecodeError: If text is
        empty
    KeyError: never mind.
"""
NUMPY = """Counts.

Parameters
----------
n : int
    None if empty.

Raises
------
ValueError
    If n is negative.
"""
SPHINX = """Counts.

:param n: 0 for none
:raises ValueError: if n is 0
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The share; 0.0 if the whole is 0.", [Promise("the whole is 0", value="0.0")]),
        ("Longest; raises `ValueError` if none.", [Promise("none", raises="ValueError")]),
        ("None is returned for no values", [Promise("no values", value="None")]),
        ("Returns ``''`` when n is 0, else n.", [Promise("n is 0", value="''")]),
        (SPHINX, [Promise("n is 0", raises="ValueError")]),
        (NUMPY, [Promise("n is negative", raises="ValueError")]),
        (
            GOOGLE,
            [
                Promise("n is negative", raises="ValueError"),
                Promise("text is\n        empty", raises="JSONDecodeError"),
            ],
        ),
        ("Takes 0 if n is empty. Pass None for no limit", []),
        ("Raises the limit if n is empty.", []),
    ],
)
def test_a_docstring_promises_something_for_a_case(text, expected):
    assert promises(text) == expected
