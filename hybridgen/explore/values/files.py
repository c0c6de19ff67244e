"""Files for code that reads some: a path below ``tmp_path``, and contents that it may expect."""

from __future__ import annotations

import ast
import json
import random
from collections.abc import Sequence

EXISTING = "tmp_path / 'data.txt'"
"""The path of the file that is written before the call."""

PATHS = (EXISTING, EXISTING, "tmp_path / 'missing.txt'", "tmp_path")
"""Values for a parameter that takes a path."""

PATH_NAMES = frozenset({"path", "file", "filename", "filepath", "file_path", "file_name", "folder"})
"""Parameters without a type hint that are taken for paths by their name."""

CONTENTS = ("", "abc\n", "first line\nsecond line\n", "{}", "[]", "a,b\n1,2\n", "1\n2\n3\n")
VALUES: tuple[object, ...] = ("a", "", 1, 0, 2.5, None, True, [], ["a"], "2024-02-29")


def content(literals: Sequence[str], chooser: random.Random) -> str:
    """Text for a file: plain, or JSON or CSV whose keys are words that the code itself uses."""
    words = [word for word in map(_word, literals) if word]
    if not words or chooser.random() < 0.4:
        return chooser.choice(CONTENTS)
    keys = (
        words if chooser.random() < 0.6 else chooser.sample(words, chooser.randint(1, len(words)))
    )
    rows = [{key: chooser.choice(VALUES) for key in keys} for _ in range(chooser.choice((1, 2)))]
    kind = chooser.random()
    if kind < 0.4:
        return json.dumps(rows[0])
    if kind < 0.7:
        return json.dumps(rows)
    lines = [",".join(keys), *(",".join(str(value) for value in row.values()) for row in rows)]
    return "\n".join(lines) + "\n"


def writing(text: str) -> str:
    """The statement that makes the file."""
    return f"({EXISTING}).write_text({text!r})"


def _word(literal: str) -> str:
    """The text of a literal that could be a key, else an empty one."""
    try:
        value = ast.literal_eval(literal)
    except (ValueError, SyntaxError):
        return ""
    return value if isinstance(value, str) and value.isidentifier() else ""
